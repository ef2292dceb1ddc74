//! One experiment: records a fetch, loses power, and runs `pop3 fetch` again.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use crate::{
    beside::{Neighbour, look, read_mail},
    command::NAME,
    disk::{Disks, Event, Image},
    file_system::{FileSystem, Mounted, run},
    mail::{self, FOREIGN},
    oracle::{Stored, Wrong, judge},
    program::{BootId, Delivery, Ended, Program},
    random::Random,
    server::{Maildrop, Message, Server},
    states::{Moment, Record},
};

/// The fixed parts of an experiment.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    /// Whether the journal has its own disk, with ext4.
    pub(crate) journal_apart: bool,
    /// Whether the mailbox already contains a message of another program.
    pub(crate) has_foreign: bool,
    /// The messages at the start, and those that arrive between two runs.
    pub(crate) arrivals: [Vec<Arc<Message>>; 2],
    pub(crate) neighbour: Option<(usize, bool)>,
    pub(crate) is_large: bool,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) file_system: FileSystem,
    pub(crate) delivery: Delivery,
    pub(crate) delete: bool,
}

/// The place where experiments run.
pub(crate) struct Laboratory {
    pub(crate) disks: Disks,
    pub(crate) server: Server,
    pub(crate) program: Program,
    scratch: PathBuf,
    boot_id: Arc<BootId>,
    empty: RefCell<HashMap<String, Image>>,
}

/// The disks that are mounted during one boot.
pub(crate) struct Boot {
    /// The first disk has the mail.
    mounted: Vec<Mounted>,
}

impl Setup {
    pub(crate) fn draw(kind: Kind, random: &mut Random) -> Self {
        let is_large = random.one_in(6);
        let first = mail::draw(random, 0, is_large);
        let second = match random.one_in(3) {
            true => Vec::new(),
            false => mail::draw(random, first.len(), false),
        };
        let pause = random.below(if is_large { 5 } else { 20 });
        let neighbour = match random.below(4) {
            0 => None,
            1 => Some((pause, true)),
            _ => Some((pause, false)),
        };
        Self {
            kind,
            journal_apart: random.one_in(2),
            has_foreign: random.one_in(2),
            arrivals: [first, second],
            neighbour,
            is_large,
        }
    }

    /// Draws few messages, so that their flushes are likely to fail.
    pub(crate) fn draw_for_errors(kind: Kind, random: &mut Random) -> Self {
        let is_large = random.one_in(2);
        let mut messages = mail::draw(random, 0, is_large);
        if random.one_in(2) {
            // The drawn messages surround the large ones.
            let place = messages.iter().position(|it| it.octets.len() > 9 << 20);
            messages = messages
                .into_iter()
                .skip(place.unwrap_or_default())
                .take(3)
                .collect();
        }
        Self {
            kind,
            journal_apart: random.one_in(3),
            has_foreign: random.one_in(2),
            arrivals: [messages, Vec::new()],
            neighbour: None,
            is_large,
        }
    }

    /// Returns all messages that the server ever has.
    pub(crate) fn messages(&self) -> Vec<Arc<Message>> {
        self.arrivals.concat()
    }
}

impl Laboratory {
    /// Creates the directory `scratch`.
    pub(crate) fn open(
        scratch: PathBuf,
        pop3: PathBuf,
        boot_id: Arc<BootId>,
    ) -> anyhow::Result<Self> {
        let files = scratch.join("disks");
        fs::create_dir_all(&files)?;
        let disks = Disks::mount(&files)?;
        let recorder = disks.recorder();
        let server = Server::start(move |gone| recorder.note(Event::Deleted(gone.to_vec())))?;
        Ok(Self {
            disks,
            program: Program {
                pop3,
                server: server.address,
            },
            server,
            scratch,
            boot_id,
            empty: RefCell::default(),
        })
    }

    /// Returns the state at the start.
    pub(crate) fn start(&self, setup: &Setup) -> anyhow::Result<Moment> {
        let mut images = vec![self.prepared(setup)?];
        if setup.journal_apart {
            images.push(self.empty(FileSystem::Ext4)?);
        }
        Ok(Moment {
            images,
            maildrop: Maildrop(setup.messages()),
        })
    }

    /// Checks that this machine has what that file system needs.
    pub(crate) fn check(&self, file_system: FileSystem) -> anyhow::Result<()> {
        let setup = Setup::draw(
            Kind {
                file_system,
                delivery: Delivery::Maildir,
                delete: false,
            },
            &mut Random::new(&[]),
        );
        self.prepared(&setup).map(drop)
    }

    fn empty(&self, file_system: FileSystem) -> anyhow::Result<Image> {
        let name = file_system.to_string();
        if let Some(image) = self.empty.borrow().get(&name) {
            return Ok(image.clone());
        }
        let image = file_system.make(&self.scratch.join("new"))?;
        self.empty.borrow_mut().insert(name, image.clone());
        Ok(image)
    }

    /// Returns a file system with a directory for mail.
    fn prepared(&self, setup: &Setup) -> anyhow::Result<Image> {
        let Kind {
            file_system,
            delivery,
            ..
        } = setup.kind;
        let name = format!("{file_system} {delivery} {}", setup.has_foreign);
        if let Some(image) = self.empty.borrow().get(&name) {
            return Ok(image.clone());
        }
        self.disks.set(vec![self.empty(file_system)?]);
        let foreign = self.scratch.join("foreign");
        let (text, make) = match delivery {
            Delivery::Maildir => (
                String::from(FOREIGN),
                "mkdir Maildir Maildir/tmp Maildir/new Maildir/cur; cp \"$2\" Maildir/cur/1.foreign:2,S",
            ),
            Delivery::Mbox => (
                format!("From someone Thu Jan  1 00:00:00 1970\n{FOREIGN}\n"),
                "cp \"$2\" inbox",
            ),
        };
        fs::write(&foreign, text)?;
        let make = match setup.has_foreign {
            true => make,
            false => "",
        };
        let mounted = file_system.mount(&self.disk(0), &self.scratch.join("0"))?;
        run(Command::new("sh")
            .args([
                "-ec",
                &format!("cd \"$1\"; mkdir mail journal; cd mail; {make}"),
                "sh",
            ])
            .arg(mounted.lower())
            .arg(foreign))?;
        drop(mounted);
        let image = self.disks.images().swap_remove(0);
        self.empty.borrow_mut().insert(name, image.clone());
        Ok(image)
    }

    /// Boots the machine.
    pub(crate) fn boot(&self, setup: &Setup, images: Vec<Image>) -> anyhow::Result<Boot> {
        let disks = images.len();
        self.disks.set(images);
        self.boot_id.change()?;
        let mut mounted = Vec::new();
        for disk in 0..disks {
            let file_system = match disk {
                0 => setup.kind.file_system,
                _ => FileSystem::Ext4,
            };
            let path = self.scratch.join(disk.to_string());
            mounted.push(file_system.mount(&self.disk(disk), &path)?);
        }
        Ok(Boot { mounted })
    }

    /// Returns the path of a disk's file. A loop device still shows this name when
    /// everything else is gone.
    fn disk(&self, number: usize) -> PathBuf {
        let name = format!("{NAME}{}-{number}", std::process::id());
        self.scratch.join("disks").join(name)
    }

    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    pub(crate) fn fetch(&self, setup: &Setup, boot: &Boot) -> anyhow::Result<Ended> {
        self.fetch_under(setup, boot, &[])
    }

    fn fetch_under(&self, setup: &Setup, boot: &Boot, under: &[String]) -> anyhow::Result<Ended> {
        let Kind {
            delivery, delete, ..
        } = setup.kind;
        let ended = self
            .program
            .fetch(under, delivery, delete, &boot.mail(), &boot.journal())?;
        self.disks
            .recorder()
            .note(Event::Ended(ended.status.unwrap_or(-1)));
        Ok(ended)
    }

    /// Records fetches of all messages. The program `under`, if any, runs each
    /// fetch.
    pub(crate) fn record(
        &self,
        setup: &Setup,
        under: &[String],
    ) -> anyhow::Result<(Record, Vec<Ended>)> {
        let start = self.start(setup)?;
        self.disks.start_record();
        let boot = self.boot(setup, start.images.clone())?;
        let neighbour = setup
            .neighbour
            .map(|(pause, all)| Neighbour::start(boot.lower(), pause, all))
            .transpose()?;
        let mut ended = Vec::new();
        let mut maildrop = Maildrop::default();
        for messages in &setup.arrivals {
            if !messages.is_empty() {
                maildrop.0.extend(messages.iter().cloned());
                self.server.set(maildrop);
                ended.push(self.fetch_under(setup, &boot, under)?);
                maildrop = self.server.maildrop();
            }
        }
        let events = self.disks.end_record();
        drop(neighbour);
        drop(boot);
        Ok((Record { start, events }, ended))
    }

    /// Runs the program until it settles, and judges what it leaves. With
    /// `is_read`, a mail reader runs first.
    pub(crate) fn recover(
        &self,
        setup: &Setup,
        moment: &Moment,
        is_read: bool,
    ) -> anyhow::Result<(Wrong, Record)> {
        let mut start = moment.clone();
        self.disks.start_record();
        let boot = self.boot(setup, moment.images.clone())?;
        self.server.set(moment.maildrop.clone());
        if is_read && setup.kind.delivery == Delivery::Maildir {
            read_mail(&boot.mail().join("Maildir"))?;
            self.disks.start_record();
            start.images = self.disks.images();
        }
        let stuck = self.settle(setup, &boot)?;
        let events = self.disks.end_record();
        let mut wrong = self.judge(setup, &boot)?;
        if stuck.is_some() {
            // Messages that the server still has may be fetched later.
            let held = self.server.maildrop();
            let has = |id: &String| held.0.iter().any(|message| message.unique_id == *id);
            wrong.lost.retain(|id| !has(id));
            wrong.stuck = stuck;
        }
        Ok((wrong, Record { start, events }))
    }

    /// Returns the reason why the program does not settle, if it does not.
    pub(crate) fn settle(&self, setup: &Setup, boot: &Boot) -> anyhow::Result<Option<String>> {
        let mut stuck = None;
        for _ in 0..3 {
            let ended = self.fetch(setup, boot)?;
            match ended.status {
                Some(0) => return Ok(None),
                Some(_) => stuck = Some(ended.to_string()),
                None => return Ok(Some(ended.to_string())),
            }
        }
        Ok(stuck)
    }

    /// Returns the present state of the disks, which must not be mounted.
    pub(crate) fn now(&self, maildrop: Maildrop) -> Moment {
        Moment {
            images: self.disks.images(),
            maildrop,
        }
    }

    pub(crate) fn judge(&self, setup: &Setup, boot: &Boot) -> anyhow::Result<Wrong> {
        let stored: Vec<Stored> = look(&boot.mail())?;
        let messages = setup.messages();
        let Kind {
            file_system,
            delivery,
            ..
        } = setup.kind;
        let mut wrong = judge(delivery, setup.has_foreign, &messages, &stored);
        if file_system.is_fuse() {
            // The removal of a name cannot be synced through FUSE. If such a name
            // returns, a later run or another program removes it.
            let may_stay =
                |path: &str| path.starts_with("Maildir/tmp/") || path.starts_with("inbox.lock");
            wrong.left_over.retain(|path| !may_stay(path));
        }
        Ok(wrong)
    }
}

impl Boot {
    pub(crate) fn mail(&self) -> PathBuf {
        self.mounted[0].path.join("mail")
    }

    pub(crate) fn lower(&self) -> &Path {
        self.mounted[0].lower()
    }

    fn journal(&self) -> PathBuf {
        match self.mounted.get(1) {
            Some(other) => other.path.clone(),
            None => self.mounted[0].path.join("journal"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.delete { "delete" } else { "keep" };
        write!(f, "{} {} {what}", self.file_system, self.delivery)
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.arrivals.each_ref().map(Vec::len);
        write!(f, "{}, {first} and {second} messages", self.kind)?;
        if self.is_large {
            f.write_str(", a large one among them")?;
        }
        if self.journal_apart {
            f.write_str(", journal on another disk")?;
        }
        match self.neighbour {
            Some((_, true)) => f.write_str(", beside a program that calls syncfs"),
            Some((_, false)) => f.write_str(", beside a program that calls fsync"),
            None => Ok(()),
        }
    }
}

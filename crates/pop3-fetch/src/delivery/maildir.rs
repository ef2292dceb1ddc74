//! Delivery to a Maildir.
//!
//! A message is written to `tmp` and renamed to `new`. How a group is synced
//! depends on the file system; [`disk`](crate::disk) explains why.
//!
//! | | [`Together`](Syncs::Together) | [`Each`](Syncs::Each) |
//! |---|---|---|
//! | secured by | `syncfs`; for a few messages, `fsync` of each and of `tmp` | `fsync` of each and of `tmp` |
//! | published by | a rename for each, `fsync` of `tmp`, then of `new` | a rename and an `fsync` for each, `fsync` of `new`, then of `tmp` |
//!
//! Where a rename is one step of the file system's own journal, `tmp` is synced
//! first: its `fsync` also writes the new names, while in the other order Btrfs may
//! show both names. On unknown file systems, a message with two names is better
//! than one without a name.
//!
//! 20,000 messages of 3 KB took 1.1 s with `syncfs` in groups of 1000, 0.7 s
//! without any sync, and 9 s or more with an `fsync` of each, even from sixteen
//! threads, because each `fsync` waits for the journal of the file system. The
//! price of `syncfs` is that it also waits for the writes of other programs on that
//! file system.
//!
//! File names have the form of Maildir and Maildir++:
//! `seconds.MmicrosecondsPpidRrandomQcount.host,S=octets,W=octets-with-CRLF`.
//!
//! # After a kill
//!
//! A pending message was on disk in `tmp` before the journal recorded it, and only
//! the rename moves it from there.
//!
//! | the message is in | because it was | recovery |
//! |---|---|---|
//! | `tmp` | not published | it is published |
//! | `tmp`, and in `new` or `cur` | published; a loss of power left both names | that in `tmp` is removed |
//! | `new` or `cur` | published | nothing has to be done |
//! | none of them | published, and a mail reader has removed it | nothing has to be done |
//! | none of them, and the system was started anew | perhaps never published | it is fetched again |
//! | none of them, for 36 hours | perhaps removed from `tmp`, as Maildir allows | it is fetched again |
//!
//! Everything else that the killed run left in `tmp` is removed. Where the `fsync`
//! of a directory does nothing, a loss of power soon afterwards may bring it back;
//! mail readers remove it after 36 hours.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    ops::Bound::{Included, Unbounded},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::system::uname;

use super::{Delivery, Flush, Publish, Sealed};
use crate::{
    disk::{Directory, Disk, File, Syncs, ignore_missing, make_directories, open_parent},
    failure::{Failure, Kind},
    journal::Waits,
};

/// The most messages that get an `fsync` each although `syncfs` can be trusted.
const FEW: usize = 4;

/// The most messages in a group where each gets an `fsync`: their files stay open.
pub(super) const OPEN: usize = 64;

/// The age in seconds after which other programs may remove files in `tmp`.
const TMP_KEPT: i64 = 36 * 60 * 60;

const PARTS: [&str; 3] = ["tmp", "new", "cur"];

pub(crate) struct Maildir<D: Directory> {
    parts: Arc<Parts<D>>,
    /// The prefix of the names of this run.
    stem: String,
    host: String,
    current: Option<Written<D::File>>,
    group: Vec<Written<D::File>>,
    /// The first failure to remove a file from `tmp`.
    removed: io::Result<()>,
}

/// The open directories of the Maildir.
struct Parts<D> {
    path: PathBuf,
    tmp: D,
    new: D,
    cur: D,
}

/// A message in `tmp`.
struct Written<F> {
    /// Its name in `tmp`.
    name: String,
    /// Its name in `new`, which begins with the name in `tmp`: recovery needs both.
    last: String,
    /// The open file, closed if `syncfs` will sync it.
    file: Option<Arc<F>>,
    octets: u64,
}

/// A group in `tmp`.
pub(super) struct Waiting<D: Directory> {
    parts: Arc<Parts<D>>,
    group: Vec<Written<D::File>>,
    /// The number of messages of the group that are in `new`.
    renamed: usize,
    is_secured: bool,
}

impl<D: Directory> Maildir<D> {
    pub(crate) fn open(disk: &impl Disk<Directory = D>, path: &Path) -> Result<Self, Failure> {
        make_parts(disk, path)?;
        Ok(Self {
            parts: Arc::new(Parts::open(disk, path)?),
            stem: stem(),
            host: escaped(&uname().nodename().to_string_lossy()),
            current: None,
            group: Vec::new(),
            removed: Ok(()),
        })
    }

    fn remove(&mut self, message: &Written<D::File>) {
        let removed = self.parts.remove(&message.name);
        if self.removed.is_ok() {
            self.removed = removed;
        }
    }

    /// Ends the group.
    pub(super) fn waiting(&mut self) -> Waiting<D> {
        Waiting {
            parts: Arc::clone(&self.parts),
            group: std::mem::take(&mut self.group),
            renamed: 0,
            is_secured: false,
        }
    }
}

impl<D: Directory> Delivery for Maildir<D> {
    fn stem(&self) -> &str {
        &self.stem
    }

    fn begin(&mut self, trace: &[u8]) -> Result<(), Failure> {
        // One count for all Maildirs of this process.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}Q{count}.{}", self.stem, self.host);
        let file = self.parts.tmp.create(name.as_ref());
        let file = file.map_err(|error| self.parts.cannot_write(&error))?;
        self.current = Some(Written {
            name,
            last: String::new(),
            file: Some(Arc::new(file)),
            octets: 0,
        });
        match trace {
            [] => Ok(()),
            trace => self.write(trace),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        if let Some(message) = &mut self.current
            && let Some(file) = &message.file
        {
            file.write(octets, message.octets)
                .map_err(|error| self.parts.cannot_write(&error))?;
            message.octets += octets.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self, (octets, with_crlf): (u64, u64)) -> Result<(), Failure> {
        if let Some(mut message) = self.current.take() {
            message.last = format!("{},S={octets},W={with_crlf}", message.name);
            self.group.push(message);
        }
        if self.parts.tmp.syncs() == Syncs::Together && self.group.len() > FEW {
            let messages = self.group.iter_mut().rev();
            messages
                .map_while(|message| message.file.take())
                .for_each(drop);
        }
        Ok(())
    }

    fn discard(&mut self) {
        if let Some(message) = self.current.take() {
            self.remove(&message);
        }
    }

    fn retain(&mut self, messages: usize) {
        self.discard();
        for message in self.group.split_off(messages.min(self.group.len())) {
            self.remove(&message);
        }
    }

    fn flush(&self) -> Option<Flush> {
        let file = Arc::clone(self.current.as_ref()?.file.as_ref()?);
        let parts = Arc::clone(&self.parts);
        Some(Box::new(move || {
            file.sync().map_err(|error| parts.cannot_write(&error))
        }))
    }

    fn seal(&mut self) -> Sealed {
        Sealed::Together(Box::new(self.waiting()))
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.retain(0);
        let removed = std::mem::replace(&mut self.removed, Ok(()));
        let removed = removed.and_then(|()| self.parts.tmp.sync());
        removed.map_err(|error| self.parts.cannot_write(&error))
    }

    fn one_at_a_time(&self) -> bool {
        false
    }

    fn messages(&self) -> usize {
        match self.parts.tmp.syncs() {
            Syncs::Together => usize::MAX,
            Syncs::Each => OPEN,
        }
    }
}

impl<D: Directory> Drop for Maildir<D> {
    fn drop(&mut self) {
        self.retain(0);
    }
}

impl<D: Directory> Waiting<D> {
    /// Syncs the octets of the group.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        let secured = self.secure_all();
        secured.map_err(|error| self.parts.cannot_write(&error))
    }

    /// Keeps the files in `tmp` from now on: they are secured, and may be in the
    /// journal. Returns the name of each message.
    pub(super) fn keep(&mut self) -> impl Iterator<Item = String> {
        self.is_secured = true;
        self.group.iter().map(|message| message.last.clone())
    }

    fn secure_all(&self) -> io::Result<()> {
        let tmp = &self.parts.tmp;
        if self.group.iter().any(|message| message.file.is_none()) {
            return tmp.sync_file_system();
        }
        self.sync_files()?;
        tmp.sync()
    }

    fn publish_all(&mut self) -> io::Result<()> {
        let Parts { tmp, new, .. } = &*self.parts;
        while let Some(message) = self.group.get(self.renamed) {
            tmp.rename(message.name.as_ref(), new, message.last.as_ref())?;
            self.renamed += 1;
        }
        match tmp.syncs() {
            Syncs::Together => tmp.sync().and_then(|()| new.sync()),
            Syncs::Each => {
                self.sync_files()?;
                new.sync().and_then(|()| tmp.sync())
            }
        }
    }

    fn sync_files(&self) -> io::Result<()> {
        let mut open = self
            .group
            .iter()
            .filter_map(|message| message.file.as_ref());
        open.try_for_each(|file| file.sync())
    }
}

impl<D: Directory> Publish for Waiting<D> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        self.sync()?;
        Ok(self.keep().collect())
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let published = self.publish_all();
        published.map_err(|error| self.parts.cannot_write(&error))
    }
}

impl<D: Directory> Drop for Waiting<D> {
    fn drop(&mut self) {
        if !self.is_secured {
            for message in &self.group {
                // If the file stays, the entry of this run stays in the journal
                // too.
                let _ = self.parts.remove(&message.name);
            }
        }
    }
}

impl<D: Directory> Parts<D> {
    fn open(disk: &impl Disk<Directory = D>, path: &Path) -> Result<Self, Failure> {
        let open = |part| {
            let part = path.join(part);
            let opened = disk.open(&part);
            opened.map_err(|error| Failure::cannot_open(&part, &error))
        };
        Ok(Self {
            path: path.to_owned(),
            tmp: open("tmp")?,
            new: open("new")?,
            cur: open("cur")?,
        })
    }

    /// Removes a file from `tmp`, without a sync.
    fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        ignore_missing(self.tmp.remove(name.as_ref()))
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        Failure::cannot_write(&self.path, error)
    }
}

pub(crate) fn recover<D: Disk>(
    disk: &D,
    path: &Path,
    stems: &[String],
    pending: &[Waits],
    now: i64,
) -> Result<Vec<bool>, Failure> {
    match disk.open(&path.join("tmp")) {
        // The Maildir is gone with all its messages.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(vec![false; pending.len()]);
        }
        _ => make_parts(disk, path)?,
    }
    let parts = Parts::open(disk, path)?;
    let recovered = parts.recover(stems, pending, &disk.boot(), now);
    recovered.map_err(|error| parts.cannot_write(&error))
}

impl<D: Directory> Parts<D> {
    fn recover(
        &self,
        stems: &[String],
        pending: &[Waits],
        boot: &str,
        now: i64,
    ) -> io::Result<Vec<bool>> {
        let Self { tmp, new, cur, .. } = self;
        // Sorted by name, so that names with the same prefix are together.
        let mut published = BTreeMap::new();
        if !pending.is_empty() {
            for part in [new, cur] {
                published.extend(part.names()?.into_iter().map(|name| (name, part)));
            }
        }
        let mut delivered = Vec::with_capacity(pending.len());
        for Waits {
            message,
            since,
            boot: at_boot,
        } in pending
        {
            let last = OsStr::new(&message.name);
            let name = OsStr::new(message.name.split(',').next().unwrap_or_default());
            let found = published
                .range::<OsStr, _>((Included(name), Unbounded))
                .next();
            let found = found.filter(|(found, _)| begins_with(found, name));
            let is_there = match found {
                Some((found, part)) => {
                    self.remove(name)?;
                    self.secure_name(part, found)?;
                    true
                }
                None => match tmp.rename(name, new, last) {
                    Ok(()) => {
                        self.secure_name(new, last)?;
                        true
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        let may_be_removed = now.saturating_sub(*since) >= TMP_KEPT;
                        let may_be_lost = !at_boot.is_empty() && at_boot != boot;
                        !may_be_removed && !may_be_lost
                    }
                    Err(error) => return Err(error),
                },
            };
            delivered.push(is_there);
        }
        for name in tmp.names()? {
            if stems.iter().any(|stem| begins_with(&name, stem.as_ref())) {
                self.remove(&name)?;
            }
        }
        for part in match tmp.syncs() {
            Syncs::Together => [tmp, new, cur],
            Syncs::Each => [new, cur, tmp],
        } {
            part.sync()?;
        }
        Ok(delivered)
    }

    /// Syncs the name of a message, on file systems where that needs its file.
    fn secure_name(&self, part: &D, name: &OsStr) -> io::Result<()> {
        match self.tmp.syncs() {
            Syncs::Together => Ok(()),
            // A mail reader may have moved it.
            Syncs::Each => ignore_missing(part.open(name).and_then(|file| file.sync())),
        }
    }
}

fn begins_with(name: &OsStr, with: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(with.as_encoded_bytes())
}

/// Creates a Maildir if there is nothing, an empty directory, or part of a Maildir.
fn make_parts<D: Disk>(disk: &D, path: &Path) -> Result<(), Failure> {
    let make = || {
        make_directories(disk, path)?;
        let mut others = disk.open(path)?.names()?;
        others.retain(|name| !PARTS.iter().any(|part| name == part));
        let is_whole = PARTS.iter().all(|part| disk.open(&path.join(part)).is_ok());
        if !is_whole && !others.is_empty() {
            return Ok(false);
        }
        for part in PARTS {
            make_directories(disk, &path.join(part))?;
        }
        // The run that created them may have been killed before it synced.
        disk.open(path)?.sync()?;
        open_parent(disk, path)?.0.sync()?;
        Ok(true)
    };
    match make().map_err(|error| Failure::cannot_open(path, &error))? {
        true => Ok(()),
        false => Err(Failure::new(
            Kind::CannotCreate,
            format_args!(
                "cannot deliver to the Maildir {}: it is a directory without tmp, new and cur, \
                 and not empty; name another directory, or create these three in it",
                path.display()
            ),
        )),
    }
}

fn stem() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Random, because processes in two containers may share all the rest.
    let random = RandomState::new().build_hasher().finish();
    format!(
        "{}.M{}P{}R{random:016x}",
        now.as_secs(),
        now.subsec_micros(),
        std::process::id()
    )
}

/// A host name, in the form allowed in file names of a Maildir.
fn escaped(host: &str) -> String {
    host.chars()
        .map(|char| match char {
            '/' => String::from("\\057"),
            ':' => String::from("\\072"),
            ',' => String::from("\\054"),
            char if char.is_control() => String::from("_"),
            char => char.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escapes_a_host_name() {
        assert_eq!(escaped("mail-1.a"), "mail-1.a");
        assert_eq!(escaped("a/b:c,d\te"), "a\\057b\\072c\\054d_e");
    }
}

//! Checks that the test finds a missing sync.
//!
//! strace lists the syncs of a fetch. Then the same fetch is recorded once for each
//! sync, and strace reports success for that sync without making it. If the
//! protocol needs the sync, some crash state of that record must be wrong.
//!
//! strace counts the calls of each thread separately. Without `-f` it sees only the
//! first thread; with it, the sync with that number is left out in every thread.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{
    campaign::lose,
    experiment::{Kind, Laboratory, Setup},
    mail,
    random::Random,
    states::Record,
};

/// A sync that the program makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sync {
    /// Whether the first thread makes it.
    is_first: bool,
    call: String,
    /// The number of the call in its thread.
    number: usize,
    /// The file or directory that is synced.
    path: String,
}

/// Syncs that a fetch does not need: the call, the path, and the reason.
const NOT_NEEDED: [(&str, &str, &str); 8] = [
    (
        "fsync",
        "journal.sqlite-journal",
        "nothing is delivered before the journal is made, and a torn one is made anew",
    ),
    (
        "fsync",
        "the directory of the journal",
        "on ext4, where the journal is, a new file brings its name along",
    ),
    (
        "fsync",
        "journal.sqlite-wal",
        "it makes the journal, or says what the next run finds out again",
    ),
    (
        "fsync",
        "journal.sqlite",
        "what a checkpoint copies is still in the log",
    ),
    (
        "fsync",
        "mail",
        "the first file that is synced below brings its directories along",
    ),
    (
        "fsync",
        "mail/Maildir/tmp",
        "another sync of this directory follows",
    ),
    (
        "fsync",
        "mail/Maildir/new",
        "that of tmp brings both names of a rename along, though POSIX does not say so",
    ),
    (
        "fsync",
        "mail/Maildir",
        "the first file that is synced below brings its directories along",
    ),
];

/// Each fetch needs at least one of these.
const SOME_NEEDED: [&str; 3] = ["journal.sqlite", "journal.sqlite-wal", "mail/Maildir/tmp"];

/// The evidence from crash states that a sync is needed, on any file system.
type Shown = BTreeMap<Site, Option<String>>;

/// The place where the program makes a sync. The program makes other syncs on FUSE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Site {
    on: &'static str,
    delivery: String,
    messages: &'static str,
    sync: Sync,
}

/// Leaves out each sync of the program once on each file system, until one shows
/// that it is needed. Returns the number of needed syncs that no state has shown to
/// be needed.
pub(crate) fn bite(
    laboratories: &mut [Laboratory],
    kinds: &[Kind],
    states: usize,
    seed: u64,
) -> anyhow::Result<usize> {
    let mut shown = Shown::new();
    for kind in kinds.iter().filter(|kind| kind.delete) {
        for messages in [Messages::Few, Messages::Many, Messages::Large] {
            let setup = messages.setup(*kind, &mut Random::new(&[seed]));
            let site = |sync| Site {
                on: match kind.file_system.is_fuse() {
                    true => "FUSE",
                    false => "disks",
                },
                delivery: kind.delivery.to_string(),
                messages: messages.name(),
                sync,
            };
            let Some(laboratory) = laboratories.first() else {
                anyhow::bail!("nowhere to try it")
            };
            let (record, _) = laboratory.record(&setup, &[])?;
            let wrong = first_wrong(laboratory, &setup, &record, states, seed)?;
            anyhow::ensure!(
                wrong.is_none(),
                "{setup}: wrong although no sync is left out: {}",
                wrong.unwrap_or_default()
            );
            let mut syncs = list(laboratory, &setup)?;
            syncs.retain(|sync| !matches!(shown.get(&site(sync.clone())), Some(Some(_))));
            for (sync, wrong) in try_without(laboratories, &setup, syncs, states, seed)? {
                let wrong = wrong.map(|wrong| format!("{wrong} on {}", kind.file_system));
                shown.insert(site(sync), wrong);
            }
        }
    }
    println!("| on    | delivery | messages | left out | shown by |");
    println!("|-------|----------|---------:|----------|----------|");
    let mut not_shown = 0;
    for (site, wrong) in &shown {
        let is_kin = |other: &Site| {
            Site {
                sync: site.sync.clone(),
                ..other.clone()
            } == *site
                && other.sync.path == site.sync.path
        };
        let some_shown = shown
            .iter()
            .any(|(other, wrong)| is_kin(other) && wrong.is_some());
        let excused = some_shown || !SOME_NEEDED.contains(&site.sync.path.as_str());
        let why_not_needed = site.sync.why_not_needed().filter(|_| excused);
        let found = match (wrong, why_not_needed) {
            (Some(wrong), _) => wrong.clone(),
            (None, Some(why)) => format!("not needed: {why}"),
            (None, None) => {
                not_shown += 1;
                format!("none of {states} states")
            }
        };
        println!("| {site} | {found} |");
    }
    Ok(not_shown)
}

/// Leaves out each sync once, in all laboratories in parallel.
fn try_without(
    laboratories: &mut [Laboratory],
    setup: &Setup,
    syncs: BTreeSet<Sync>,
    states: usize,
    seed: u64,
) -> anyhow::Result<Vec<(Sync, Option<String>)>> {
    let to_do = Mutex::new(syncs);
    let next = || {
        let mut syncs = to_do.lock().unwrap_or_else(PoisonError::into_inner);
        syncs.pop_first()
    };
    let work = |laboratory: &Laboratory| {
        let mut done = Vec::new();
        while let Some(sync) = next() {
            let record = without(laboratory, setup, &sync)?;
            let wrong = first_wrong(laboratory, setup, &record, states, seed)?;
            let said = wrong.as_deref().unwrap_or("nothing wrong");
            eprintln!("{setup}; without {sync}: {said}");
            done.push((sync, wrong));
        }
        anyhow::Ok(done)
    };
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for laboratory in laboratories {
            let work = &work;
            workers.push(scope.spawn(move || work(laboratory)));
        }
        let mut done = Vec::new();
        for worker in workers {
            let worker = worker.join();
            done.extend(worker.map_err(|_| anyhow::anyhow!("a worker thread panicked"))??);
        }
        Ok(done)
    })
}

/// The messages of a group, on which its syncs depend.
#[derive(Clone, Copy, Debug)]
enum Messages {
    Few,
    Many,
    Large,
}

impl Messages {
    fn name(self) -> &'static str {
        match self {
            Self::Few => "3",
            Self::Many => "20",
            Self::Large => "1 large",
        }
    }

    fn setup(self, kind: Kind, random: &mut Random) -> Setup {
        let mut messages = mail::draw(random, 0, matches!(self, Self::Large));
        while matches!(self, Self::Many) && messages.len() < 20 {
            messages = mail::draw(random, 0, false);
        }
        let place = messages.iter().position(|it| it.octets.len() > 9 << 20);
        let messages = messages.into_iter().skip(place.unwrap_or_default());
        let most = match self {
            Self::Few => 3,
            Self::Many => 20,
            Self::Large => 1,
        };
        Setup {
            kind,
            // On a shared disk, the syncs of the journal also sync other files.
            journal_apart: true,
            // Once with a mailbox that exists, and once with one that the program
            // creates.
            has_foreign: !matches!(self, Self::Few),
            arrivals: [messages.take(most).collect(), Vec::new()],
            neighbour: None,
            is_large: matches!(self, Self::Large),
        }
    }
}

impl Sync {
    fn why_not_needed(&self) -> Option<&'static str> {
        let found = NOT_NEEDED
            .iter()
            .find(|(call, path, _)| *call == self.call && *path == self.path);
        found.map(|(_, _, why)| *why)
    }
}

const CALLS: &str = "fsync,fdatasync,syncfs,sync_file_range,sync,msync";

/// Lists the syncs of a fetch.
fn list(laboratory: &Laboratory, setup: &Setup) -> anyhow::Result<BTreeSet<Sync>> {
    let list = laboratory.scratch().join("syncs");
    let trace = format!("trace={CALLS}");
    let under = ["strace", "-f", "-y", "-qq", "-e", &trace, "-o"];
    let mut under: Vec<String> = under.map(String::from).to_vec();
    under.push(list.display().to_string());
    laboratory.record(setup, &under)?;
    let text = fs::read_to_string(&list)?;
    fs::remove_file(&list)?;
    let first = text.split_whitespace().next().unwrap_or_default();
    let mut syncs: Vec<(&str, Sync)> = Vec::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let Some((call, rest)) = call.trim_start().split_once('(') else {
            continue;
        };
        let path = rest.split(['<', '>']).nth(1).unwrap_or_default();
        let of_thread = syncs
            .iter()
            .filter(|(by, sync)| *by == thread && sync.call == call);
        let sync = Sync {
            is_first: thread == first,
            call: call.to_owned(),
            number: of_thread.count() + 1,
            path: shortened(path, laboratory.scratch()),
        };
        syncs.push((thread, sync));
    }
    Ok(syncs.into_iter().map(|(_, sync)| sync).collect())
}

/// Removes the parts of a path that differ from run to run.
fn shortened(path: &str, scratch: &Path) -> String {
    let path = path.strip_prefix(&*scratch.to_string_lossy());
    let path = path.unwrap_or_default().trim_start_matches(['/', '0', '1']);
    for place in ["mail/Maildir/tmp/", "mail/Maildir/new/", "mail/inbox.lock."] {
        if path.starts_with(place) {
            return format!("{place}…");
        }
    }
    match path {
        "" => String::from("the directory of the journal"),
        path => path.to_owned(),
    }
}

/// Records a fetch without this sync.
fn without(laboratory: &Laboratory, setup: &Setup, sync: &Sync) -> anyhow::Result<Record> {
    let Sync { call, number, .. } = sync;
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:retval=0:when={number}");
    let follow = if sync.is_first { "-qq" } else { "-f" };
    let under = [
        "strace",
        follow,
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    let (record, _) = laboratory.record(setup, &under.map(String::from))?;
    Ok(record)
}

/// Returns the first wrong crash state, and what is wrong with it.
fn first_wrong(
    laboratory: &Laboratory,
    setup: &Setup,
    record: &Record,
    states: usize,
    seed: u64,
) -> anyhow::Result<Option<String>> {
    for state in 0..states {
        let mut random = Random::new(&[seed, state as u64]);
        let tried = lose(laboratory, setup, record, &mut random)?;
        if let Some((_, wrong)) = tried.iter().find(|(_, wrong)| !wrong.is_nothing()) {
            return Ok(Some(format!("{} in state {state}", wrong.kinds())));
        }
    }
    Ok(None)
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = if self.is_first {
            "first thread"
        } else {
            "committer"
        };
        write!(
            f,
            "{thread}: {} {} of {}",
            self.call, self.number, self.path
        )
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            on,
            delivery,
            messages,
            sync,
        } = self;
        write!(f, "{on:<5} | {delivery:<8} | {messages:>8} | {sync}")
    }
}

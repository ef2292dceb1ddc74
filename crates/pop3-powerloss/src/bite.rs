//! Whether the test finds a sync that is left out.
//!
//! strace lists the syncs of a fetch. Then the same fetch is recorded once for
//! each of them, and strace lets that one return success without being made. If
//! the protocol needs the sync, some crash state of that record must be wrong.
//!
//! strace counts the calls of each thread on its own. Without `-f` it sees the
//! first thread only; with it, the sync of that number is left out in each thread.

use std::{collections::BTreeSet, fmt, fs, path::Path};

use crate::{
    campaign::lose,
    experiment::{Kind, Laboratory, Setup},
    mail,
    random::Random,
    states::Record,
};

/// A sync of the program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sync {
    /// By the first thread.
    is_first: bool,
    call: String,
    /// The number among the calls of this thread.
    number: usize,
    /// Of what.
    path: String,
}

/// Which syncs a fetch can do without, and why.
const NOT_NEEDED: [(&str, &str); 0] = [];

/// Leaves out each sync of the program once. Gives how many of those that are
/// needed no crash state has shown.
pub(crate) fn bite(
    laboratory: &Laboratory,
    kinds: &[Kind],
    states: usize,
    seed: u64,
) -> anyhow::Result<usize> {
    let mut not_shown = 0;
    println!("| file system | delivery | messages | left out | shown by |");
    println!("|-------------|----------|---------:|----------|----------|");
    for kind in kinds.iter().filter(|kind| kind.delete) {
        for messages in [Messages::Few, Messages::Many, Messages::Large] {
            let setup = messages.setup(*kind, &mut Random::new(&[seed]));
            let say = |what: &dyn fmt::Display, shown: &str| {
                let [file_system, delivery] =
                    [kind.file_system.to_string(), kind.delivery.to_string()];
                println!(
                    "| {file_system:<11} | {delivery:<8} | {messages:>8} | {what} | {shown} |"
                );
            };
            let (record, _) = laboratory.record(&setup, &[])?;
            if let Some(wrong) = first_wrong(laboratory, &setup, &record, states, seed)? {
                say(&"nothing", &wrong);
                not_shown += 1;
                continue;
            }
            for sync in list(laboratory, &setup)? {
                let record = without(laboratory, &setup, &sync)?;
                let wrong = first_wrong(laboratory, &setup, &record, states, seed)?;
                let shown = match (wrong, sync.why_not_needed()) {
                    (Some(wrong), _) => wrong,
                    (None, Some(why)) => format!("not needed: {why}"),
                    (None, None) => {
                        not_shown += 1;
                        format!("none of {states} states")
                    }
                };
                say(&sync, &shown);
            }
        }
    }
    Ok(not_shown)
}

/// Syncs differ with the messages of a group.
#[derive(Clone, Copy, Debug)]
enum Messages {
    Few,
    Many,
    Large,
}

impl Messages {
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
            // On one disk the syncs of the journal stand in for others.
            journal_apart: true,
            // A place that is there, and one that the program makes.
            has_foreign: !matches!(self, Self::Few),
            arrivals: [messages.take(most).collect(), Vec::new()],
            neighbour: None,
            is_large: matches!(self, Self::Large),
        }
    }
}

impl Sync {
    fn why_not_needed(&self) -> Option<&'static str> {
        let shown = format!("{} {}", self.call, self.path);
        let found = NOT_NEEDED.iter().find(|(sync, _)| *sync == shown);
        found.map(|(_, why)| *why)
    }
}

const CALLS: &str = "fsync,fdatasync,syncfs,sync_file_range,sync,msync";

/// The syncs of a fetch.
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

/// Without what differs from run to run.
fn shortened(path: &str, scratch: &Path) -> String {
    let path = path.strip_prefix(&*scratch.to_string_lossy());
    let path = path.unwrap_or_default().trim_start_matches(['/', '0', '1']);
    match path.split_once("/Maildir/tmp/") {
        Some(_) => String::from("mail/Maildir/tmp/…"),
        None => path.to_owned(),
    }
}

/// A fetch that lacks this sync.
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

/// The first crash state that is wrong, and how.
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

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Few => "3",
            Self::Many => "20",
            Self::Large => "1 large",
        })
    }
}

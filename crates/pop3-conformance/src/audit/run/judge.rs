//! From what a client did to a verdict.

use super::{
    Takes,
    difference::{difference, goes_on},
    stored::{Likeness, Store, likeness, shares_a_line},
    watch::End,
};
use crate::audit::{
    log::{Command, Log},
    scenario::{Message, Scenario, Transport},
};

/// What a client did in one run of a scenario.
pub(super) struct Run {
    pub(super) end: End,
    /// What it wrote to standard error, or else to standard output, unless that
    /// is mail.
    pub(super) said: Vec<u8>,
    pub(super) logs: Vec<Log>,
    /// What lies where it stores, of this run and those before; or what it
    /// wrote to standard output.
    pub(super) stored: Vec<Vec<u8>>,
    /// A file that lies where a unique-id, taken for a path, leads.
    pub(super) escaped: bool,
    /// Whether it was started to insist on STLS.
    pub(super) transport: Transport,
}

/// How a client came through a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// What it stored is right, or it refused where it may.
    Correct,
    /// Nothing is lost, but it stored again what it had stored before.
    Warn,
    /// It ended with status 0, and neither stored nor deleted a message that it
    /// was to fetch: nobody is told.
    Silent,
    /// What it stored differs from what was sent.
    Lossy,
    /// It deleted what it did not store, took a part for the whole, went on in
    /// the clear, went round in circles or grew without end.
    Dangerous,
}

/// A fault, and how bad it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) verdict: Verdict,
    pub(super) what: String,
    /// The run that showed it first, from 0.
    pub(super) run: usize,
}

/// The faults of all runs, the worst first.
pub(super) fn judge(scenario: &Scenario, runs: &[Run], store: &Store, takes: Takes) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let mut fault = |verdict, what: String| {
            if !faults.iter().any(|known| known.what == what) {
                faults.push(Fault {
                    verdict,
                    what,
                    run: at,
                });
            }
        };
        ended(run, &mut fault);
        spoke(scenario, run, &mut fault);
        mail(scenario, &runs[..=at], store, takes, &mut fault);
        if at + 1 == runs.len() && !run.succeeded() && !scenario.may_refuse {
            missing(scenario, runs, store, takes, &mut fault);
        }
    }
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.verdict));
    faults
}

fn ended(run: &Run, fault: &mut impl FnMut(Verdict, String)) {
    let what = match run.end {
        End::Exited(_) | End::Waiting => None,
        End::Killed(signal) => Some(format!("it crashed (signal {signal})")),
        End::Time => Some("it did not end, though it had nothing to wait for".to_owned()),
        End::Grew => Some("what it wrote grew past the limit".to_owned()),
        End::Swallowed => {
            Some("it kept all of an endless line: its memory has no limit".to_owned())
        }
        End::Loops => Some("it sent commands without end".to_owned()),
    };
    if let Some(what) = what {
        fault(Verdict::Dangerous, what);
    }
    if run.escaped {
        fault(
            Verdict::Dangerous,
            "it made a file where a unique-id led it".to_owned(),
        );
    }
}

fn spoke(scenario: &Scenario, run: &Run, fault: &mut impl FnMut(Verdict, String)) {
    for command in run.logs.iter().flat_map(Log::commands) {
        let never = scenario.never.iter();
        if never.clone().any(|words| command.begins_with(words)) {
            let shown = command.shown();
            fault(
                Verdict::Dangerous,
                format!("it sent {shown}, which it must not"),
            );
        }
        if scenario.lockstep && command.early {
            let shown = command.shown();
            let what = format!("it sent {shown} before its last command was answered");
            fault(Verdict::Dangerous, what);
        }
    }
    let in_clear = |command: &&Command| command.is_login() && !command.tls;
    if run.transport == Transport::Stls
        && let Some(command) = run.logs.iter().flat_map(Log::commands).find(in_clear)
    {
        let shown = command.shown();
        fault(
            Verdict::Dangerous,
            format!("it went on in the clear: {shown}"),
        );
    }
}

/// What the last of these runs has made of the messages.
fn mail(
    scenario: &Scenario,
    runs: &[Run],
    store: &Store,
    takes: Takes,
    fault: &mut impl FnMut(Verdict, String),
) {
    let success = runs.last().is_some_and(Run::succeeded);
    let (likenesses, others) = assign(&scenario.messages, &stored(runs, store));
    let deleted = deleted(runs);
    for (at, (message, found)) in scenario.messages.iter().zip(&likenesses).enumerate() {
        let number = at + 1;
        if deleted.contains(&number) && found.as_ref().is_none_or(Found::is_cut) {
            let what = format!("it deleted message {number}, which it does not have");
            fault(Verdict::Dangerous, what);
        }
        let likeness = found.as_ref().map(|found| found.likeness);
        let differs = || found.as_ref().map_or("", |found| &found.differs);
        match (message.whole, likeness) {
            (true, Some(Likeness::Same)) => {}
            (true, Some(Likeness::Altered)) => {
                let what = format!("it stored message {number} altered: {}", differs());
                fault(Verdict::Lossy, what);
            }
            (true, Some(Likeness::Cut)) => {
                let differs = differs();
                let what = match found.as_ref().is_some_and(|found| found.goes_on) {
                    true => format!("it stored more than message {number}: {differs}"),
                    false => format!("it stored only a part of message {number}: {differs}"),
                };
                fault(Verdict::Lossy, what);
            }
            // As an mbox has it whose message was never written.
            (false, Some(_)) if found.as_ref().is_some_and(|found| found.is_empty) => {
                let what = format!("it left an empty message in place of message {number}");
                fault(Verdict::Lossy, what);
            }
            (false, Some(_)) if success => {
                let what = format!("it took a part of message {number} for the whole");
                fault(Verdict::Dangerous, what);
            }
            (false, Some(_)) => {
                let what = format!("it left a part of message {number} as if it were mail");
                fault(Verdict::Lossy, what);
            }
            (_, None) if success && is_wanted(message, number, takes) => {
                let what = format!("it ended well without message {number}");
                fault(Verdict::Silent, what);
            }
            (_, None) => {}
        }
    }
    let beyond = |number: &&usize| **number > scenario.messages.len();
    if let Some(number) = deleted.iter().find(beyond) {
        let what = format!("it deleted message {number}, which it never had");
        fault(Verdict::Dangerous, what);
    }
    let new = new(runs);
    for other in others {
        let message = scenario.messages.iter().find(|message| is(&other, message));
        let copies = |message: &Message| new.iter().filter(|new| is(new, message)).count();
        match message.map(copies) {
            None => fault(Verdict::Lossy, "it stored mail that nobody sent".to_owned()),
            // An earlier run stored it.
            Some(0) => {}
            Some(1) => fault(Verdict::Warn, "it stored a message again".to_owned()),
            Some(_) => fault(Verdict::Lossy, "it stored a message twice".to_owned()),
        }
    }
}

/// What the client failed to fetch in all these runs, and was to fetch.
fn missing(
    scenario: &Scenario,
    runs: &[Run],
    store: &Store,
    takes: Takes,
    fault: &mut impl FnMut(Verdict, String),
) {
    let (likenesses, _) = assign(&scenario.messages, &stored(runs, store));
    for (at, (message, found)) in scenario.messages.iter().zip(likenesses).enumerate() {
        let number = at + 1;
        if found.is_none() && message.whole && is_wanted(message, number, takes) {
            let what = format!("it did not store message {number}");
            fault(Verdict::Lossy, what);
        }
    }
}

/// Whether a client that fetches these is to fetch this one.
const fn is_wanted(message: &Message, number: usize, takes: Takes) -> bool {
    !message.hidden
        && match takes {
            Takes::All => true,
            Takes::First => number == 1,
        }
}

impl Run {
    fn succeeded(&self) -> bool {
        self.end == End::Exited(0)
    }
}

/// What counts as stored after these runs.
fn stored(runs: &[Run], store: &Store) -> Vec<Vec<u8>> {
    let Some(last) = runs.last() else {
        return Vec::new();
    };
    if *store != Store::Stdout {
        return last.stored.clone();
    }
    // Who writes to a pipe cannot take back what is written: the status says
    // that it does not count. And to show a message again is not to store it
    // again.
    let mut shown: Vec<Vec<u8>> = Vec::new();
    for octets in runs
        .iter()
        .filter(|run| run.succeeded())
        .flat_map(|run| &run.stored)
    {
        if !shown.contains(octets) {
            shown.push(octets.clone());
        }
    }
    shown
}

/// What the last of these runs has added to what was stored.
fn new(runs: &[Run]) -> Vec<Vec<u8>> {
    let [before @ .., last] = runs else {
        return Vec::new();
    };
    let mut before = before
        .last()
        .map_or_else(Vec::new, |run| run.stored.clone());
    let mut new = last.stored.clone();
    new.retain(|octets| {
        let known = before.iter().position(|before| before == octets);
        known.map(|at| before.remove(at)).is_none()
    });
    new
}

fn is(stored: &[u8], message: &Message) -> bool {
    let mut right = message.stored.iter();
    right.any(|one| likeness(stored, one) == Likeness::Same)
}

/// What these octets are to the message, by what they are most like.
fn closest(stored: &[u8], message: &Message) -> Option<Found> {
    let right = message.stored.iter();
    let (likeness, one) = right
        .map(|one| (likeness(stored, one), one))
        .min_by_key(|(likeness, _)| *likeness)?;
    Some(Found {
        likeness,
        is_empty: stored.is_empty(),
        goes_on: goes_on(stored, one),
        differs: difference(stored, one),
    })
}

/// What is stored of a message.
struct Found {
    likeness: Likeness,
    /// Whether nothing is there but the place for it.
    is_empty: bool,
    /// Whether more than the message is there.
    goes_on: bool,
    /// Where it differs from the message, in words.
    differs: String,
}

impl Found {
    /// Whether some of the message is not there.
    fn is_cut(&self) -> bool {
        self.likeness == Likeness::Cut && !self.goes_on
    }
}

/// What is stored of each message, and what else is stored.
fn assign(messages: &[Message], stored: &[Vec<u8>]) -> (Vec<Option<Found>>, Vec<Vec<u8>>) {
    let mut rest: Vec<&Vec<u8>> = stored.iter().collect();
    let mut found: Vec<Option<Found>> = messages
        .iter()
        .map(|message| {
            let at = rest.iter().position(|stored| is(stored, message))?;
            rest.remove(at);
            Some(Found {
                likeness: Likeness::Same,
                is_empty: false,
                goes_on: false,
                differs: String::new(),
            })
        })
        .collect();
    for (message, found) in messages.iter().zip(&mut found) {
        let from = |stored: &&Vec<u8>| {
            messages.len() == 1 || message.stored.iter().any(|one| shares_a_line(stored, one))
        };
        if found.is_none()
            && let Some(at) = rest.iter().position(from)
        {
            *found = closest(rest.remove(at), message);
        }
    }
    (found, rest.into_iter().cloned().collect())
}

/// The messages that DELE named, unless RSET took it back, by their numbers in
/// the scenario.
fn deleted(runs: &[Run]) -> Vec<usize> {
    let mut all = Vec::new();
    for log in runs.iter().flat_map(|run| &run.logs) {
        let mut deleted = Vec::new();
        for command in log.commands() {
            match &command.words()[..] {
                [verb, number, ..] if verb == "DELE" => deleted.extend(number.parse::<usize>()),
                [verb] if verb == "RSET" => deleted.clear(),
                _ => {}
            }
        }
        let numbers = deleted.into_iter();
        all.extend(numbers.map(|number| log.maildrop.number_in_scenario(number)));
    }
    all
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Warn => "warn",
            Self::Silent => "silent",
            Self::Lossy => "lossy",
            Self::Dangerous => "dangerous",
        }
    }
}

#[cfg(test)]
mod tests;

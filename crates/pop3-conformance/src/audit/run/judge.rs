//! Judges what a client did.

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
    /// Its output on standard error, or else on standard output if that is not
    /// mail.
    pub(super) said: Vec<u8>,
    pub(super) logs: Vec<Log>,
    /// The mail in its store, from this and earlier runs; or its standard output.
    pub(super) stored: Vec<Vec<u8>>,
    /// Whether there is a file at a path that a unique-id gave.
    pub(super) escaped: bool,
    /// Whether it was started so that it requires STLS.
    pub(super) transport: Transport,
}

/// The verdict on a client in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It stored the mail correctly, or refused where it may refuse.
    Correct,
    /// It lost nothing, but stored a message again.
    Warn,
    /// It ended with status 0, and neither stored nor deleted a message that it
    /// should have fetched, so the user does not notice.
    Silent,
    /// The stored mail differs from the mail that was sent.
    Lossy,
    /// It deleted a message that it did not store, took part of a message for the
    /// whole, continued without TLS, did not end, or exceeded a limit.
    Dangerous,
}

/// A fault and its severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) verdict: Verdict,
    pub(super) what: String,
    /// The run that showed it first, counted from 0.
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
        End::Grew => Some("its output or files exceeded the limit".to_owned()),
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
            "it made a file at a path that a unique-id gave".to_owned(),
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
            format!("it continued without TLS: {shown}"),
        );
    }
}

/// Judges what the last of these runs did with the messages.
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
            // An mbox looks like this if its message was never written.
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
            None => fault(
                Verdict::Lossy,
                "it stored mail that was never sent".to_owned(),
            ),
            // An earlier run stored it.
            Some(0) => {}
            Some(1) => fault(Verdict::Warn, "it stored a message again".to_owned()),
            Some(_) => fault(Verdict::Lossy, "it stored a message twice".to_owned()),
        }
    }
}

/// The messages that the client should have fetched, but did not fetch in any run.
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

/// Whether a client that fetches `takes` should fetch this message.
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

/// The messages that count as stored after these runs.
fn stored(runs: &[Run], store: &Store) -> Vec<Vec<u8>> {
    let Some(last) = runs.last() else {
        return Vec::new();
    };
    if *store != Store::Stdout {
        return last.stored.clone();
    }
    // A client cannot take back what it wrote to a pipe: if the exit status is not
    // 0, it does not count. And showing a message again is not storing it again.
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

/// The messages that the last of these runs stored.
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

/// Compares octets with the form of the message that they match best.
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

/// The stored form of a message.
struct Found {
    likeness: Likeness,
    /// Whether only an empty place for it is stored.
    is_empty: bool,
    /// Whether more than the message is stored.
    goes_on: bool,
    /// The difference from the message, in words.
    differs: String,
}

impl Found {
    /// Whether part of the message is missing.
    fn is_cut(&self) -> bool {
        self.likeness == Likeness::Cut && !self.goes_on
    }
}

/// Assigns stored mail to messages. Returns the stored form of each message, and
/// the rest.
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

/// The messages that DELE marked, unless RSET unmarked them, by their numbers in
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
    /// The word for the verdict.
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

//! From what a client did to a verdict.

use super::{
    Takes,
    stored::{Likeness, Store, likeness, shares_a_line},
    watch::End,
};
use crate::audit::{
    log::{Command, Log},
    scenario::{Message, Scenario, Transport},
};

/// What a client did in a scenario.
pub(super) struct Run {
    pub(super) end: End,
    pub(super) stderr: Vec<u8>,
    pub(super) logs: Vec<Log>,
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
}

/// The faults of a run, the worst first.
pub(super) fn judge(scenario: &Scenario, run: &Run, store: &Store, takes: Takes) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |verdict, what: String| faults.push(Fault { verdict, what });
    ended(run, &mut fault);
    spoke(scenario, run, &mut fault);
    mail(scenario, run, store, takes, &mut fault);
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

fn mail(
    scenario: &Scenario,
    run: &Run,
    store: &Store,
    takes: Takes,
    fault: &mut impl FnMut(Verdict, String),
) {
    let success = run.end == End::Exited(0);
    // Who writes to a pipe cannot take back what is written: the status says
    // that it does not count.
    let stored: &[Vec<u8>] = match (store, success) {
        (Store::Stdout, false) => &[],
        _ => &run.stored,
    };
    let (likenesses, others) = assign(&scenario.messages, stored);
    let deleted = deleted(&run.logs);
    let wanted = match takes {
        Takes::All => scenario.messages.len(),
        Takes::First => 1,
    };
    for (at, (message, found)) in scenario.messages.iter().zip(&likenesses).enumerate() {
        let number = at + 1;
        if deleted.contains(&number) && matches!(found, None | Some(Likeness::Cut)) {
            let what = format!("it deleted message {number}, which it does not have");
            fault(Verdict::Dangerous, what);
        }
        if (number > wanted || message.hidden) && found.is_none() {
            continue;
        }
        match (message.whole, found) {
            (true, Some(Likeness::Same)) => {}
            (true, Some(Likeness::Altered)) => {
                let what = format!("it stored message {number} altered");
                fault(Verdict::Lossy, what);
            }
            (true, Some(Likeness::Cut)) => {
                let what = format!("it stored only a part of message {number}");
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
            (_, None) if success => {
                let what = format!("it ended well without message {number}");
                fault(Verdict::Lossy, what);
            }
            (true, None) if !scenario.may_refuse => {
                let what = format!("it did not store message {number}");
                fault(Verdict::Lossy, what);
            }
            (_, None) => {}
        }
    }
    let beyond = |number: &&usize| **number > scenario.messages.len();
    if let Some(number) = deleted.iter().find(beyond) {
        let what = format!("it deleted message {number}, which it never had");
        fault(Verdict::Dangerous, what);
    }
    for other in others {
        let again = scenario.messages.iter().any(|message| is(&other, message));
        let what = match again {
            true => "it stored a message twice",
            false => "it stored mail that nobody sent",
        };
        fault(Verdict::Lossy, what.to_owned());
    }
}

fn is(stored: &[u8], message: &Message) -> bool {
    best(stored, message) == Likeness::Same
}

fn best(stored: &[u8], message: &Message) -> Likeness {
    let likenesses = message.stored.iter().map(|one| likeness(stored, one));
    likenesses.min().unwrap_or(Likeness::Cut)
}

/// What is stored of each message, and what else is stored.
fn assign(messages: &[Message], stored: &[Vec<u8>]) -> (Vec<Option<Likeness>>, Vec<Vec<u8>>) {
    let mut rest: Vec<&Vec<u8>> = stored.iter().collect();
    let mut found: Vec<Option<Likeness>> = messages
        .iter()
        .map(|message| {
            let at = rest.iter().position(|stored| is(stored, message))?;
            rest.remove(at);
            Some(Likeness::Same)
        })
        .collect();
    for (message, found) in messages.iter().zip(&mut found) {
        let from = |stored: &&Vec<u8>| {
            messages.len() == 1 || message.stored.iter().any(|one| shares_a_line(stored, one))
        };
        if found.is_none()
            && let Some(at) = rest.iter().position(from)
        {
            *found = Some(best(rest.remove(at), message));
        }
    }
    (found, rest.into_iter().cloned().collect())
}

/// The numbers that DELE named, unless RSET took it back.
fn deleted(logs: &[Log]) -> Vec<usize> {
    let mut all = Vec::new();
    for log in logs {
        let mut deleted = Vec::new();
        for command in log.commands() {
            match &command.words()[..] {
                [verb, number, ..] if verb == "DELE" => deleted.extend(number.parse::<usize>()),
                [verb] if verb == "RSET" => deleted.clear(),
                _ => {}
            }
        }
        all.extend(deleted);
    }
    all
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Lossy => "lossy",
            Self::Dangerous => "dangerous",
        }
    }
}

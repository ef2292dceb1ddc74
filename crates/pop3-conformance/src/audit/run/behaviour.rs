//! Compares a client's commands with the statements that bind clients: syntax,
//! order, state, and whether Outlook would send them.

use std::collections::BTreeMap;

use crate::{
    Id,
    audit::log::{Command, Entry, Log, State},
};

/// The observations about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of times it was kept.
    pub(super) kept: usize,
    /// The first commands that broke it, each with its scenario.
    pub(super) broken: Vec<String>,
    pub(super) times_broken: usize,
}

/// The most examples of a broken statement.
const EXAMPLES_MAX: usize = 5;

/// Adds the observations of a connection. A client that tests whether the port
/// expects TLS sends no command.
pub(super) fn observe(scenario: &str, log: &Log, seen: &mut BTreeMap<Id, Seen>) {
    if asks_for_tls(log) {
        return;
    }
    let mut note = |id: Id, kept: bool, command: &Command| {
        let seen = seen.entry(id).or_default();
        if kept {
            seen.kept += 1;
            return;
        }
        seen.times_broken += 1;
        if seen.broken.len() < EXAMPLES_MAX {
            let state = match command.state {
                State::Greeting => "before the greeting",
                State::Authorization | State::Named => "in AUTHORIZATION",
                State::Transaction => "in TRANSACTION",
                State::Over => "after QUIT",
            };
            let example = format!("{scenario}: C: {} ({state})", command.shown());
            seen.broken.push(example);
        }
    };
    let mut before = Before::default();
    let mut answer = None;
    for entry in log.entries() {
        match entry {
            Entry::Sent(octets) => answer = octets.first().copied().or(answer),
            Entry::Command(command) if command.closed => {}
            Entry::Command(command) => {
                before.user_refused =
                    before.verb == "USER" && answer.is_some_and(|first| first != b'+');
                syntax(command, &mut note);
                order(command, &before, &mut note);
                let verb = command.words().into_iter().next().unwrap_or_default();
                before.user |= verb == "USER";
                before.verb = verb;
                answer = None;
            }
            _ => {}
        }
    }
}

/// Whether the first octets are those of a TLS handshake (RFC 8446 §5.1).
fn asks_for_tls(log: &Log) -> bool {
    let first = log.entries().iter().find_map(|entry| match entry {
        Entry::Command(command) => Some(command.line.as_slice()),
        _ => None,
    });
    first.is_some_and(|line| line.starts_with(b"\x16\x03"))
}

/// The state of a connection so far.
#[derive(Default)]
struct Before {
    verb: String,
    user: bool,
    /// Whether the last command was USER and the server refused it.
    user_refused: bool,
}

fn syntax(command: &Command, note: &mut impl FnMut(Id, bool, &Command)) {
    let words = command.words();
    let Some((verb, arguments)) = words.split_first() else {
        note(Id::C(3), false, command);
        return;
    };
    let line = &command.line;
    let printable = line.iter().all(|octet| (b' '..=b'~').contains(octet));
    note(Id::C(3), printable && command.crlf, command);
    let spaced = line.windows(2).any(|pair| pair == b"  ") || line.first() == Some(&b' ');
    // An argument may be a password, which may contain spaces.
    if verb != "PASS" {
        note(Id::C(4), !spaced && line.last() != Some(&b' '), command);
    }
    let bare = line.len() == verb.len();
    let number = |text: &String| text.parse::<u32>().is_ok_and(|number| number > 0);
    let one_number = matches!(arguments, [argument] if number(argument));
    match verb.as_str() {
        "QUIT" if command.state == State::Transaction => note(Id::C(30), bare, command),
        "QUIT" => note(Id::C(12), bare, command),
        "STAT" => note(Id::C(15), bare, command),
        "LIST" => note(Id::V(3), arguments.is_empty(), command),
        "RETR" => note(Id::V(4), one_number, command),
        "DELE" => note(Id::C(24), one_number, command),
        "NOOP" => note(Id::C(27), bare, command),
        "RSET" => note(Id::V(6), false, command),
        "TOP" => {
            let right = matches!(arguments, [message, lines]
                if number(message) && lines.parse::<u32>().is_ok());
            note(Id::C(32), right, command);
        }
        "UIDL" => note(Id::V(7), arguments.is_empty(), command),
        "USER" => note(Id::C(42), arguments.len() == 1, command),
        "PASS" => note(Id::C(46), !arguments.is_empty(), command),
        "APOP" => note(Id::V(8), false, command),
        _ => {}
    }
}

fn order(command: &Command, before: &Before, note: &mut impl FnMut(Id, bool, &Command)) {
    note(Id::C(1), true, command);
    let words = command.words();
    let verb = words.first().map_or("", String::as_str);
    let transaction = match verb {
        "STAT" => Some(Id::C(16)),
        "LIST" => Some(Id::C(18)),
        "RETR" => Some(Id::V(5)),
        "DELE" => Some(Id::C(25)),
        "NOOP" => Some(Id::C(28)),
        "TOP" => Some(Id::C(33)),
        "UIDL" => Some(Id::C(35)),
        _ => None,
    };
    if let Some(id) = transaction {
        let kept = command.state == State::Transaction;
        note(id, kept, command);
        note(Id::C(8), kept, command);
    }
    if command.is_login() {
        note(Id::C(7), true, command);
    } else if transaction.is_some() && command.state != State::Transaction {
        note(Id::C(7), false, command);
    }
    let authorization = matches!(command.state, State::Authorization | State::Named);
    match verb {
        // USER may even precede the greeting (C0043).
        "USER" => note(
            Id::C(43),
            authorization || command.state == State::Greeting,
            command,
        ),
        "PASS" => {
            note(Id::C(44), before.user, command);
            note(Id::C(47), command.state == State::Named, command);
        }
        _ => {}
    }
    if command.state == State::Named {
        note(Id::C(45), matches!(verb, "PASS" | "QUIT"), command);
    } else if before.user_refused {
        note(Id::C(45), verb != "PASS", command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_tls_handshake_for_a_command() {
        for (line, noted) in [(&b"\x16\x03\x01"[..], 0), (b"\x16\x02\x01", 1)] {
            let command = Command {
                line: line.to_vec(),
                crlf: false,
                state: State::Greeting,
                tls: false,
                early: false,
                closed: false,
            };
            let mut log = Log::default();
            log.entries.push(Entry::Command(command));
            let mut seen = BTreeMap::new();
            observe("scenario", &log, &mut seen);
            let broken = seen.get(&Id::C(3)).map_or(0, |seen| seen.times_broken);
            assert_eq!(broken, noted);
        }
    }
}

//! The messages that are still on a server, and the answers of a correct server.

use super::{
    log::State,
    scenario::{Scenario, Transport},
};

/// The messages that are still on the server of a scenario: all of them at first,
/// then those that no confirmed QUIT has removed. It outlives connections and runs.
///
/// Each session numbers the remaining messages from 1 (RFC 1939 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maildrop {
    /// The number of each message in the scenario.
    held: Vec<usize>,
    /// The number of messages in the scenario.
    all: usize,
}

impl Maildrop {
    /// A maildrop with every message of the scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let all = scenario.messages.len();
        Self {
            held: (1..=all).collect(),
            all,
        }
    }

    /// Whether no message is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Removes the messages that a session [removed](super::Server::removed).
    pub fn remove(&mut self, removed: &[usize]) {
        self.held.retain(|number| !removed.contains(number));
    }

    /// Whether every message of the scenario is there.
    pub(super) fn is_whole(&self) -> bool {
        self.held.len() == self.all
    }

    /// Converts a message-number of a session to the number in the scenario. A
    /// number without a message in the session has none in the scenario either.
    pub(super) fn number_in_scenario(&self, number: usize) -> usize {
        match number.checked_sub(1) {
            None => 0,
            Some(at) => match self.held.get(at) {
                Some(&number) => number,
                None => self.all.saturating_add(number - self.held.len()),
            },
        }
    }
}

/// The capabilities that CAPA announces unless a scenario says otherwise.
/// PIPELINING is not among them, so a client that sends ahead does so without
/// permission.
pub(super) fn capabilities(transport: Transport) -> Vec<String> {
    let mut capabilities = vec!["USER".to_owned(), "TOP".to_owned(), "UIDL".to_owned()];
    if transport == Transport::Stls {
        capabilities.push("STLS".to_owned());
    }
    capabilities
}

/// A body with a header and a last line, by which a truncated message is
/// distinguished from a changed one.
pub(super) fn framed(family: &str, number: usize, body: &[u8]) -> Vec<u8> {
    let header = format!(
        "From: Ada <ada@example.org>\r\nTo: Grace <grace@example.org>\r\n\
         Subject: {family} {number}\r\nMessage-ID: <{number}.{family}@example.org>\r\n\
         Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n"
    );
    let last = format!("This is the end of message {number}.\r\n");
    [header.as_bytes(), body, last.as_bytes()].concat()
}

/// The answer to a command, and the state after it.
pub(super) struct Answer {
    pub(super) octets: Vec<u8>,
    pub(super) state: State,
    pub(super) ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Nothing,
    /// The connection closes.
    Session,
    /// TLS begins.
    Clear,
}

impl Answer {
    fn line(text: impl AsRef<str>, state: State) -> Self {
        Self {
            octets: format!("{}\r\n", text.as_ref()).into_bytes(),
            state,
            ends: Ends::Nothing,
        }
    }
}

/// The answer by RFC 1939, RFC 2449 and RFC 2595, in a session that has marked the
/// message-numbers in `deleted`.
pub(super) fn answer(
    scenario: &Scenario,
    words: &[String],
    (state, tls): (State, bool),
    (maildrop, deleted): (&Maildrop, &[usize]),
) -> Answer {
    let refuse = |why: &str| Answer::line(format!("-ERR {why}"), state);
    let accept = |text: &str| Answer::line(format!("+OK {text}"), state);
    let spoken: Vec<&str> = words.iter().map(String::as_str).collect();
    let named = |number: usize| {
        let message = scenario.message(maildrop.number_in_scenario(number))?;
        (!deleted.contains(&number)).then_some((number, message))
    };
    let messages = || (1..=maildrop.held.len()).filter_map(named);
    let message = |number: &str| named(number.parse().ok()?);
    match (state, &spoken[..]) {
        (_, ["QUIT", ..]) => Answer {
            ends: Ends::Session,
            ..Answer::line("+OK bye", State::Over)
        },
        (_, ["CAPA"]) => {
            let announced = scenario.capabilities.iter();
            // STLS is available only once (RFC 2595 §4).
            let announced = announced.filter(|&tag| !tls || tag != "STLS");
            multi_line(announced.map(String::as_bytes), state)
        }
        (_, ["NOOP"]) => accept("nothing done"),
        (State::Authorization, ["STLS"]) if !tls && scenario.announces("STLS") => Answer {
            ends: Ends::Clear,
            ..accept("begin TLS")
        },
        (State::Authorization, ["USER", _, ..]) => Answer::line("+OK", State::Named),
        (State::Named, ["PASS", _, ..]) => Answer::line("+OK", State::Transaction),
        (State::Named, _) => answer(
            scenario,
            words,
            (State::Authorization, tls),
            (maildrop, deleted),
        ),
        (State::Transaction, ["STAT"]) => {
            let sizes = messages().filter_map(|(_, message)| message.size.parse().ok());
            let octets: u64 = sizes.fold(0, u64::saturating_add);
            accept(&format!("{} {octets}", messages().count()))
        }
        (State::Transaction, ["LIST"]) => {
            let lines = messages()
                .map(|(number, message)| format!("{number} {}", message.size).into_bytes());
            multi_line(lines, state)
        }
        (State::Transaction, ["UIDL"]) => {
            let lines = messages().map(|(number, message)| {
                [number.to_string().as_bytes(), b" ", &message.unique_id].concat()
            });
            multi_line(lines, state)
        }
        (State::Transaction, ["LIST", number]) => match message(number) {
            Some((number, message)) => accept(&format!("{number} {}", message.size)),
            None => refuse("no such message"),
        },
        (State::Transaction, ["UIDL", number]) => match message(number) {
            Some((number, message)) => Answer {
                octets: [
                    format!("+OK {number} ").as_bytes(),
                    &message.unique_id,
                    b"\r\n",
                ]
                .concat(),
                state,
                ends: Ends::Nothing,
            },
            None => refuse("no such message"),
        },
        (State::Transaction, ["RETR", number]) => match message(number) {
            Some((_, message)) => Answer {
                octets: message.reply(),
                state,
                ends: Ends::Nothing,
            },
            None => refuse("no such message"),
        },
        (State::Transaction, ["TOP", number, lines]) => match (message(number), lines.parse()) {
            (Some((_, message)), Ok(lines)) => Answer {
                octets: top(&message.reply(), lines),
                state,
                ends: Ends::Nothing,
            },
            _ => refuse("no such message"),
        },
        (State::Transaction, ["DELE", number]) => match message(number) {
            Some(_) => accept("marked"),
            None => refuse("no such message"),
        },
        (State::Transaction, ["RSET"]) => accept("unmarked"),
        _ => refuse("not now"),
    }
}

fn multi_line<L: AsRef<[u8]>>(lines: impl Iterator<Item = L>, state: State) -> Answer {
    let mut octets = b"+OK\r\n".to_vec();
    for line in lines {
        octets.extend_from_slice(line.as_ref());
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b".\r\n");
    Answer {
        octets,
        state,
        ends: Ends::Nothing,
    }
}

/// Cuts an answer to RETR after `lines` lines of the body.
fn top(reply: &[u8], lines: usize) -> Vec<u8> {
    let blank = reply.windows(4).position(|octets| octets == b"\r\n\r\n");
    let Some(body) = blank.map(|at| at + 4) else {
        return reply.to_vec();
    };
    let body_lines = reply[body..].split_inclusive(|&octet| octet == b'\n');
    let kept: usize = body_lines.take(lines).map(<[u8]>::len).sum();
    match reply[body + kept..].is_empty() {
        true => reply.to_vec(),
        false => [&reply[..body + kept], b".\r\n"].concat(),
    }
}

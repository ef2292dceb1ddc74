//! Clients that break one statement each.

use std::time::Instant;

use pop3_proto::{
    Command, MessageNumber, Profile,
    client::{ClientError, Config, DeleteProof, State},
};
use pop3_testkit::view::{self, ClientSession, ClientStep};

use crate::{
    checking::{Fault, Verdict, compare, found, passes},
    client::{Sessions, checks},
};

mod octets;
mod states;

/// What a fault can see.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    state: State,
    profile: &'a str,
    /// The lines so far, without line ends.
    lines: &'a [String],
    /// Whether the last reply was negative.
    is_refused: bool,
}

impl Seen<'_> {
    fn last(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }
}

/// A client's fault.
#[derive(Clone, Copy)]
pub(crate) struct Spoilt {
    config: fn(&mut Config),
    /// What it sends for a line.
    sends: fn(&Seen<'_>, &str) -> String,
    /// Lines that it sends though the session refuses them.
    forces: fn(&Seen<'_>, &str) -> bool,
    /// Lines that it does not send.
    omits: fn(&Seen<'_>, &str) -> bool,
    /// How it reads the server's octets.
    reads: fn(&Seen<'_>, &str) -> String,
    /// The state that it believes to be in.
    believes: fn(&Seen<'_>) -> State,
}

pub(crate) const SOUND: Spoilt = Spoilt {
    config: |_| {},
    sends: |_, line| line.to_owned(),
    forces: |_, _| false,
    omits: |_, _| false,
    reads: |_, octets| octets.to_owned(),
    believes: |seen| seen.state,
};

impl Sessions for Spoilt {
    fn begin(&self, mut config: Config, now: Instant) -> Box<dyn view::Client> {
        (self.config)(&mut config);
        Box::new(Client {
            profile: config.profile.name,
            inner: ClientSession::new(config, now),
            fault: *self,
            lines: Vec::new(),
            output: String::new(),
            number: None,
            is_refused: false,
        })
    }
}

/// The session of pop3-proto with a fault.
struct Client {
    profile: &'static str,
    inner: ClientSession,
    fault: Spoilt,
    lines: Vec<String>,
    output: String,
    /// The number of the message that needs a proof.
    number: Option<MessageNumber>,
    is_refused: bool,
}

impl Client {
    fn seen(&self) -> Seen<'_> {
        Seen {
            state: self.inner.session().state(),
            profile: self.profile,
            lines: &self.lines,
            is_refused: self.is_refused,
        }
    }

    /// Sends a command or not, whatever the session decides.
    fn take(
        &mut self,
        now: Instant,
        command: &Command<'_>,
        enqueue: impl FnOnce(&mut ClientSession) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut line = Vec::new();
        let is_line = command.encode(&mut line).is_ok();
        let line: String = line.iter().map(|&octet| char::from(octet)).collect();
        if (self.fault.omits)(&self.seen(), line.trim_end()) {
            return Err(ClientError::Busy);
        }
        let is_forced = (self.fault.forces)(&self.seen(), line.trim_end());
        let octets = match enqueue(&mut self.inner) {
            Ok(()) => view::Client::transmit(&mut self.inner, now),
            Err(_) if is_forced && is_line => line.bytes().collect(),
            Err(error) => return Err(error),
        };
        let octets: String = octets.iter().map(|&octet| char::from(octet)).collect();
        self.output += &(self.fault.sends)(&self.seen(), &octets);
        self.lines.push(line.trim_end().to_owned());
        Ok(())
    }
}

impl view::Client for Client {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.take(now, command, |sound| sound.enqueue(now, command))
    }

    fn enqueue_dele(&mut self, now: Instant, proof: DeleteProof) -> Result<(), ClientError> {
        let Some(number) = self.number.take() else {
            return Err(ClientError::ProofNeeded);
        };
        let command = Command::Dele(number);
        self.take(now, &command, |sound| sound.enqueue_dele(now, proof))
    }

    fn proof(&mut self, number: MessageNumber) -> Option<DeleteProof> {
        self.number = Some(number);
        Some(ClientSession::held(number))
    }

    fn state(&mut self) -> State {
        (self.fault.believes)(&self.seen())
    }

    fn transmit(&mut self, _: Instant) -> Vec<u8> {
        std::mem::take(&mut self.output)
            .chars()
            .map(|char| char as u8)
            .collect()
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let text: String = input.iter().map(|&octet| char::from(octet)).collect();
        self.is_refused = text.starts_with('-');
        let read = (self.fault.reads)(&self.seen(), &text);
        let octets: Vec<u8> = read.chars().map(|char| char as u8).collect();
        let (mut rest, mut said) = (&octets[..], Vec::new());
        let mut error = None;
        while !rest.is_empty() && error.is_none() {
            let heard = view::Client::handle_input(&mut self.inner, now, rest);
            rest = &rest[heard.consumed..];
            said.extend(heard.said);
            error = heard.error;
        }
        ClientStep {
            consumed: input.len(),
            said,
            error,
        }
    }
}

/// A check passes on our client.
pub(crate) fn sound(check: fn(&mut dyn Sessions) -> Verdict) {
    let mut client = SOUND;
    passes(check(&mut client));
}

#[test]
fn each_fault_fails_the_checks_of_its_statement_and_no_other() {
    let wrong: Vec<String> = faults()
        .filter_map(|fault| {
            let found = found(checks(), |check| {
                let mut client = fault.fault;
                (check.run)(&mut client)
            });
            compare(&fault, &found).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

type Row = Fault<Spoilt>;

/// All faults.
pub(crate) fn faults() -> impl Iterator<Item = Row> {
    [octets::FAULTS, states::FAULTS]
        .into_iter()
        .flatten()
        .copied()
}

const fn row(id: &'static str, what: &'static str, fault: Spoilt) -> Row {
    Fault {
        id,
        what,
        fault,
        also: &[],
    }
}

const fn sends(sends: fn(&Seen<'_>, &str) -> String) -> Spoilt {
    Spoilt { sends, ..SOUND }
}

const fn forces(forces: fn(&Seen<'_>, &str) -> bool) -> Spoilt {
    Spoilt { forces, ..SOUND }
}

const fn omits(omits: fn(&Seen<'_>, &str) -> bool) -> Spoilt {
    Spoilt { omits, ..SOUND }
}

const fn reads(reads: fn(&Seen<'_>, &str) -> String) -> Spoilt {
    Spoilt { reads, ..SOUND }
}

const fn config(config: fn(&mut Config)) -> Spoilt {
    Spoilt { config, ..SOUND }
}

/// The line with `more` after its words.
fn with(line: &str, more: &str) -> String {
    format!("{}{more}\r\n", line.trim_end())
}

/// The changed line, if it begins with `start`.
fn at(line: &str, start: &str, change: impl Fn(&str) -> String) -> String {
    if line.starts_with(start) {
        change(line)
    } else {
        line.to_owned()
    }
}

fn has(seen: &Seen<'_>, start: &str) -> bool {
    count(seen, start) > 0
}

fn count(seen: &Seen<'_>, start: &str) -> usize {
    seen.lines
        .iter()
        .filter(|line| line.starts_with(start))
        .count()
}

fn is_rfc(seen: &Seen<'_>) -> bool {
    seen.profile == Profile::RFC1939.name
}

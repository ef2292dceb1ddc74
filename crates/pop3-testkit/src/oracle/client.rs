//! Models a client that follows a script, given all octets of the server at once.
//! The result is a log: one line for each command sent and each event reported.

mod block;
mod steps;

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
};

use dot_stuffing_testkit::generate::shown;

use super::{END_OF_FLIGHT, ends_exchange, status, timestamp};

/// The behaviour and the limits of a client.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Whether the client is a release of Outlook.
    pub outlook: bool,
    /// Whether the server falls silent at the end instead of closing.
    pub silent: bool,
    /// Whether the next step waits for the end of a flight.
    pub paced: bool,
    /// Whether the client stops at a malformed line.
    pub strict: bool,
    /// Whether the client starts without TLS, and sends no secret before TLS.
    pub stls: bool,
    /// The limits of the client.
    pub limits: Limits,
    /// The responses to the challenges of a session, repeated as a cycle.
    pub responses: Vec<&'static str>,
    /// The steps of the script. A step begins when all replies have arrived; its
    /// commands are sent together.
    pub steps: Vec<Vec<String>>,
}

/// The maximum values that a client accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of a message.
    pub message_octets: usize,
    /// Octets of a listing.
    pub listing_octets: usize,
    /// Lines of a listing, and the highest message-number.
    pub listing_entries: u32,
    /// Octets of a challenge.
    pub challenge_octets: usize,
    /// Challenges of an exchange.
    pub challenges: u32,
}

/// Whether a positive reply to this command line has a block.
#[must_use]
pub fn is_multiline(command: &str) -> bool {
    matches!(command, "AUTH" | "CAPA" | "LANG" | "LIST" | "UIDL") || is_message(command)
}

/// The final state of the client of [`client`], and its log.
#[derive(Debug)]
pub struct Dialogue {
    /// The commands sent and the events reported.
    pub log: Vec<String>,
    /// Whether the session is over, so that more octets would change nothing.
    pub is_over: bool,
}

/// Returns what a client does when a server sends these octets; an
/// [`END_OF_FLIGHT`] only ends a flight.
#[must_use]
pub fn client(scenario: &Scenario, wire: &[u8]) -> Dialogue {
    let (mut octets, mut flights) = (Vec::new(), BTreeSet::new());
    for &octet in wire {
        match octet {
            END_OF_FLIGHT => drop(flights.insert(octets.len())),
            _ => octets.push(octet),
        }
    }
    let mut client = Client {
        scenario,
        octets: &octets,
        at: 0,
        flights,
        steps: scenario.steps.iter().collect(),
        responses: scenario.responses.iter().cycle(),
        state: State::Greeting,
        tls: !scenario.stls,
        utf8: false,
        apop: false,
        user: false,
        pausing: false,
        exchange: SaslState::None,
        challenged: 0,
        whole: BTreeSet::new(),
        deleted: BTreeSet::new(),
        queue: VecDeque::new(),
        log: Vec::new(),
    };
    let end = client.replies();
    let was_over = matches!(client.state, State::Closed | State::Update);
    let is_error = matches!(end, Err(End::Error(_)));
    client.log.push(match end {
        Err(End::Error(error)) => format!("error {error}"),
        _ if was_over => "ended well".to_owned(),
        _ if scenario.silent => "ended timeout".to_owned(),
        Err(End::Cut(within)) => format!("ended {within}"),
        Ok(()) => "ended closed".to_owned(),
    });
    if is_error || !was_over {
        client.state = State::Desync;
    }
    client.log.push(format!("state {}", client.state));
    Dialogue {
        log: client.log,
        is_over: is_error || was_over,
    }
}

/// The reason why the client reads no further.
enum End {
    /// The session failed with this error.
    Error(&'static str),
    /// The octets end within this part.
    Cut(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Authorization,
    Handshake,
    Transaction,
    Update,
    Closed,
    Desync,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Authorization => "AUTHORIZATION",
            Self::Handshake => "handshake",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
            Self::Closed => "closed",
            Self::Desync => "desync",
        })
    }
}

/// The state of an AUTH exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SaslState {
    None,
    /// The client has sent no octet of the mechanism; this many octets wait.
    Started(usize),
    Running,
    Canceled,
}

struct Client<'a> {
    scenario: &'a Scenario,
    octets: &'a [u8],
    at: usize,
    /// The offsets at which flights end.
    flights: BTreeSet<usize>,
    steps: VecDeque<&'a Vec<String>>,
    responses: std::iter::Cycle<std::slice::Iter<'a, &'static str>>,
    state: State,
    tls: bool,
    /// Whether the server has accepted UTF8.
    utf8: bool,
    /// Whether the greeting has a timestamp and TLS has not begun since.
    apop: bool,
    /// Whether the last reply accepted USER.
    user: bool,
    /// Whether the next step waits for the end of the flight.
    pausing: bool,
    exchange: SaslState,
    /// The number of challenges in the exchange.
    challenged: u32,
    /// The messages that were received completely.
    whole: BTreeSet<u32>,
    deleted: BTreeSet<u32>,
    /// The commands without a reply.
    queue: VecDeque<&'a str>,
    log: Vec<String>,
}

impl<'a> Client<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.octets[self.at..]
    }

    /// Reads all replies.
    fn replies(&mut self) -> Result<(), End> {
        loop {
            if self.flights.contains(&self.at) {
                self.flight_ends();
            }
            match self.state {
                State::Handshake if !self.rest().is_empty() => {
                    return Err(End::Error("plaintext after STLS"));
                }
                // Octets after the last reply are ignored, but flights still end.
                State::Update | State::Closed if self.flights.range(self.at..).next().is_some() => {
                    self.flight_ends();
                }
                _ => {}
            }
            if self.rest().is_empty() || matches!(self.state, State::Update | State::Closed) {
                return Ok(());
            }
            self.reply()?;
        }
    }

    /// Ends a flight: makes the pending handshake, or begins the next step.
    fn flight_ends(&mut self) {
        if self.state == State::Handshake {
            self.tls = true;
            self.apop = false;
            self.state = State::Authorization;
            self.log.push("tls, capabilities known: false".to_owned());
            self.step();
        } else if std::mem::take(&mut self.pausing) {
            self.step();
        }
    }

    fn reply(&mut self) -> Result<(), End> {
        let command = self.queue.front().copied();
        if self.state != State::Greeting && command.is_none() {
            return Err(End::Error("unsolicited"));
        }
        let is_sasl = command.is_some_and(|command| command.starts_with("AUTH "));
        let line = self.line(if is_sasl { 12_288 } else { 512 })?;
        let outlook = self.scenario.outlook;
        if is_sasl && !ends_exchange(line, outlook) {
            return self.challenge(line[1..].trim_ascii());
        }
        let (positive, text) = status(line, outlook).ok_or(End::Error("no reply"))?;
        let Some(command) = command else {
            self.say("greeting", positive, &text, "");
            self.apop = timestamp(&text).is_some();
            self.state = match positive {
                true => State::Authorization,
                false => State::Closed,
            };
            self.next();
            return Ok(());
        };
        match self.exchange {
            SaslState::Started(_) if positive => self.challenge(b""),
            SaslState::Canceled if positive => Err(End::Error("after cancel")),
            _ => self.status(command, positive, &text),
        }
    }

    fn line(&mut self, longest: usize) -> Result<&'a [u8], End> {
        let rest = self.rest();
        match rest.windows(2).position(|pair| pair == b"\r\n") {
            Some(end) if end + 2 <= longest => {
                self.at += end + 2;
                Ok(&rest[..end])
            }
            None if rest.len() < longest => Err(End::Cut("closed")),
            _ => Err(End::Error("line too long")),
        }
    }

    fn say(&mut self, keyword: &str, positive: bool, text: &[u8], listing: &str) {
        let sign = if positive { '+' } else { '-' };
        let text = shown(text);
        self.log.push(format!("{keyword} {sign} {text}{listing}"));
    }

    fn challenge(&mut self, text: &[u8]) -> Result<(), End> {
        if text.len() > self.scenario.limits.challenge_octets {
            return Err(End::Error("challenge too long"));
        }
        if self.challenged == self.scenario.limits.challenges {
            return Err(End::Error("too many challenges"));
        }
        self.challenged += 1;
        self.exchange = match self.exchange {
            SaslState::Canceled => return Err(End::Error("after cancel")),
            SaslState::Started(octets) if octets > 0 => {
                self.send(&"A".repeat(octets));
                SaslState::Running
            }
            _ => {
                self.log.push(format!("challenge {}", text.escape_ascii()));
                let response = self.responses.next().copied().unwrap_or_default();
                self.send(response);
                match response {
                    "*" => SaslState::Canceled,
                    _ => SaslState::Running,
                }
            }
        };
        Ok(())
    }

    /// Reads the first line of a reply that is not a challenge, and the block after
    /// it.
    fn status(&mut self, command: &str, positive: bool, text: &[u8]) -> Result<(), End> {
        let (keyword, number) = words(command);
        if positive && command == "STLS" {
            self.say("STLS", positive, text, "");
            self.state = State::Handshake;
            self.queue.clear();
            return Ok(());
        }
        let listing = match positive {
            true => self.listing_in_status(keyword, number, text),
            false => String::new(),
        };
        self.say(keyword, positive, text, &listing);
        self.user = keyword == "USER" && positive;
        match (keyword, number) {
            ("APOP" | "AUTH" | "PASS", _) if positive && command != "AUTH" => {
                self.state = State::Transaction;
            }
            ("UTF8", _) if positive => self.utf8 = true,
            ("RSET", _) if positive => self.deleted.clear(),
            ("DELE", Some(number)) if !positive => drop(self.deleted.remove(&number)),
            ("RETR", Some(number)) if positive => {
                let proof = self.whole.contains(&number);
                self.log.push(format!("proof: {proof}"));
            }
            ("QUIT", _) => {
                self.state = match positive && self.state == State::Transaction {
                    true => State::Update,
                    false => State::Closed,
                };
                self.queue.clear();
                self.next();
                return Ok(());
            }
            _ => {}
        }
        self.exchange = SaslState::None;
        self.challenged = 0;
        if positive && is_multiline(command) {
            self.block(command)?;
            if let ("RETR", Some(number)) = (keyword, number) {
                self.whole.insert(number);
            }
        }
        self.queue.pop_front();
        if self.queue.is_empty() {
            self.next();
        }
        Ok(())
    }
}

fn is_message(command: &str) -> bool {
    command.starts_with("RETR ") || command.starts_with("TOP ")
}

/// Returns the keyword of a command line, and its message-number.
fn words(command: &str) -> (&str, Option<u32>) {
    let (keyword, rest) = command.split_once(' ').unwrap_or((command, ""));
    let number = rest.split(' ').next().and_then(|word| word.parse().ok());
    (keyword, number)
}

//! A server with the faults of its scenario. It reads lines and returns octets.

use std::collections::{BTreeSet, VecDeque};

use crate::{Counting, Fault, Scenario};

/// The maildrop, which persists between sessions.
#[derive(Debug)]
pub(crate) struct Maildrop {
    /// Each message that was ever in the maildrop, by its index.
    pub(crate) contents: Vec<Vec<u8>>,
    /// The indices of the messages in the maildrop now, in order of arrival.
    pub(crate) there: Vec<usize>,
    /// The number of sessions so far.
    pub(crate) sessions: u8,
}

/// A session, after the login.
pub(crate) struct Server<'a> {
    scenario: &'a Scenario,
    maildrop: &'a mut Maildrop,
    session: u8,
    /// The index of the message with each message-number.
    numbered: Vec<usize>,
    /// The message-numbers at the start of the session, to which faults refer.
    original: Vec<usize>,
    marked: BTreeSet<usize>,
    input: VecDeque<u8>,
    pub(crate) output: VecDeque<u8>,
    sent: usize,
    pub(crate) is_closed: bool,
    stats: usize,
}

impl Maildrop {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let there: Vec<usize> = (0..usize::from(scenario.messages)).collect();
        Self {
            contents: there.iter().map(|&index| scenario.content(index)).collect(),
            there,
            sessions: 0,
        }
    }
}

impl<'a> Server<'a> {
    pub(crate) fn new(scenario: &'a Scenario, maildrop: &'a mut Maildrop) -> Self {
        let session = maildrop.sessions;
        maildrop.sessions += 1;
        if scenario.mail_arrives && session > 0 && session < 4 {
            let index = maildrop.contents.len();
            maildrop.contents.push(scenario.content(index));
            maildrop.there.push(index);
        }
        let mut numbered = maildrop.there.clone();
        if scenario.renumbers && session % 2 == 1 {
            numbered.reverse();
        }
        let mut server = Self {
            scenario,
            maildrop,
            session,
            original: numbered.clone(),
            numbered,
            marked: BTreeSet::new(),
            input: VecDeque::new(),
            output: VecDeque::new(),
            sent: 0,
            is_closed: false,
            stats: 0,
        };
        server.say("+OK ready");
        server
    }

    pub(crate) fn input(&mut self, octets: &[u8]) {
        self.input.extend(octets);
    }

    /// Answers all lines received so far.
    pub(crate) fn answer(&mut self) {
        while !self.is_closed
            && let Some(line) = self.line()
        {
            self.command(&line);
        }
    }

    fn line(&mut self) -> Option<String> {
        let lf = self.input.iter().position(|&octet| octet == b'\n')?;
        let line: Vec<u8> = self.input.drain(..=lf).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Returns the message that the next line requests, if the line is RETR.
    fn next_retr(&self) -> Option<usize> {
        let line: Vec<u8> = self
            .input
            .iter()
            .copied()
            .take_while(|&octet| octet != b'\r')
            .collect();
        let line = String::from_utf8_lossy(&line).into_owned();
        self.message(line.strip_prefix("RETR ")?)
    }

    fn message(&self, number: &str) -> Option<usize> {
        let number: usize = number.parse().ok()?;
        let index = *self.numbered.get(number.checked_sub(1)?)?;
        (!self.marked.contains(&index)).then_some(index)
    }

    fn faults(&self) -> impl Iterator<Item = Fault> {
        self.scenario.faults.iter().copied()
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults().any(|other| other == fault)
    }

    /// Whether a fault affects the message with this index.
    fn strikes(&self, index: usize, fault: impl Fn(u8, bool) -> Fault) -> bool {
        let place = self.original.iter().position(|&other| other == index);
        let Some(number) = place.and_then(|place| u8::try_from(place + 1).ok()) else {
            return false;
        };
        self.has(fault(number, false)) || (self.session == 0 && self.has(fault(number, true)))
    }

    fn say(&mut self, line: &str) {
        self.send(line.as_bytes());
        self.send(b"\r\n");
    }

    fn send(&mut self, octets: &[u8]) {
        let room = self.faults().find_map(|fault| match fault {
            Fault::Closed { session, octets } if session == self.session => {
                Some(40 + 4 * usize::from(octets))
            }
            _ => None,
        });
        let room = room.map_or(usize::MAX, |room| room.saturating_sub(self.sent));
        self.output.extend(&octets[..octets.len().min(room)]);
        self.sent += octets.len();
        self.is_closed |= octets.len() > room;
    }

    fn size(&self, index: usize) -> usize {
        let content = &self.maildrop.contents[index];
        let lines = content
            .windows(2)
            .filter(|octets| octets == b"\r\n")
            .count();
        let octets = content.len();
        match self.scenario.counting {
            Counting::Exact | Counting::FirstMissing => octets,
            Counting::Lf => octets - lines,
            Counting::Stuffed => stuffed(content, true).len(),
            Counting::Terminated => octets + 3,
            Counting::WithoutLastCrlf => octets - 2,
            Counting::RoundedDown => octets / 1024 * 1024,
            Counting::RoundedUp => octets.div_ceil(1024) * 1024,
            Counting::Zero => 0,
        }
    }

    /// Returns the lines of a listing, by message-number.
    fn listing(&mut self, line: impl Fn(&Self, usize) -> Option<String>) {
        self.say("+OK");
        let mut lines: Vec<String> = (self.numbered.iter().enumerate())
            .filter(|(_, index)| !self.marked.contains(index))
            .filter_map(|(place, &index)| Some(format!("{} {}", place + 1, line(self, index)?)))
            .collect();
        if self.has(Fault::ListsBackwards) {
            lines.reverse();
        }
        for line in lines {
            self.say(&line);
        }
        self.say(".");
    }

    fn command(&mut self, line: &str) {
        let (keyword, argument) = line.split_once(' ').unwrap_or((line, ""));
        match (keyword, argument) {
            ("CAPA", _) => {
                self.say("+OK\r\nUIDL\r\nUSER");
                if self.scenario.pipelining {
                    self.say("PIPELINING");
                }
                self.say(".");
            }
            ("USER" | "PASS" | "NOOP", _) => self.say("+OK"),
            ("STAT", _) => self.stat(),
            ("LIST", "") => {
                let skip = self.scenario.counting == Counting::FirstMissing;
                self.listing(|this, index| {
                    let is_left_out = skip && Some(&index) == this.original.first();
                    (!is_left_out).then(|| this.size(index).to_string())
                });
            }
            ("UIDL", "") => self.listing(|this, index| {
                // A message keeps its unique-id, or keeps having none.
                let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
                if this.has(Fault::UidlOmits { number }) {
                    return None;
                }
                let repeats = this.has(Fault::UidlRepeats);
                Some(format!(
                    "id{}",
                    if repeats && index == 1 { 0 } else { index }
                ))
            }),
            ("RETR", number) => match self.message(number) {
                Some(index) => self.retr(index),
                None => self.say("-ERR no such message"),
            },
            ("DELE", number) => match self.message(number) {
                Some(index)
                    if !self.strikes(index, |number, once| Fault::DeleRefused { number, once }) =>
                {
                    self.marked.insert(index);
                    if self.has(Fault::NumberedAnew) {
                        self.numbered.retain(|&other| other != index);
                    }
                    self.say("+OK");
                }
                _ => self.say("-ERR"),
            },
            ("QUIT", _) => self.quit(),
            _ => self.say("-ERR unknown"),
        }
    }

    fn stat(&mut self) {
        if self.has(Fault::StatSpeaks) {
            return self.say("+OK some messages");
        }
        self.stats += usize::from(self.has(Fault::StatCounts));
        let there = self
            .numbered
            .iter()
            .filter(|index| !self.marked.contains(index));
        let octets: usize = there.clone().map(|&index| self.size(index)).sum();
        let messages = there.count() + self.stats;
        self.say(&format!("+OK {messages} {octets}"));
    }

    fn quit(&mut self) {
        if self.session == 0 && self.has(Fault::QuitRefused) {
            self.say("-ERR");
        } else {
            self.say("+OK");
            // The client did not see a reply that was cut off, but the server
            // deletes the message anyway.
            let marked = std::mem::take(&mut self.marked);
            self.maildrop.there.retain(|index| !marked.contains(index));
        }
        self.is_closed = true;
    }

    fn retr(&mut self, index: usize) {
        if self.strikes(index, |number, once| Fault::NoAnswer { number, once }) {
            return;
        }
        if self.strikes(index, |number, once| Fault::Refused { number, once }) {
            return self.say("-ERR not now");
        }
        let mut answered = index;
        if self.strikes(index, |number, once| Fault::NextMessage { number, once }) {
            let place = self.numbered.iter().position(|&other| other == index);
            let next = place.and_then(|place| self.numbered.get(place + 1));
            answered = next.copied().unwrap_or(index);
        }
        self.message_block(answered, index);
        if self.strikes(index, |number, once| Fault::TwoAnswers { number, once }) {
            self.message_block(answered, index);
        }
    }

    fn message_block(&mut self, index: usize, asked: usize) {
        let mut content = self.maildrop.contents[index].clone();
        let size = content.len();
        if self.strikes(asked, |number, once| Fault::Shortened { number, once }) {
            let half = content.len() / 2;
            let line = content[..half].iter().rposition(|&octet| octet == b'\n');
            content.truncate(line.map_or(0, |lf| lf + 1));
        }
        self.say(&format!("+OK {size} octets"));
        self.send(&stuffed(&content, !self.has(Fault::FirstDot)));
        if self.strikes(asked, |number, once| Fault::NoTerminator { number, once }) {
            return;
        }
        let interleaved = self.faults().find_map(|fault| match fault {
            Fault::Interleaved { again } => Some(again),
            _ => None,
        });
        match (interleaved, self.next_retr()) {
            (Some(again), Some(next)) => {
                let size = self.maildrop.contents[next].len();
                self.say(&format!("+OK {size} octets"));
                self.say(".");
                if again {
                    return;
                }
                // The reply to the next RETR continues without its first line.
                let _ = self.line();
                let content = self.maildrop.contents[next].clone();
                self.send(&stuffed(&content, !self.has(Fault::FirstDot)));
                self.say(".");
            }
            _ => self.say("."),
        }
        if self.strikes(asked, |number, once| Fault::TwoTerminators { number, once }) {
            self.say(".");
        }
    }
}

/// Returns a message with stuffed dots; with `first`, also stuffs a dot at its
/// first octet.
fn stuffed(content: &[u8], first: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    for (place, line) in content.split_inclusive(|&octet| octet == b'\n').enumerate() {
        if line.starts_with(b".") && (first || place > 0) {
            octets.push(b'.');
        }
        octets.extend_from_slice(line);
    }
    octets
}

//! What a client has to do, from all of the server's octets at once.

use std::collections::{BTreeSet, VecDeque};

use pop3_proto::{Command, client::Limits};

use super::{
    END_OF_FLIGHT,
    scenario::{RESPONSES, Scenario},
};
use crate::{
    generate::shown,
    oracle::{self, Fault, LineEvent, Outcome, Rules},
};

/// The lines that [`super::client::log`] has to give.
pub(super) fn log(scenario: &Scenario, wire: &[u8]) -> Vec<String> {
    let mut model = Model {
        outlook: scenario.outlook,
        wary: scenario.wary,
        limits: scenario.limits(),
        tls: !scenario.stls,
        utf8: false,
        apop: false,
        state: "greeting",
        user: false,
        exchange: SaslState::None,
        challenges: scenario.first_response,
        challenged: 0,
        whole: BTreeSet::new(),
        deleted: BTreeSet::new(),
        queue: VecDeque::new(),
        steps: scenario.steps.iter().collect(),
        paced: scenario.paced,
        pausing: false,
        log: Vec::new(),
    };
    // The ends of flights, as offsets into what is left without them.
    let mut octets = Vec::new();
    let mut ends = BTreeSet::new();
    for &octet in wire {
        match octet {
            END_OF_FLIGHT => drop(ends.insert(octets.len())),
            _ => octets.push(octet),
        }
    }
    let ended = model.replies(&octets, &ends);
    match ended {
        Err(error) => {
            model.log.push(format!("error {error}"));
            model.state = "desync";
        }
        Ok(_) if matches!(model.state, "closed" | "UPDATE") => {
            model.log.push("ended well".to_owned());
        }
        Ok(within) => {
            let how = if scenario.silent { "timeout" } else { within };
            model.log.push(format!("ended {how}"));
            model.state = "desync";
        }
    }
    let state = model.state;
    model.log.push(format!("state {state}"));
    model.log
}

/// An AUTH.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SaslState {
    None,
    /// No octet of the mechanism was sent; so many wait.
    Started(usize),
    Running,
    Canceled,
}

struct Model<'a> {
    outlook: bool,
    wary: bool,
    limits: Limits,
    tls: bool,
    /// UTF8 was accepted.
    utf8: bool,
    /// The greeting has a timestamp, and is not forgotten.
    apop: bool,
    state: &'static str,
    /// USER was accepted just now.
    user: bool,
    exchange: SaslState,
    /// The place of the next response in [`RESPONSES`].
    challenges: usize,
    /// Challenges of the exchange.
    challenged: u32,
    /// Messages that came whole.
    whole: BTreeSet<u32>,
    deleted: BTreeSet<u32>,
    queue: VecDeque<&'a Command<'static>>,
    steps: VecDeque<&'a Vec<Command<'static>>>,
    /// Whether the next step waits for the end of a flight, and one does.
    paced: bool,
    pausing: bool,
    log: Vec<String>,
}

impl Model<'_> {
    /// Reads all replies, and tells what the end of the octets cuts off.
    fn replies(
        &mut self,
        octets: &[u8],
        ends: &BTreeSet<usize>,
    ) -> Result<&'static str, &'static str> {
        let mut at = 0;
        loop {
            if self.state == "handshake" && ends.contains(&at) {
                self.tls = true;
                self.apop = false;
                self.state = "AUTHORIZATION";
                self.log.push("tls, capabilities known: false".to_owned());
                self.step();
            } else if ends.contains(&at) && std::mem::take(&mut self.pausing) {
                self.step();
            }
            let rest = &octets[at..];
            if rest.is_empty() {
                return Ok("closed");
            }
            if self.state == "handshake" {
                return Err("plaintext after STLS");
            }
            if matches!(self.state, "closed" | "UPDATE") {
                // What follows the last reply is ignored, but flights still end.
                if ends.range(at..).next().is_some() && std::mem::take(&mut self.pausing) {
                    self.step();
                }
                return Ok("closed");
            }
            let command = self.queue.front().copied();
            if self.state != "greeting" && command.is_none() {
                return Err("unsolicited");
            }
            let sasl = matches!(command, Some(Command::Auth { .. }));
            let longest = if sasl { 12_288 } else { 512 };
            let line_end = rest.windows(2).position(|pair| pair == b"\r\n");
            let line = match line_end {
                Some(end) if end + 2 <= longest => &rest[..end],
                None if rest.len() < longest => return Ok("closed"),
                _ => return Err("line too long"),
            };
            at += line.len() + 2;
            if sasl && !oracle::ends_exchange(line, self.outlook) {
                self.challenge(line[1..].trim_ascii())?;
                continue;
            }
            let Some((positive, text)) = oracle::status(line, self.outlook) else {
                return Err("no reply");
            };
            let Some(command) = command else {
                self.say("greeting", positive, &text, "");
                self.apop = oracle::timestamp(&text).is_some();
                self.state = if positive { "AUTHORIZATION" } else { "closed" };
                self.next();
                continue;
            };
            if sasl && positive {
                match self.exchange {
                    SaslState::Started(_) => {
                        self.challenge(b"")?;
                        continue;
                    }
                    SaslState::Canceled => return Err("after cancel"),
                    _ => {}
                }
            }
            at += self.status(command, positive, &text, &octets[at..])?;
            if self.log.last().is_some_and(|last| last == "cut off") {
                self.log.pop();
                return Ok("block");
            }
        }
    }

    fn say(&mut self, keyword: &str, positive: bool, text: &[u8], listing: &str) {
        let sign = if positive { '+' } else { '-' };
        let text = shown(text);
        self.log.push(format!("{keyword} {sign} {text}{listing}"));
    }

    fn challenge(&mut self, text: &[u8]) -> Result<(), &'static str> {
        if text.len() > self.limits.challenge_octets {
            return Err("challenge too long");
        }
        if self.challenged == self.limits.challenges {
            return Err("too many challenges");
        }
        self.challenged += 1;
        match self.exchange {
            SaslState::Canceled => return Err("after cancel"),
            SaslState::Started(octets) if octets > 0 => {
                self.send(&format!("{}\r\n", "A".repeat(octets)));
                self.exchange = SaslState::Running;
            }
            _ => {
                self.log.push(format!("challenge {}", text.escape_ascii()));
                let response = RESPONSES[self.challenges % RESPONSES.len()];
                self.challenges += 1;
                self.send(&format!("{response}\r\n"));
                self.exchange = match response {
                    "*" => SaslState::Canceled,
                    _ => SaslState::Running,
                };
            }
        }
        Ok(())
    }

    /// The first line of a reply, and what follows it: how long that is.
    fn status(
        &mut self,
        command: &Command<'_>,
        positive: bool,
        text: &[u8],
        rest: &[u8],
    ) -> Result<usize, &'static str> {
        let outlook = self.outlook;
        let pair = |listing: Option<(u32, String)>| match listing {
            Some((number, what)) => format!(" = {number} {what}"),
            None => " = malformed".to_owned(),
        };
        let octets = |(number, octets): (u32, u64)| (number, octets.to_string());
        let listing = match command {
            _ if !positive => String::new(),
            Command::Stat => pair(oracle::drop_listing(text, outlook).map(octets)),
            Command::List(Some(asked)) => {
                let found = oracle::scan_listing(text, outlook);
                pair(
                    found
                        .filter(|(number, _)| *number == asked.get())
                        .map(octets),
                )
            }
            Command::Uidl(Some(asked)) => {
                let found = oracle::unique_id_listing(text, outlook);
                let found = found.filter(|(number, _)| *number == asked.get());
                pair(found.map(|(number, id)| (number, id.escape_ascii().to_string())))
            }
            _ => String::new(),
        };
        if matches!(command, Command::Stls) && positive {
            self.say("STLS", positive, text, "");
            self.state = "handshake";
            self.queue.clear();
            return Ok(0);
        }
        self.say(command.keyword(), positive, text, &listing);
        self.user = matches!(command, Command::User(_)) && positive;
        match command {
            Command::Apop { .. } | Command::Auth { .. } | Command::Pass(_) if positive => {
                self.state = "TRANSACTION";
            }
            Command::Utf8 if positive => self.utf8 = true,
            Command::Rset if positive => self.deleted.clear(),
            Command::Dele(number) if !positive => drop(self.deleted.remove(&number.get())),
            Command::Quit => {
                self.state = match positive && self.state == "TRANSACTION" {
                    true => "UPDATE",
                    false => "closed",
                };
                self.queue.clear();
                self.next();
                return Ok(0);
            }
            Command::Retr(number) if positive => {
                let proof = self.whole.contains(&number.get());
                self.log.push(format!("proof: {proof}"));
            }
            _ => {}
        }
        self.exchange = SaslState::None;
        self.challenged = 0;
        let mut consumed = 0;
        if positive && command.is_multiline() {
            consumed = self.block(command, rest)?;
            if self.log.last().is_some_and(|last| last == "cut off") {
                return Ok(consumed);
            }
        }
        self.queue.pop_front();
        if self.queue.is_empty() {
            self.next();
        }
        Ok(consumed)
    }

    /// The block of a reply; `cut off` last where it has no end.
    fn block(&mut self, command: &Command<'_>, rest: &[u8]) -> Result<usize, &'static str> {
        let is_message = matches!(command, Command::Retr(_) | Command::Top(..));
        let rules = Rules {
            dot_line_ends: self.outlook
                && matches!(command, Command::Capa | Command::List(_) | Command::Uidl(_)),
            max_octets: match is_message {
                true => self.limits.message_octets as usize,
                false => self.limits.listing_octets as usize,
            },
            ..Rules::RFC1939
        };
        let decoded = oracle::decode(&rules, rest);
        let counts = match is_message {
            true if decoded.data.is_empty() => String::new(),
            true => {
                self.log.push(format!("data {}", shown(&decoded.data)));
                String::new()
            }
            false => self.lines(command, &decoded.data)?,
        };
        match decoded.outcome {
            Outcome::Ended { consumed, .. } => {
                let (keyword, octets) = (command.keyword(), decoded.data.len());
                self.log
                    .push(format!("end {keyword} octets {octets}{counts}"));
                if let Command::Retr(number) = command {
                    self.whole.insert(number.get());
                }
                Ok(consumed)
            }
            Outcome::Truncated(_) => {
                self.log.push("cut off".to_owned());
                Ok(rest.len())
            }
            Outcome::Failed(Fault::TooLong, _) if self.wary => Err("block"),
            other => panic!("{other:?}: no rule refuses an octet"),
        }
    }

    /// The lines of a listing, and how many there are of each kind.
    fn lines(&mut self, command: &Command<'_>, data: &[u8]) -> Result<String, &'static str> {
        let (mut seen, mut lines, mut texts) = (BTreeSet::new(), 0, 0);
        let most = self.limits.listing_entries;
        let split = oracle::lines(&Rules::RFC1939, 512, data);
        let begins = begins_one_more(&split, data);
        for event in split.events {
            if lines == most as usize {
                return Err("too many lines");
            }
            lines += 1;
            let found = match (&event, command) {
                (LineEvent::Line(line), Command::Capa) if self.wary && !is_capability(line) => None,
                (LineEvent::Refused(..), Command::Capa) if self.wary => None,
                (_, Command::Capa) => {
                    self.log.push("capability".to_owned());
                    continue;
                }
                (LineEvent::Line(line), Command::AuthList | Command::LangList) => {
                    texts += 1;
                    self.log.push(format!("line {}", line.escape_ascii()));
                    continue;
                }
                (LineEvent::Line(line), Command::List(_)) => {
                    let found = oracle::scan_listing(line, self.outlook);
                    found.map(|(number, octets)| (number, format!("scan {number} {octets}")))
                }
                (LineEvent::Line(line), _) => {
                    let found = oracle::unique_id_listing(line, self.outlook);
                    found.map(|(number, unique_id)| {
                        let unique_id = String::from_utf8_lossy(&unique_id).into_owned();
                        (number, format!("unique-id {number} {unique_id}"))
                    })
                }
                (LineEvent::Refused(..), _) => None,
            };
            let found = found.filter(|(number, _)| *number <= most && seen.insert(*number));
            if found.is_none() && self.wary {
                return Err("malformed line");
            }
            let line = found.map_or("malformed".to_owned(), |(_, line)| line);
            self.log.push(line);
        }
        if begins && lines == most as usize {
            return Err("too many lines");
        }
        Ok(match command {
            Command::Capa => format!(" lines {lines}"),
            _ => {
                let (entries, highest) = (texts + seen.len(), seen.last().unwrap_or(&0));
                let malformed = lines - entries;
                format!(" entries {entries} malformed {malformed} highest {highest}")
            }
        })
    }

    fn next(&mut self) {
        match self.paced {
            true => self.pausing = true,
            false => self.step(),
        }
    }

    /// The next step of which anything can be sent.
    fn step(&mut self) {
        while self.queue.is_empty()
            && let Some(commands) = self.steps.pop_front()
        {
            for command in commands {
                if !self.allows(command) {
                    self.log.push(format!("refused {}", command.keyword()));
                    continue;
                }
                self.queue.push_back(command);
                let mut line = Vec::new();
                match *command {
                    Command::Auth {
                        mechanism,
                        initial_response: Some(response),
                    } if response.expose().len() > 240 => {
                        self.exchange = SaslState::Started(response.expose().len());
                        line = format!("AUTH {}\r\n", mechanism.as_str()).into_bytes();
                    }
                    Command::Auth {
                        initial_response, ..
                    } => {
                        self.exchange = match initial_response {
                            Some(_) => SaslState::Running,
                            None => SaslState::Started(0),
                        };
                    }
                    Command::Dele(number) => drop(self.deleted.insert(number.get())),
                    _ => {}
                }
                if line.is_empty() {
                    command.encode(&mut line).expect("a command");
                }
                self.send(&String::from_utf8_lossy(&line));
            }
        }
    }

    fn send(&mut self, line: &str) {
        self.log.push(format!("> {}", shown(line.as_bytes())));
    }

    fn allows(&self, command: &Command<'_>) -> bool {
        let authorization = self.state == "AUTHORIZATION";
        let transaction = self.state == "TRANSACTION";
        let free = !self.user;
        let whole = |number: &u32| self.whole.contains(number);
        let kept = |number: &u32| !self.deleted.contains(number);
        match command {
            Command::User(_) | Command::Auth { .. } => authorization && free && self.tls,
            Command::Apop { .. } => authorization && free && self.tls && self.apop && !self.outlook,
            Command::AuthList | Command::Utf8 => authorization && free,
            Command::Pass(_) => authorization && self.user && self.tls,
            Command::Stls => authorization && free && !self.tls && !self.utf8,
            Command::Capa | Command::Lang(_) | Command::LangList => {
                (authorization || transaction) && free
            }
            Command::Rset => transaction && !self.outlook,
            Command::Quit => authorization || transaction,
            Command::List(Some(number)) | Command::Uidl(Some(number)) => {
                transaction && !self.outlook && kept(&number.get())
            }
            Command::Retr(number) | Command::Top(number, _) => transaction && kept(&number.get()),
            Command::Dele(number) => transaction && whole(&number.get()) && kept(&number.get()),
            _ => transaction,
        }
    }
}

/// Whether the octets after the last line that is known are of one more.
fn begins_one_more(split: &oracle::Lines, data: &[u8]) -> bool {
    let last = data.windows(2).rposition(|pair| pair == b"\r\n");
    let start = last.map_or(0, |at| at + 2);
    let is_known = matches!(split.events.last(), Some(LineEvent::Refused(_, at)) if *at > start);
    !split.whole && !is_known
}

/// Printable text, and not blank (RFC 2449 §3).
fn is_capability(line: &[u8]) -> bool {
    let is_text = |text: &str| {
        let is_control = |char: char| char.is_ascii_control() && char != '\t';
        !text.contains(is_control) && !text.trim_matches([' ', '\t']).is_empty()
    };
    str::from_utf8(line).is_ok_and(is_text)
}

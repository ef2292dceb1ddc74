//! Drives a client's session, and logs each command that it sends and each event
//! that it reports.

use std::time::{Duration, Instant};

use dot_stuffing_testkit::generate::shown;
use pop3_proto::{
    Command, Profile, ReplyError, Secret,
    client::{Config, Limits, Request, Response, SessionError, State, Transport},
};

use crate::{
    oracle::{self, Scenario},
    view::{Client, ClientEvent, Clients},
};

pub(super) fn log(
    clients: Clients,
    scenario: &Scenario,
    flights: &[Vec<&[u8]>],
    now: Instant,
) -> Vec<String> {
    let profile = match scenario.outlook {
        true => Profile::OUTLOOK_2024,
        false => Profile::RFC1939,
    };
    let transport = match scenario.stls {
        true => Transport::StlsRequired,
        false => Transport::Tls,
    };
    let mut limits = Limits::DEFAULT;
    if scenario.strict {
        limits.message_octets = scenario.limits.message_octets as u64;
        limits.listing_octets = scenario.limits.listing_octets as u64;
        limits.listing_entries = scenario.limits.listing_entries;
        limits.challenge_octets = scenario.limits.challenge_octets;
        limits.challenges = scenario.limits.challenges;
    }
    let config = Config::new(profile, transport)
        .limits(limits)
        .stop_at_malformed_line(scenario.strict);
    let mut driver = Driver {
        session: clients(config, now),
        now,
        steps: scenario.steps.iter(),
        paced: scenario.paced,
        pausing: false,
        due: 0,
        responses: scenario.responses.iter().cycle(),
        reading: None,
        data: Vec::new(),
        log: Vec::new(),
    };
    if driver.flights(flights).is_ok() {
        driver.end(scenario.silent);
    }
    let state = driver.session.state();
    driver.log.push(format!("state {state}"));
    driver.log
}

struct Driver<'a> {
    session: Box<dyn Client>,
    now: Instant,
    steps: std::slice::Iter<'a, Vec<String>>,
    /// Whether steps wait for the end of a flight. `pausing` is true while one
    /// waits.
    paced: bool,
    pausing: bool,
    /// The number of replies that are still expected.
    due: usize,
    responses: std::iter::Cycle<std::slice::Iter<'a, &'static str>>,
    /// The request that the current block answers, if there is one.
    reading: Option<Request>,
    data: Vec<u8>,
    log: Vec<String>,
}

impl Driver<'_> {
    /// Feeds all input, up to an error.
    fn flights(&mut self, flights: &[Vec<&[u8]>]) -> Result<(), SessionError> {
        for (at, flight) in flights.iter().enumerate() {
            for chunk in flight {
                self.input(chunk)?;
            }
            if at + 1 == flights.len() {
                break;
            }
            if self.session.state() == State::Handshake {
                let established = self.session.handle_tls(self.now);
                assert_eq!(established, Ok(()), "it was due");
                let known = self.session.capabilities().is_known();
                self.log.push(format!("tls, capabilities known: {known}"));
                self.step();
            } else if std::mem::take(&mut self.pausing) {
                self.step();
            }
        }
        Ok(())
    }

    fn input(&mut self, mut input: &[u8]) -> Result<(), SessionError> {
        let mut idle = 0;
        while !input.is_empty() {
            let heard = self.session.handle_input(self.now, input);
            input = &input[heard.consumed..];
            idle = match heard.consumed == 0 && heard.said.is_empty() {
                true => idle + 1,
                false => 0,
            };
            assert!(idle < 4, "progress");
            heard.said.into_iter().for_each(|said| self.said(said));
            if let Some(error) = heard.error {
                let again = self.session.handle_input(self.now, b"+OK\r\n").error;
                assert_eq!(again, Some(error), "an error is final");
                assert_eq!(self.session.handle_eof(), Err(error), "an error is final");
                self.flush_data();
                self.log.push(format!("error {}", class(error)));
                return Err(error);
            }
            self.flush();
        }
        Ok(())
    }

    /// Reports the end of the input.
    fn end(&mut self, silent: bool) {
        let ended = match silent {
            true => {
                let later = self.now + Duration::from_secs(24 * 60 * 60);
                self.session.handle_timeout(later)
            }
            false => self.session.handle_eof(),
        };
        self.flush_data();
        let ended = ended.map_or_else(class, |()| "well");
        self.log.push(format!("ended {ended}"));
    }

    fn said(&mut self, said: ClientEvent) {
        if let ClientEvent::Data(octets) = said {
            self.data.extend(octets);
            return;
        }
        self.flush_data();
        match said {
            ClientEvent::Greeting(..) => {
                self.log.push(said.to_string());
                self.next();
            }
            ClientEvent::Status(request, positive, text, listing) => {
                self.status(request, positive, &text, listing);
            }
            ClientEvent::Challenge(_) => {
                self.log.push(said.to_string());
                let response = self.responses.next().copied().unwrap_or_default();
                let sent = self.session.respond(
                    self.now,
                    match response {
                        "*" => Response::Cancel,
                        "" => Response::Empty,
                        base64 => Response::Base64(Secret::new(base64).expect("base64")),
                    },
                );
                assert_eq!(sent, Ok(()), "a challenge waits");
            }
            ClientEvent::Capability(_) => self.log.push("capability".to_owned()),
            ClientEvent::Malformed(..) if self.reading == Some(Request::Capa) => {
                self.log.push("capability".to_owned());
            }
            ClientEvent::Malformed(..) => self.log.push("malformed".to_owned()),
            ClientEvent::End {
                request: Request::Capa,
                octets,
                entries,
                malformed,
                ..
            } => {
                let lines = entries + malformed;
                self.log
                    .push(format!("end CAPA octets {octets} lines {lines}"));
                self.over();
            }
            ClientEvent::End { .. } => {
                self.log.push(said.to_string());
                self.over();
            }
            said => self.log.push(said.to_string()),
        }
    }

    fn status(&mut self, request: Request, positive: bool, text: &[u8], listing: Option<String>) {
        let sign = if positive { '+' } else { '-' };
        let mut line = format!("{} {sign} {}", request.keyword(), shown(text));
        if let Some(listing) = listing {
            let malformed = listing.contains("of the reply");
            line += " = ";
            line += if malformed { "malformed" } else { &listing };
        }
        self.log.push(line);
        match request {
            Request::Retr(number) if positive => {
                let proof = self.session.proof(number).is_some();
                self.log.push(format!("proof: {proof}"));
                self.reading = Some(request);
            }
            Request::AuthList
            | Request::Capa
            | Request::LangList
            | Request::List(None)
            | Request::Top(..)
            | Request::Uidl(None)
                if positive =>
            {
                self.reading = Some(request);
            }
            Request::Stls if positive => self.due -= 1,
            Request::Quit => {
                self.due = 0;
                self.next();
            }
            _ => self.over(),
        }
    }

    /// Handles the end of a reply.
    fn over(&mut self) {
        self.reading = None;
        self.due = self.due.saturating_sub(1);
        if self.due == 0 {
            self.next();
        }
    }

    fn next(&mut self) {
        match self.paced {
            true => self.pausing = true,
            false => self.step(),
        }
    }

    /// Enqueues the next step of the script that can be sent at least in part.
    fn step(&mut self) {
        while self.due == 0
            && let Some(commands) = self.steps.next()
        {
            for line in commands {
                let command = Command::parse(line.as_bytes()).expect("a command");
                assert_eq!(command.is_multiline(), oracle::is_multiline(line), "{line}");
                let sent = match command {
                    Command::Dele(number) => match self.session.proof(number) {
                        Some(proof) => self.session.enqueue_dele(self.now, proof).is_ok(),
                        None => false,
                    },
                    _ => self.session.enqueue(self.now, &command).is_ok(),
                };
                self.flush();
                match sent {
                    true => self.due += 1,
                    false => self.log.push(format!("refused {}", command.keyword())),
                }
            }
        }
    }

    fn flush(&mut self) {
        let sent = self.session.transmit(self.now);
        if !sent.is_empty() {
            self.log.push(format!("> {}", shown(&sent)));
        }
    }

    fn flush_data(&mut self) {
        if !self.data.is_empty() {
            let data = std::mem::take(&mut self.data);
            self.log.push(ClientEvent::Data(data).to_string());
        }
    }
}

/// Returns the kind of an error, without the offsets that a model does not know.
fn class(error: SessionError) -> &'static str {
    match error {
        SessionError::AfterCancel => "after cancel",
        SessionError::ChallengeTooLong => "challenge too long",
        SessionError::Closed(_) | SessionError::Reply(ReplyError::NoReply) => "closed",
        SessionError::Line(_) => "malformed line",
        SessionError::PlaintextAfterStls => "plaintext after STLS",
        SessionError::Reply(ReplyError::Block(_)) => "block",
        SessionError::Reply(ReplyError::FirstLine(_)) => "line too long",
        SessionError::Reply(ReplyError::Status(_)) => "no reply",
        SessionError::Reply(ReplyError::Unsolicited) => "unsolicited",
        SessionError::Timeout(_) => "timeout",
        SessionError::TooManyChallenges => "too many challenges",
        SessionError::TooManyLines => "too many lines",
        other => panic!("{other:?} cannot come here"),
    }
}

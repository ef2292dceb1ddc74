//! A server with its driver, and what the replies say that matters.

use std::time::{Duration, Instant};

use pop3_proto::{
    Mechanism,
    server::{Closed, Config, Event, Login, Tls, Verdict},
};

use crate::{
    generate::shown,
    oracle::{self, Awaited, Reply},
    view::{Server, Servers, Shelf},
};

/// The messages that are served, with their unique-ids.
pub(super) const MESSAGES: [(&str, &[u8]); 3] = [
    ("same", b".\r\n\r\n.\n"),
    ("same", b""),
    ("other", b"a: b\r\n\r\n.c\r\nd\re"),
];

/// What a server did.
pub(super) struct Done {
    sent: Vec<u8>,
    closed: Option<Closed>,
    removed: Option<Vec<u32>>,
}

/// What a server has to do.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The replies, and the kind of each.
    pub(super) replies: Vec<(Awaited, Answer)>,
    pub(super) closed: Option<Closed>,
    pub(super) removed: Option<Vec<u32>>,
}

/// What matters of a reply.
#[derive(Debug)]
pub(super) enum Answer {
    Challenge,
    Refused(Option<&'static str>),
    Fine,
    /// With a text that begins so.
    Says(String),
    /// With this block.
    Block(Vec<u8>),
    /// With a block that has this line, or has it not.
    Offers(&'static str, bool),
}

pub(super) fn run(servers: Servers, silent: bool, flights: &[Vec<&[u8]>], now: Instant) -> Done {
    let names = ["PLAIN", "CRAM-MD5"].map(|name| Mechanism::new(name).expect("a mechanism"));
    let config = Config::new()
        .tls(Tls::Offered)
        .dangerous_plaintext_without_tls(true)
        .mechanisms(&names)
        .expect("few mechanisms");
    let messages = MESSAGES.map(|(unique_id, message)| (unique_id.to_owned(), message.to_vec()));
    let mut driver = Driver {
        session: servers(config, now),
        now,
        shelf: Shelf::new(messages.to_vec()),
        handshake: false,
        done: Done {
            sent: Vec::new(),
            closed: None,
            removed: None,
        },
    };
    driver.work();
    for (at, flight) in flights.iter().enumerate() {
        for chunk in flight {
            driver.input(chunk);
        }
        if at + 1 < flights.len() && std::mem::take(&mut driver.handshake) {
            driver.session.handle_tls(now);
        }
    }
    match silent {
        true => {
            let later = now + Duration::from_secs(600);
            driver.session.handle_timeout(later);
        }
        false => driver.session.handle_eof(now),
    }
    driver.work();
    driver.done.removed = driver.shelf.removed();
    driver.done
}

struct Driver {
    session: Box<dyn Server>,
    now: Instant,
    shelf: Shelf,
    handshake: bool,
    done: Done,
}

impl Driver {
    fn input(&mut self, mut input: &[u8]) {
        let mut idle = 0;
        while !input.is_empty() {
            let before = self.done.sent.len();
            let consumed = self.session.handle_input(self.now, input);
            input = &input[consumed..];
            self.work();
            idle = match consumed == 0 && before == self.done.sent.len() {
                true => idle + 1,
                false => 0,
            };
            assert!(idle < 4, "progress");
        }
    }

    fn work(&mut self) {
        loop {
            let sent = self.session.transmit(self.now);
            self.done.sent.extend_from_slice(&sent);
            match self.session.poll_event() {
                Some(Event::Login(Login::Password { password, .. })) => {
                    self.answer(password.expose() != "no");
                }
                Some(Event::Login(Login::Sasl {
                    initial_response: None,
                    ..
                })) => self.session.challenge(self.now, "YWJj"),
                Some(Event::Login(_) | Event::SaslResponse(_)) => self.answer(true),
                Some(Event::SaslCanceled) => {}
                Some(Event::StartTls) => self.handshake = true,
                Some(Event::Closed(how)) => {
                    assert_eq!(self.done.closed, None, "it closes once");
                    self.done.closed = Some(how);
                }
                Some(other) => panic!("{other:?} is unknown"),
                None if sent.is_empty() => return,
                None => {}
            }
        }
    }

    fn answer(&mut self, yes: bool) {
        let verdict = match yes {
            true => Verdict::Accept(self.shelf.clone()),
            false => Verdict::Reject,
        };
        self.session.answer(self.now, verdict);
    }
}

impl Done {
    /// A panic where what was done is not what had to be.
    pub(super) fn compare(&self, expected: &Expected) {
        let kinds: Vec<Awaited> = expected.replies.iter().map(|(kind, _)| *kind).collect();
        let (replies, fault) = oracle::replies(&kinds, false, &self.sent);
        let sent = || shown(&self.sent);
        assert_eq!(fault, None, "{}\nfor {expected:?}", sent());
        for (reply, (_, answer)) in replies.iter().zip(&expected.replies) {
            let right = match (reply, answer) {
                (Reply::Challenge(text), Answer::Challenge) => text == b"YWJj",
                (Reply::Challenge(_), _) | (_, Answer::Challenge) => false,
                (
                    Reply::Status {
                        positive,
                        text,
                        block,
                        ..
                    },
                    answer,
                ) => match answer {
                    Answer::Refused(code) => {
                        !positive && code.is_none_or(|code| text.starts_with(code.as_bytes()))
                    }
                    Answer::Fine => *positive,
                    Answer::Says(start) => *positive && text.starts_with(start.as_bytes()),
                    Answer::Block(expected) => *positive && block == expected,
                    Answer::Offers(name, offered) => {
                        let mut lines = block.split(|&octet| octet == b'\n');
                        let line = [name.as_bytes(), b"\r"].concat();
                        *positive && lines.any(|found| found == line) == *offered
                    }
                    Answer::Challenge => false,
                },
            };
            assert!(right, "{reply:?} is not {answer:?}: {}", sent());
        }
        let done = (self.closed, &self.removed);
        let due = (expected.closed, &expected.removed);
        assert_eq!(done, due, "how it ends: {}", sent());
    }
}

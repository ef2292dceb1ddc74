//! A server with its driver, and what the replies say that matters.

use std::time::{Duration, Instant};

use pop3_proto::{
    Expiry, Mechanism,
    server::{Closed, Config, Event, Login, Tls, Verdict},
};

use super::Setting;
use crate::{
    generate::shown,
    oracle::{self, Awaited, Reply, ReplyFault},
    view::{Server, Servers, Shelf},
};

const MESSAGES: [(&str, &[u8]); 4] = [
    ("same", b".\r\n\r\n.\n"),
    ("same", b""),
    ("other", b"a: b\r\n\r\n.c\r\nd\re"),
    ("utf8", b"a: \xC3\xA9\r\n\r\n"),
];

/// The messages that are served, with their unique-ids.
pub(super) const fn messages(setting: Setting) -> &'static [(&'static str, &'static [u8])] {
    match setting.offers_all {
        true => &MESSAGES,
        false => MESSAGES.split_at(3).0,
    }
}

/// Where APOP is offered.
pub(super) const TIMESTAMP: &str = "<1.2@host>";

/// The seconds between logins, and the implementation, where they are announced.
pub(super) const LOGIN_DELAY: u32 = 60;
pub(super) const IMPLEMENTATION: &str = "x";

/// Challenges in one exchange.
pub(super) const CHALLENGES: u32 = 2;

/// The response that leads to one more challenge: `more`.
pub(super) const MORE: &str = "bW9yZQ==";

/// Passwords, digests and responses that the driver does not accept, and the
/// response codes (RFC 2449 §8.1, RFC 3206) that clients are to see for them.
pub(super) const REFUSED: [(&str, &str); 6] = [
    ("no", "[AUTH]"),
    // `no` in base64.
    ("bm8=", "[AUTH]"),
    ("in-use", "[IN-USE]"),
    ("login-delay", "[LOGIN-DELAY]"),
    ("sys-temp", "[SYS/TEMP]"),
    ("sys-perm", "[SYS/PERM]"),
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
    /// The block, or what comes of it, has no end.
    BreaksOff,
}

fn config(setting: Setting) -> Config {
    let names = ["PLAIN", "CRAM-MD5"].map(|name| Mechanism::new(name).expect("a mechanism"));
    let config = Config::new()
        .tls(match setting.no_stls {
            true => Tls::Unavailable,
            false => Tls::Offered,
        })
        .dangerous_plaintext_without_tls(!setting.passwords_need_tls)
        .challenges(CHALLENGES)
        .mechanisms(&names)
        .expect("few mechanisms");
    if !setting.offers_all {
        return config;
    }
    let config = config.utf8(true).utf8_names(true).login_delay(LOGIN_DELAY);
    let config = config.expire(Expiry::Never).implementation(IMPLEMENTATION);
    let config = config.and_then(|config| config.apop(TIMESTAMP));
    config.expect("fit for replies")
}

pub(super) fn run(
    servers: Servers,
    setting: Setting,
    flights: &[Vec<&[u8]>],
    now: Instant,
) -> Done {
    let messages = messages(setting).iter();
    let messages = messages.map(|&(unique_id, message)| (unique_id.to_owned(), message.to_vec()));
    let mut driver = Driver {
        session: servers(config(setting), now),
        now,
        shelf: Shelf::new(messages.collect()).in_trouble(setting.in_trouble),
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
    match setting.silent {
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
                    self.answer(password.expose());
                }
                Some(Event::Login(Login::Apop { digest, .. })) => self.answer(digest.expose()),
                Some(Event::Login(Login::Sasl {
                    initial_response, ..
                })) => self.sasl(initial_response.as_ref().map_or(MORE, |text| text.expose())),
                Some(Event::SaslResponse(text)) => self.sasl(text.expose()),
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

    fn sasl(&mut self, response: &str) {
        if response != MORE {
            self.answer(response);
        } else if self.session.challenge(self.now, "YWJj").is_err() {
            self.answer("no");
        }
    }

    fn answer(&mut self, secret: &str) {
        let verdict = match secret {
            "no" | "bm8=" => Verdict::Reject,
            "in-use" => Verdict::InUse,
            "login-delay" => Verdict::LoginDelay,
            "sys-temp" => Verdict::Temporary,
            "sys-perm" => Verdict::Permanent,
            _ => Verdict::Accept(self.shelf.clone()),
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
        let breaks_off = matches!(expected.replies.last(), Some((_, Answer::BreaksOff)));
        let due = breaks_off.then_some(ReplyFault::Block);
        assert_eq!(fault, due, "{}\nfor {expected:?}", sent());
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
                    Answer::BreaksOff => *positive,
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

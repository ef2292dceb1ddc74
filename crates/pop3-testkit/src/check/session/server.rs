//! Drives a server's session and compares its replies with those of the model.

use std::time::{Duration, Instant};

use dot_stuffing_testkit::{
    generate::shown,
    oracle::{Newline, canonical},
};
use pop3_proto::{
    Expiry, Mechanism,
    server::{Closed, Config, Event, Login, Tls, Verdict},
};

use crate::{
    oracle::{
        self, Answer, Awaited, CHALLENGES, Ended, IMPLEMENTATION, LOGIN_DELAY, MORE, Reply,
        ReplyFault, Setup, TIMESTAMP,
    },
    view::{MemoryMaildrop, Server, Servers},
};

const MESSAGES: [(&str, &[u8]); 4] = [
    ("same", b".\r\n\r\n.\n"),
    ("same", b""),
    ("other", b"a: b\r\n\r\n.c\r\nd\re"),
    ("utf8", b"a: \xC3\xA9\r\n\r\n"),
];

/// The messages of the server, with their unique-ids.
const fn messages(setup: Setup) -> &'static [(&'static str, &'static [u8])] {
    match setup.offers_all {
        true => &MESSAGES,
        false => MESSAGES.split_at(3).0,
    }
}

/// The same messages as a client receives them.
pub(super) fn texts(setup: Setup) -> Vec<(String, Vec<u8>)> {
    let text = |message| canonical(Newline::Canonicalize, message);
    let messages = messages(setup).iter();
    let messages = messages.map(|&(unique_id, message)| {
        (
            unique_id.to_owned(),
            text(message).expect("nothing is refused"),
        )
    });
    messages.collect()
}

pub(super) const MECHANISMS: [&str; 2] = ["PLAIN", "CRAM-MD5"];

/// Returns the response code (RFC 2449 §8.1, RFC 3206) that clients see if the
/// driver rejects a password, digest or response.
pub(super) fn refusal(_name: Option<&str>, secret: &str) -> Option<&'static str> {
    Some(match secret {
        // `no` in base64.
        "no" | "bm8=" => "[AUTH]",
        "in-use" => "[IN-USE]",
        "login-delay" => "[LOGIN-DELAY]",
        "sys-temp" => "[SYS/TEMP]",
        "sys-perm" => "[SYS/PERM]",
        _ => return None,
    })
}

/// The result of a server's session.
pub(super) struct Done {
    sent: Vec<u8>,
    closed: Option<Closed>,
    removed: Option<Vec<u32>>,
}

fn config(setup: Setup) -> Config {
    let names = MECHANISMS.map(|name| Mechanism::new(name).expect("a mechanism"));
    let config = Config::new()
        .tls(match setup.no_stls {
            true => Tls::Unavailable,
            false => Tls::Offered,
        })
        .dangerous_plaintext_without_tls(!setup.passwords_need_tls)
        .challenges(CHALLENGES)
        .mechanisms(&names)
        .expect("few mechanisms");
    if !setup.offers_all {
        return config;
    }
    let config = config.utf8(true).utf8_names(true).login_delay(LOGIN_DELAY);
    let config = config.expire(Expiry::Never).implementation(IMPLEMENTATION);
    let config = config.and_then(|config| config.apop(TIMESTAMP));
    config.expect("fit for replies")
}

pub(super) fn run(
    servers: Servers,
    setup: Setup,
    silent: bool,
    flights: &[Vec<&[u8]>],
    now: Instant,
) -> Done {
    let messages = messages(setup).iter();
    let messages = messages.map(|&(unique_id, message)| (unique_id.to_owned(), message.to_vec()));
    let mut driver = Driver {
        session: servers(config(setup), now),
        now,
        maildrop: MemoryMaildrop::new(messages.collect()).in_trouble(setup.in_trouble),
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
    driver.done.removed = driver.maildrop.removed();
    driver.done
}

struct Driver {
    session: Box<dyn Server>,
    now: Instant,
    maildrop: MemoryMaildrop,
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
        let verdict = match refusal(None, secret) {
            None => Verdict::Accept(self.maildrop.clone()),
            Some("[IN-USE]") => Verdict::InUse,
            Some("[LOGIN-DELAY]") => Verdict::LoginDelay,
            Some("[SYS/TEMP]") => Verdict::Temporary,
            Some("[SYS/PERM]") => Verdict::Permanent,
            Some(_) => Verdict::Reject,
        };
        self.session.answer(self.now, verdict);
    }
}

impl Done {
    /// Panics unless the result is that of the model.
    pub(super) fn compare(&self, answers: &[Answer], model: &oracle::Server, silent: bool) {
        let kinds = answers.iter().map(|answer| match answer {
            Answer::Challenge => Awaited::Sasl,
            Answer::BreaksOff | Answer::Yes(_, Some(_)) => Awaited::Message,
            Answer::Yes(..) | Answer::No(_) => Awaited::Line,
        });
        let (replies, fault) = oracle::replies(&kinds.collect::<Vec<_>>(), false, &self.sent);
        let sent = || shown(&self.sent);
        let breaks_off = answers.last() == Some(&Answer::BreaksOff);
        let due = breaks_off.then_some(ReplyFault::Block);
        assert_eq!(fault, due, "{}\nfor {answers:?}", sent());
        for (reply, answer) in replies.iter().zip(answers) {
            assert!(
                is_right(reply, answer),
                "{reply:?} is not {answer:?}: {}",
                sent()
            );
        }
        let closed = match model.ended {
            Some(Ended::Quit) => Closed::Quit,
            Some(Ended::Updated) => Closed::Updated,
            Some(Ended::UpdateFailed) => Closed::UpdateFailed,
            Some(Ended::MessageFailed) => Closed::MessageFailed,
            None if silent => Closed::Autologout,
            None => Closed::Eof,
        };
        let done = (self.closed, &self.removed);
        let due = (Some(closed), &model.removed());
        assert_eq!(done, due, "how it ends: {}", sent());
    }
}

fn is_right(reply: &Reply, answer: &Answer) -> bool {
    let Reply::Status {
        positive,
        text,
        block,
        ..
    } = reply
    else {
        return *answer == Answer::Challenge && *reply == Reply::Challenge(b"YWJj".to_vec());
    };
    let starts_with = |start: &str| text.starts_with(start.as_bytes());
    match answer {
        Answer::Challenge => false,
        Answer::BreaksOff => *positive,
        Answer::No(code) => !positive && starts_with(code.unwrap_or_default()),
        Answer::Yes(start, expected) => {
            let is_expected = expected.as_ref().is_none_or(|expected| expected == block);
            *positive && is_expected && starts_with(start.as_deref().unwrap_or_default())
        }
    }
}

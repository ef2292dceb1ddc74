//! A server's session with a driver, and a clock that moves only if told to.

use std::time::{Duration, Instant};

use pop3_proto::server::{Closed, Config, Event, Login, Session, State, Tls, Verdict};
use pop3_testkit::{
    oracle,
    store::{Locked, Store},
};

pub(crate) use pop3_testkit::oracle::PASSWORD;

/// A store of messages, each with its own unique-id.
pub(crate) fn store(messages: &[&[u8]]) -> Store {
    let store = Store::default();
    for (number, octets) in (1..).zip(messages) {
        store.deliver(&format!("<uid.{number}"), octets);
    }
    store
}

pub(crate) struct Server {
    pub(crate) session: Session<Locked>,
    pub(crate) store: Store,
    pub(crate) now: Instant,
    /// All octets that were sent.
    pub(crate) sent: Vec<u8>,
    /// All events in their `Debug` form.
    pub(crate) events: Vec<String>,
    pub(crate) closed: Option<Closed>,
    /// The largest number of octets returned at once.
    pub(crate) most: usize,
}

impl Server {
    pub(crate) fn new(config: Config, store: &Store) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(config, now),
            store: store.clone(),
            now,
            sent: Vec::new(),
            events: Vec::new(),
            closed: None,
            most: 0,
        }
    }

    /// A session that allows passwords without TLS.
    pub(crate) fn plain(store: &Store) -> Self {
        let config = Config::new().tls(Tls::Unavailable);
        Self::new(config.dangerous_plaintext_without_tls(true), store)
    }

    /// A session after the login, with its output so far erased.
    pub(crate) fn logged_in(store: &Store) -> Self {
        let mut server = Self::plain(store);
        server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
        assert_eq!(server.session.state(), State::Transaction);
        server.sent.clear();
        server
    }

    /// Sends all pending output and handles the events.
    pub(crate) fn pump(&mut self) {
        loop {
            while let Some(octets) = self.session.poll_transmit() {
                self.most = self.most.max(octets.len());
                self.sent.extend(octets);
                let written = octets.len();
                self.session.handle_transmitted(self.now, written);
            }
            let Some(event) = self.session.poll_event() else {
                return;
            };
            self.events.push(format!("{event:?}"));
            let refusal = match event {
                Event::Login(Login::Password { name, password }) => {
                    oracle::account(Some(name.as_str()), password.expose())
                }
                Event::Login(Login::Sasl {
                    initial_response: None,
                    ..
                }) => {
                    self.session.challenge(self.now, "").unwrap();
                    continue;
                }
                Event::Login(Login::Sasl {
                    initial_response: Some(text),
                    ..
                })
                | Event::SaslResponse(text) => oracle::account(None, text.expose()),
                Event::Closed(why) => {
                    assert_eq!(self.closed.replace(why), None);
                    continue;
                }
                _ => continue,
            };
            let verdict = match refusal {
                None => self.store.lock().map_or(Verdict::InUse, Verdict::Accept),
                Some(_) => Verdict::Reject,
            };
            self.session.answer(self.now, verdict);
        }
    }

    /// Feeds input until the session has consumed all of it.
    pub(crate) fn run(&mut self, mut input: &[u8]) {
        self.pump();
        while !input.is_empty() {
            let consumed = self.session.handle_input(self.now, input);
            assert!(
                consumed > 0 || self.session.poll_transmit().is_some(),
                "no progress"
            );
            input = &input[consumed..];
            self.pump();
        }
    }

    /// Feeds input, and returns the octets sent because of it.
    pub(crate) fn ask(&mut self, input: &str) -> String {
        let before = self.sent.len();
        self.run(input.as_bytes());
        String::from_utf8(self.sent[before..].to_vec()).unwrap()
    }

    /// Requires that the answer to each command is negative and has one line.
    #[track_caller]
    pub(crate) fn refuses(&mut self, commands: &[&str]) {
        for command in commands {
            let answer = self.ask(&format!("{command}\r\n"));
            assert!(
                answer.starts_with("-ERR ") && answer.ends_with("\r\n"),
                "{command}: {answer}"
            );
            assert_eq!(answer.matches("\r\n").count(), 1, "{command}: {answer}");
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.session.handle_timeout(self.now);
        self.pump();
    }
}

//! A maildrop in memory, and a driver with a clock of its own.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use pop3_proto::{
    MessageNumber, UniqueId,
    server::{Closed, Config, Event, Login, Maildrop, Session, State, Tls, Verdict},
};
use pop3_testkit::oracle::{self, NAME, Newline};

pub(crate) use pop3_testkit::oracle::{PASSWORD, PLAIN};

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) locked: bool,
    pub(crate) commits: u32,
    pub(crate) fail_open: Option<io::ErrorKind>,
    /// No surrogates are made of messages beyond ASCII.
    pub(crate) needs_utf8: bool,
    pub(crate) fail_commit: bool,
    /// After so many octets, reading a message fails.
    pub(crate) fail_read_at: Option<usize>,
    /// The most that one read of a message asked for.
    pub(crate) most_asked: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Store(pub(crate) Rc<RefCell<Contents>>);

impl Store {
    pub(crate) fn new(messages: &[&[u8]]) -> Self {
        let store = Self::default();
        store.0.borrow_mut().messages = messages.iter().map(|octets| octets.to_vec()).collect();
        store
    }

    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.0.borrow().messages.clone()
    }

    /// The maildrop, unless another session has it.
    pub(crate) fn lock(&self) -> Option<Locked> {
        let mut contents = self.0.borrow_mut();
        if contents.locked {
            return None;
        }
        contents.locked = true;
        let unique_ids = (1..=contents.messages.len())
            .map(|n| format!("<uid.{n}"))
            .collect();
        Some(Locked {
            store: self.clone(),
            unique_ids,
        })
    }
}

pub(crate) struct Locked {
    store: Store,
    unique_ids: Vec<String>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.store.0.borrow_mut().locked = false;
    }
}

/// As octets are sent: each bare CR or LF is CRLF, and so is the end.
pub(crate) fn canonical(message: &[u8]) -> Vec<u8> {
    oracle::canonical(Newline::Canonicalize, message).unwrap()
}

impl Maildrop for Locked {
    type Message = Message;

    fn messages(&self) -> u32 {
        self.unique_ids.len() as u32
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        canonical(&self.store.0.borrow().messages[number.index()]).len() as u64
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        UniqueId::new(self.unique_ids[number.index()].as_bytes()).unwrap()
    }

    fn needs_utf8(&self, number: MessageNumber) -> bool {
        let contents = self.store.0.borrow();
        contents.needs_utf8 && !contents.messages[number.index()].is_ascii()
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Message> {
        if let Some(kind) = self.store.0.borrow().fail_open {
            return Err(kind.into());
        }
        Ok(Message {
            octets: self.store.0.borrow().messages[number.index()].clone(),
            at: 0,
            interrupted: false,
            store: self.store.clone(),
        })
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let mut contents = self.store.0.borrow_mut();
        contents.commits += 1;
        if contents.fail_commit {
            return Err(io::Error::other("read-only"));
        }
        for (gone, number) in deleted.enumerate() {
            contents.messages.remove(number.index() - gone);
        }
        Ok(())
    }
}

/// Read in runs of 1 to 3 octets if it is small, and every other read is
/// interrupted.
pub(crate) struct Message {
    octets: Vec<u8>,
    at: usize,
    interrupted: bool,
    store: Store,
}

impl io::Read for Message {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut contents = self.store.0.borrow_mut();
        contents.most_asked = contents.most_asked.max(into.len());
        if contents.fail_read_at.is_some_and(|at| at <= self.at) {
            return Err(io::Error::other("bad sector"));
        }
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let run = if self.octets.len() > 1000 {
            into.len()
        } else {
            1 + self.at % 3
        };
        let end = (self.at + run).min(self.octets.len());
        let read = end - self.at;
        into[..read].copy_from_slice(&self.octets[self.at..end]);
        self.at = end;
        Ok(read)
    }
}

pub(crate) struct Server {
    pub(crate) session: Session<Locked>,
    pub(crate) store: Store,
    pub(crate) now: Instant,
    /// All octets sent.
    pub(crate) sent: Vec<u8>,
    /// All events, as `Debug` shows them.
    pub(crate) events: Vec<String>,
    pub(crate) closed: Option<Closed>,
    /// The most octets handed out at once.
    pub(crate) most: usize,
    /// How many octets a write takes.
    pub(crate) write: usize,
    /// Whether the driver's directory is away.
    pub(crate) temporary: bool,
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
            write: usize::MAX,
            temporary: false,
        }
    }

    /// With passwords allowed, and no TLS.
    pub(crate) fn plain(store: &Store) -> Self {
        let config = Config::new().tls(Tls::Unavailable);
        Self::new(config.dangerous_plaintext_without_tls(true), store)
    }

    /// Logged in, and what was sent so far forgotten.
    pub(crate) fn logged_in(store: &Store) -> Self {
        let mut server = Self::plain(store);
        server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
        assert_eq!(server.session.state(), State::Transaction);
        server.sent.clear();
        server
    }

    /// Sends what there is to send, and sees to the events.
    pub(crate) fn pump(&mut self) {
        loop {
            while let Some(octets) = self.session.poll_transmit() {
                self.most = self.most.max(octets.len());
                let written = octets.len().min(self.write);
                self.sent.extend(&octets[..written]);
                self.session.handle_transmitted(self.now, written);
            }
            let Some(event) = self.session.poll_event() else {
                return;
            };
            self.events.push(format!("{event:?}"));
            let right = match event {
                Event::Login(Login::Password { name, password }) => {
                    name == NAME && password.expose() == PASSWORD
                }
                Event::Login(Login::Apop { digest, .. }) => digest.expose() == "digest",
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
                | Event::SaslResponse(text) => text.expose() == PLAIN,
                Event::Closed(why) => {
                    assert_eq!(self.closed.replace(why), None);
                    continue;
                }
                _ => continue,
            };
            let verdict = match right {
                _ if self.temporary => Verdict::Temporary,
                true => self.store.lock().map_or(Verdict::InUse, Verdict::Accept),
                false => Verdict::Reject,
            };
            self.session.answer(self.now, verdict);
        }
    }

    /// Gives input until all is consumed.
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

    /// Gives input, and returns what was sent because of it.
    pub(crate) fn ask(&mut self, input: &str) -> String {
        let before = self.sent.len();
        self.run(input.as_bytes());
        String::from_utf8(self.sent[before..].to_vec()).unwrap()
    }

    /// Whether the answer to each command says no, and is one line.
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

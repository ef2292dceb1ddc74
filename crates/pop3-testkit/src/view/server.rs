//! A server's session under test, and what it serves.

use std::{
    io::{self, Cursor},
    sync::{Arc, Mutex},
    time::Instant,
};

use pop3_proto::{
    MessageNumber, UniqueId,
    server::{self, Config, Maildrop, Verdict},
};

use crate::oracle::{self, Newline};

/// Begins a server's session.
pub type Servers = fn(Config, Instant) -> Box<dyn Server>;

/// Messages with their unique-ids, and a record of what becomes of them.
#[derive(Clone, Default)]
pub struct Shelf {
    messages: Arc<Vec<(String, Vec<u8>)>>,
    removed: Arc<Mutex<Option<Vec<u32>>>>,
}

impl Shelf {
    /// A maildrop of these unique-ids and messages.
    #[must_use]
    pub fn new(messages: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            messages: Arc::new(messages),
            removed: Arc::default(),
        }
    }

    /// The messages removed in the UPDATE state, if it was entered since this
    /// was last asked.
    #[must_use]
    pub fn removed(&self) -> Option<Vec<u32>> {
        self.removed.lock().ok()?.take()
    }
}

impl Maildrop for Shelf {
    type Message = Cursor<Vec<u8>>;

    fn messages(&self) -> u32 {
        self.messages.len() as u32
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        let (_, message) = &self.messages[number.index()];
        let text = oracle::canonical(Newline::Canonicalize, message);
        text.expect("nothing is refused").len() as u64
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        UniqueId::new(self.messages[number.index()].0.as_bytes()).expect("a unique-id")
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Self::Message> {
        Ok(Cursor::new(self.messages[number.index()].1.clone()))
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let deleted = deleted.map(MessageNumber::get).collect();
        *self.removed.lock().expect("no panic") = Some(deleted);
        Ok(())
    }
}

/// The session of a server.
pub type Serving = server::Session<Shelf>;

/// A server's session.
pub trait Server {
    /// The session that the calls go to.
    fn sound(&mut self) -> &mut Serving;

    /// All there is to send, taken as sent.
    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let session = self.sound();
        let mut sent = Vec::new();
        while let Some(octets) = session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            session.handle_transmitted(now, octets);
        }
        sent
    }

    /// See [`server::Session::poll_event`].
    fn poll_event(&mut self) -> Option<server::Event> {
        self.sound().poll_event()
    }

    /// See [`server::Session::answer`].
    fn answer(&mut self, now: Instant, verdict: Verdict<Shelf>) {
        self.sound().answer(now, verdict);
    }

    /// See [`server::Session::challenge`].
    fn challenge(&mut self, now: Instant, base64: &str) {
        self.sound().challenge(now, base64).expect("a challenge");
    }

    /// See [`server::Session::handle_input`].
    fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        self.sound().handle_input(now, input)
    }

    /// See [`server::Session::handle_tls`].
    fn handle_tls(&mut self, now: Instant) {
        self.sound().handle_tls(now);
    }

    /// See [`server::Session::handle_eof`].
    fn handle_eof(&mut self, _now: Instant) {
        self.sound().handle_eof();
    }

    /// See [`server::Session::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant) {
        self.sound().handle_timeout(now);
    }
}

impl Server for Serving {
    fn sound(&mut self) -> &mut Serving {
        self
    }
}

/// The server of pop3-proto.
#[must_use]
pub fn server(config: Config, now: Instant) -> Box<dyn Server> {
    Box::new(Serving::new(config, now))
}

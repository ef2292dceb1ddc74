//! The server's session as a trait, and the maildrop that it serves.

use std::{
    io::{self, Chain, Cursor, Read},
    sync::{Arc, Mutex},
    time::Instant,
};

use dot_stuffing_testkit::oracle::{self, Newline};
use pop3_proto::{
    MessageNumber, UniqueId,
    server::{self, ChallengeError, Config, Maildrop, Verdict},
};

/// Begins a server's session.
pub type Servers = fn(Config, Instant) -> Box<dyn Server>;

/// Messages with their unique-ids, and a record of what happens to them.
#[derive(Clone, Default)]
pub struct MemoryMaildrop {
    messages: Arc<Vec<(String, Vec<u8>)>>,
    removed: Arc<Mutex<Option<Vec<u32>>>>,
    in_trouble: bool,
}

/// The number of octets of a message that a [`MemoryMaildrop`] in trouble returns
/// before the error.
const BREAKS_OFF_AT: usize = 3;

impl MemoryMaildrop {
    /// Creates a maildrop of these messages with their unique-ids.
    #[must_use]
    pub fn new(messages: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            messages: Arc::new(messages),
            removed: Arc::default(),
            in_trouble: false,
        }
    }

    /// If true, message 1 is damaged, message 2 cannot be read now, the others
    /// break off after a few octets, and none can be removed.
    #[must_use]
    pub fn in_trouble(self, in_trouble: bool) -> Self {
        Self { in_trouble, ..self }
    }

    /// Returns the messages that were removed in the UPDATE state, if a session has
    /// entered it since the last call.
    #[must_use]
    pub fn removed(&self) -> Option<Vec<u32>> {
        self.removed.lock().ok()?.take()
    }
}

/// The end of a message: the end of input, or an error.
pub struct MessageEnd(Option<io::ErrorKind>);

impl Read for MessageEnd {
    fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        self.0.map_or(Ok(0), |kind| Err(kind.into()))
    }
}

impl Maildrop for MemoryMaildrop {
    type Message = Chain<Cursor<Vec<u8>>, MessageEnd>;

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

    /// A message beyond ASCII has no surrogate.
    fn needs_utf8(&self, number: MessageNumber) -> bool {
        !self.messages[number.index()].1.is_ascii()
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Self::Message> {
        let mut octets = self.messages[number.index()].1.clone();
        let mut end = None;
        match number.get() {
            _ if !self.in_trouble => {}
            1 => return Err(io::ErrorKind::InvalidData.into()),
            2 => return Err(io::ErrorKind::TimedOut.into()),
            _ => {
                octets.truncate(BREAKS_OFF_AT);
                end = Some(io::ErrorKind::BrokenPipe);
            }
        }
        Ok(Cursor::new(octets).chain(MessageEnd(end)))
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        if self.in_trouble {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        let deleted = deleted.map(MessageNumber::get).collect();
        *self.removed.lock().expect("no panic") = Some(deleted);
        Ok(())
    }
}

/// The session of a server.
pub type ServerSession = server::Session<MemoryMaildrop>;

/// A server's session.
pub trait Server {
    /// Returns the session that the calls use.
    fn inner(&mut self) -> &mut ServerSession;

    /// Returns all pending output, and marks it as sent.
    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let session = self.inner();
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
        self.inner().poll_event()
    }

    /// See [`server::Session::answer`].
    fn answer(&mut self, now: Instant, verdict: Verdict<MemoryMaildrop>) {
        self.inner().answer(now, verdict);
    }

    /// See [`server::Session::challenge`].
    fn challenge(&mut self, now: Instant, base64: &str) -> Result<(), ChallengeError> {
        self.inner().challenge(now, base64)
    }

    /// See [`server::Session::handle_input`].
    fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        self.inner().handle_input(now, input)
    }

    /// See [`server::Session::handle_tls`].
    fn handle_tls(&mut self, now: Instant) {
        self.inner().handle_tls(now);
    }

    /// See [`server::Session::handle_eof`].
    fn handle_eof(&mut self, _now: Instant) {
        self.inner().handle_eof();
    }

    /// See [`server::Session::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant) {
        self.inner().handle_timeout(now);
    }
}

impl Server for ServerSession {
    fn inner(&mut self) -> &mut ServerSession {
        self
    }
}

/// Returns the server of pop3-proto.
#[must_use]
pub fn server(config: Config, now: Instant) -> Box<dyn Server> {
    Box::new(ServerSession::new(config, now))
}

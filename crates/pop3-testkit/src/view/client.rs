//! The client's session as a trait. A known bug overrides one call; all others use
//! the session of pop3-proto.

use std::{fmt, time::Instant};

use dot_stuffing_testkit::generate::shown;
use pop3_proto::{
    Command, MessageNumber,
    client::{
        self, Capabilities, ClientError, Config, DeleteProof, Delivered, Event, Request, Response,
        Retrieved, SessionError, State,
    },
};

/// Begins a client's session.
pub type Clients = fn(Config, Instant) -> Box<dyn Client>;

/// The result of one piece of input.
pub struct ClientStep {
    /// The number of octets that the session has consumed.
    pub consumed: usize,
    /// The events that it reports.
    pub said: Vec<ClientEvent>,
    /// The error that ended the session, if there is one.
    pub error: Option<SessionError>,
}

/// An owned event of a client's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// Whether the greeting is positive, and its text.
    Greeting(bool, Vec<u8>),
    /// The first line of a reply: the request, whether the reply is positive, the
    /// text, and the listing in it, or the error, if the request has one.
    Status(Request, bool, Vec<u8>, Option<String>),
    /// A SASL challenge.
    Challenge(Vec<u8>),
    /// Octets of a message.
    Data(Vec<u8>),
    /// The message-number and the octets.
    Scan(u32, u64),
    /// The message-number and the unique-id.
    UniqueId(u32, String),
    /// A capability.
    Capability(String),
    /// A line of another listing.
    Line(Vec<u8>),
    /// A malformed line, and the message-number if an earlier line had the same.
    Malformed(String, Option<MessageNumber>),
    /// The end of the block of a reply.
    End {
        /// The request that the reply answers.
        request: Request,
        /// The number of octets in the block.
        octets: u64,
        /// The number of well-formed lines of a listing.
        entries: u64,
        /// The number of malformed lines.
        malformed: u64,
        /// The highest message-number.
        highest: u32,
    },
}

impl fmt::Display for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |positive| if positive { '+' } else { '-' };
        match self {
            Self::Greeting(positive, text) => {
                write!(f, "greeting {} {}", sign(*positive), shown(text))
            }
            Self::Status(request, positive, text, listing) => {
                let keyword = request.keyword();
                write!(f, "{keyword} {} {}", sign(*positive), shown(text))?;
                listing
                    .iter()
                    .try_for_each(|listing| write!(f, " = {listing}"))
            }
            Self::Challenge(octets) => write!(f, "challenge {}", octets.escape_ascii()),
            Self::Data(octets) => write!(f, "data {}", shown(octets)),
            Self::Scan(number, octets) => write!(f, "scan {number} {octets}"),
            Self::UniqueId(number, unique_id) => write!(f, "unique-id {number} {unique_id}"),
            Self::Capability(line) => write!(f, "capability {line}"),
            Self::Line(octets) => write!(f, "line {}", octets.escape_ascii()),
            Self::Malformed(error, _) => write!(f, "malformed {error}"),
            Self::End {
                request,
                octets,
                entries,
                malformed,
                highest,
            } => match request {
                Request::Retr(_) | Request::Top(..) => {
                    write!(f, "end {} octets {octets}", request.keyword())
                }
                _ => write!(
                    f,
                    "end {} octets {octets} entries {entries} malformed {malformed} highest {highest}",
                    request.keyword()
                ),
            },
        }
    }
}

/// The session of pop3-proto, with the proofs that it has returned.
pub struct ClientSession {
    session: client::Session,
    retrieved: Vec<Retrieved>,
}

/// A client's session.
pub trait Client {
    /// Returns the session that the calls use.
    fn inner(&mut self) -> &mut ClientSession;

    /// See [`client::Session::enqueue`].
    fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.inner().session.enqueue(now, command)
    }

    /// Returns the proof that a message may be deleted, if there is one.
    fn proof(&mut self, number: MessageNumber) -> Option<DeleteProof> {
        let mut retrieved = self.inner().retrieved.iter();
        let found = retrieved.find(|retrieved| retrieved.number() == number)?;
        Some((*found).into())
    }

    /// See [`client::Session::enqueue_dele`].
    fn enqueue_dele(&mut self, now: Instant, proof: DeleteProof) -> Result<(), ClientError> {
        self.inner().session.enqueue_dele(now, proof)
    }

    /// See [`client::Session::respond`].
    fn respond(&mut self, now: Instant, response: Response<'_>) -> Result<(), ClientError> {
        self.inner().session.respond(now, response)
    }

    /// Returns all pending output, and marks it as sent.
    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let session = &mut self.inner().session;
        let mut sent = Vec::new();
        while let Some(octets) = session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            session.handle_transmitted(now, octets);
        }
        sent
    }

    /// See [`client::Session::handle_input`].
    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        self.inner().handle_input(now, input)
    }

    /// See [`client::Session::handle_eof`].
    fn handle_eof(&mut self) -> Result<(), SessionError> {
        self.inner().session.handle_eof()
    }

    /// See [`client::Session::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant) -> Result<(), SessionError> {
        self.inner().session.handle_timeout(now)
    }

    /// See [`client::Session::handle_tls`].
    fn handle_tls(&mut self, now: Instant) -> Result<(), ClientError> {
        self.inner().session.handle_tls(now)
    }

    /// See [`client::Session::state`].
    fn state(&mut self) -> State {
        self.inner().session.state()
    }

    /// See [`client::Session::is_under_tls`].
    fn is_under_tls(&mut self) -> bool {
        self.inner().session.is_under_tls()
    }

    /// See [`client::Session::capabilities`].
    fn capabilities(&mut self) -> Capabilities {
        self.inner().session.capabilities().clone()
    }

    /// See [`client::Session::apop_timestamp`].
    fn apop_timestamp(&mut self) -> Option<String> {
        self.inner().session.apop_timestamp().map(Into::into)
    }
}

impl Client for ClientSession {
    fn inner(&mut self) -> &mut ClientSession {
        self
    }
}

impl ClientSession {
    /// Creates a session for a new connection.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            session: client::Session::new(config, now),
            retrieved: Vec::new(),
        }
    }

    /// Returns the session of pop3-proto.
    #[must_use]
    pub const fn session(&self) -> &client::Session {
        &self.session
    }

    /// Returns a proof that rests on the caller's word, for a message of an earlier
    /// session.
    #[must_use]
    pub fn held(number: MessageNumber) -> DeleteProof {
        Delivered::in_an_earlier_session(number).into()
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let mut said = Vec::new();
        let (consumed, error) = match self.session.handle_input(now, input) {
            Ok(step) => {
                if let Some(Event::End(end)) = step.event {
                    self.retrieved.extend(end.retrieved);
                }
                said.extend(step.event.as_ref().map(kept));
                (step.consumed, None)
            }
            Err(error) => (0, Some(error)),
        };
        ClientStep {
            consumed,
            said,
            error,
        }
    }
}

/// Returns the client of pop3-proto.
#[must_use]
pub fn client(config: Config, now: Instant) -> Box<dyn Client> {
    Box::new(ClientSession::new(config, now))
}

fn kept(event: &Event<'_>) -> ClientEvent {
    match event {
        Event::Greeting(status) => {
            ClientEvent::Greeting(status.is_positive(), status.text().into())
        }
        Event::Status(reply) => {
            let listing = match reply.request {
                _ if !reply.is_positive() => None,
                Request::Stat => Some(reply.drop_listing().map_or_else(
                    |error| error.to_string(),
                    |listing| format!("{} {}", listing.messages, listing.octets),
                )),
                Request::List(Some(_)) => Some(reply.scan_listing().map_or_else(
                    |error| error.to_string(),
                    |listing| format!("{} {}", listing.number, listing.octets),
                )),
                Request::Uidl(Some(_)) => Some(reply.unique_id_listing().map_or_else(
                    |error| error.to_string(),
                    |listing| format!("{} {}", listing.number, listing.unique_id),
                )),
                _ => None,
            };
            let text = reply.status.text().into();
            ClientEvent::Status(reply.request, reply.is_positive(), text, listing)
        }
        Event::Challenge(octets) => ClientEvent::Challenge((*octets).into()),
        Event::Data(octets) => ClientEvent::Data((*octets).into()),
        Event::Scan(listing) => ClientEvent::Scan(listing.number.get(), listing.octets),
        Event::UniqueId(listing) => {
            ClientEvent::UniqueId(listing.number.get(), listing.unique_id.to_string())
        }
        Event::Capability(capability) => ClientEvent::Capability(capability.to_string()),
        Event::Line(line) => ClientEvent::Line((*line).into()),
        Event::Malformed(error) => ClientEvent::Malformed(
            error.to_string(),
            match error.kind {
                client::LineErrorKind::Duplicate(number) => Some(number),
                _ => None,
            },
        ),
        Event::End(end) => ClientEvent::End {
            request: end.request,
            octets: end.complete.octets,
            entries: end.entries,
            malformed: end.malformed,
            highest: end.highest,
        },
        other => panic!("{other:?} is unknown"),
    }
}

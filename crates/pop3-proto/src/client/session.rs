//! The session and its calls, except those that take the server's octets.

use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use std::time::Instant;

use dot_stuffing::{DecodeError, MultilineDecoder};

use super::{
    Capabilities, ClientError, Config, DeleteProof, Pending, Request, Response, SessionError,
    State, Timer, Transport, listing::ListingDecoder, state::Core,
};
use crate::{Command, ReplyError, first_line::FirstLineDecoder};

/// The client's side of one connection, from the greeting to the end (RFC 1939 §3).
///
/// It refuses commands that may not be sent, before any octet is sent; matches each
/// reply with its command; pipelines if the server announces PIPELINING; and ends
/// for good when the server's octets cannot be trusted any more
/// ([`State::Desync`]).
///
/// # Calls
///
/// [`enqueue`](Self::enqueue), [`enqueue_dele`](Self::enqueue_dele) and
/// [`respond`](Self::respond) say what to send; `handle_*` report what happened,
/// and when; `poll_*` ask what the driver must do. Every other call may change what
/// a `poll_*` returns. After any call, the driver:
///
/// 1. sends what [`poll_transmit`](Self::poll_transmit) returns, and reports with
///    [`handle_transmitted`](Self::handle_transmitted) how much was sent, until
///    there is nothing more;
/// 2. passes what it read to [`handle_input`](Self::handle_input) until all is
///    consumed, and acts on the [`Event`](super::Event)s that it returns. They are
///    slices of the input, so there is no `poll_event` here. After the positive
///    reply to STLS, it does the TLS handshake and calls
///    [`handle_tls`](Self::handle_tls); at the end of the input it calls
///    [`handle_eof`](Self::handle_eof);
/// 3. calls [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
///
/// An error of a `handle_*` call is final: the session has ended, and each further
/// call repeats the error.
///
/// Message octets are slices of the input. A session holds at most 512 octets of a
/// first line or of a line of a listing, a challenge, a bit for each number of a
/// listing, the numbers marked as deleted, and the commands that wait; each within
/// its [`Limits`](super::Limits).
///
/// ```
/// use std::time::Instant;
/// use pop3_proto::client::{Config, Event, Session, Transport};
/// use pop3_proto::{Argument, Command, Profile, Secret};
///
/// let now = Instant::now();
/// let config = Config::new(Profile::OUTLOOK_2024, Transport::Tls);
/// let mut session = Session::new(config, now);
///
/// session.handle_input(now, b"+OK ready\r\n")?;
/// session.enqueue(now, &Command::User(Argument::new("mrose")?))?;
/// let sent = session.poll_transmit().map_or(0, |octets| {
///     assert_eq!(octets, b"USER mrose\r\n");
///     octets.len()
/// });
/// session.handle_transmitted(now, sent);
///
/// let step = session.handle_input(now, b"+OK\r\n")?;
/// assert!(matches!(step.event, Some(Event::Status(reply)) if reply.is_positive()));
/// session.enqueue(now, &Command::Pass(Secret::new("tanstaaf")?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    pub(super) first_lines: FirstLineDecoder,
    pub(super) reading: Reading,
    pub(super) core: Core,
}

/// What the next octets belong to.
pub(super) enum Reading {
    /// Nothing: no reply has begun.
    Nothing,
    /// The first line of the reply to a request, or of the greeting.
    FirstLine(Option<Request>),
    Listing(Box<ListingDecoder>),
    Message(Request, MultilineDecoder),
}

impl Session {
    /// A session for a connection that was opened at `now`.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        // A proof is valid only in its own session.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            first_lines: FirstLineDecoder::new(config.reply_rule()),
            reading: Reading::Nothing,
            core: Core::new(config, NEXT.fetch_add(1, Ordering::Relaxed), now),
        }
    }

    /// The state of the session.
    #[must_use]
    pub const fn state(&self) -> State {
        self.core.state
    }

    /// The capabilities that the server has announced.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.core.capabilities
    }

    /// Whether TLS protects the connection.
    #[must_use]
    pub const fn is_under_tls(&self) -> bool {
        self.core.under_tls
    }

    /// The timestamp for APOP, including brackets, if the greeting has one that is
    /// a message-id, and no STLS followed.
    #[must_use]
    pub fn apop_timestamp(&self) -> Option<&str> {
        self.core.apop_timestamp.as_deref()
    }

    /// Whether every command has its complete reply, and no challenge waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.core.is_idle()
    }

    /// Queues a command.
    ///
    /// # Errors
    ///
    /// If the command may not be sent now. Then nothing changes, and no octet is
    /// sent. DELE is always refused: see [`enqueue_dele`](Self::enqueue_dele).
    pub fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.core.check(command)?;
        if let Command::Dele(_) = command {
            return Err(ClientError::ProofNeeded);
        }
        self.core.push(command)?;
        self.core.user_accepted = false;
        self.core.timers.keep_or_arm(Timer::Reply, now);
        Ok(())
    }

    /// Queues DELE for a message, with the proof that it is stored:
    /// [`Retrieved`](super::Retrieved) or [`Delivered`](super::Delivered).
    ///
    /// When pipelining, DELE waits until all earlier commands except other DELEs
    /// are answered, and a later QUIT waits for its reply;
    /// [`Retrieved`](super::Retrieved) explains why. The fastest order is all
    /// RETRs, then all DELEs, then QUIT.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue); also for a proof of another session.
    ///
    /// ```
    /// use std::time::Instant;
    /// use pop3_proto::client::{ClientError, Config, Delivered, Session, Transport};
    /// use pop3_proto::{MessageNumber, Profile};
    ///
    /// let now = Instant::now();
    /// let mut session = Session::new(Config::new(Profile::RFC1939, Transport::Tls), now);
    /// let proof = Delivered::in_an_earlier_session(MessageNumber::FIRST);
    /// let refused = session.enqueue_dele(now, proof); // C0025: not before login.
    /// assert!(matches!(refused, Err(ClientError::WrongState { .. })));
    /// ```
    pub fn enqueue_dele(
        &mut self,
        now: Instant,
        proof: impl Into<DeleteProof>,
    ) -> Result<(), ClientError> {
        let proof = proof.into();
        let command = Command::Dele(proof.number);
        self.core.check(&command)?;
        self.core.check_proof(proof)?;
        self.core.push(&command)?;
        self.core.deleted.insert(proof.number);
        self.core.timers.keep_or_arm(Timer::Reply, now);
        Ok(())
    }

    /// Answers a challenge, or cancels the exchange.
    ///
    /// # Errors
    ///
    /// If no challenge waits, or the response is not base64 or, with CRLF, longer
    /// than [`MAX_SASL_LINE`](crate::MAX_SASL_LINE). Then nothing changes.
    pub fn respond(&mut self, now: Instant, response: Response<'_>) -> Result<(), ClientError> {
        self.core.push_response(response)?;
        self.core.timers.arm(Timer::Reply, now);
        Ok(())
    }

    /// Returns the octets to send next; `None` if there are none now. It returns
    /// the same octets until [`handle_transmitted`](Self::handle_transmitted) is
    /// called; a reply before that is unsolicited.
    ///
    /// They may contain secrets: do not log them.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.core.queue.transmit()
    }

    /// Marks the first `octets` of what [`poll_transmit`](Self::poll_transmit)
    /// returned as sent, and erases them. A larger number marks all of them. No
    /// timer depends on this: the time for a reply counts from
    /// [`enqueue`](Self::enqueue).
    pub fn handle_transmitted(&mut self, _now: Instant, octets: usize) {
        self.core.queue.transmitted(octets);
    }

    /// Handles the end of the TLS handshake after STLS. Clears what was learned
    /// before: the capabilities and the timestamp of the greeting (RFC 2595 §4).
    /// Send CAPA again.
    ///
    /// # Errors
    ///
    /// If no handshake is due; then nothing changes. That includes a session that
    /// has ended because further octets arrived with the reply to STLS.
    pub fn handle_tls(&mut self, now: Instant) -> Result<(), ClientError> {
        if self.core.state != State::Handshake {
            return Err(ClientError::StlsNotAllowed);
        }
        self.first_lines = FirstLineDecoder::new(self.core.config.reply_rule());
        self.core.capabilities = Capabilities::default();
        self.core.apop_timestamp = None;
        self.core.under_tls = true;
        self.core.config.transport = Transport::Tls;
        self.core.state = State::Authorization;
        self.core.timers.arm(Timer::Idle, now);
        Ok(())
    }

    /// What the session waits for, and what it has received; after its end, what it
    /// waited for then.
    #[must_use]
    pub fn pending(&self) -> Pending {
        let block = match &self.reading {
            Reading::Nothing | Reading::FirstLine(_) => None,
            Reading::Listing(listing) => Some(listing.block().wire_octets()),
            Reading::Message(_, block) => Some(block.wire_octets()),
        };
        self.core.heard.pending(self.core.awaited(), block)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` if never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.due()
    }

    /// Handles the passing of time.
    ///
    /// # Errors
    ///
    /// If a time limit has passed, or the session has already ended. A call that is
    /// too early changes nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), SessionError> {
        if let Some((error, _)) = self.core.failure {
            return Err(error);
        }
        match self.core.timers.expired(now) {
            Some(timer) => Err(self.core.fail(SessionError::Timeout(timer))),
            None => Ok(()),
        }
    }
}

pub(super) fn in_block(error: DecodeError) -> SessionError {
    SessionError::Reply(ReplyError::Block(error))
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("profile", &self.core.config.profile.name)
            .field("state", &self.core.state)
            .field("under_tls", &self.core.under_tls)
            .field("queue", &self.core.queue)
            .field("failure", &self.core.failure)
            .finish_non_exhaustive()
    }
}

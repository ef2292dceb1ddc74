//! The session and its calls, but for those that take the server's octets.

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

/// One connection, from the greeting to its end (RFC 1939 §3), seen by the
/// client.
///
/// Refuses commands that may not be sent before an octet of them is; takes
/// each reply for the answer to the command that it belongs to; pipelines where
/// the server announces it; and is over, for good, when the server's octets
/// cannot be trusted any more ([`State::Desync`]).
///
/// # Calls
///
/// [`enqueue`](Self::enqueue), [`enqueue_dele`](Self::enqueue_dele) and
/// [`respond`](Self::respond) say what to send; `handle_*` say what happened, and when;
/// `poll_*` ask what the driver has to do. Every other call may change what a `poll_*`
/// gives. After any call, the driver:
///
/// 1. sends what [`poll_transmit`](Self::poll_transmit) gives, and says with
///    [`handle_transmitted`](Self::handle_transmitted) how much of it is sent, until there
///    is nothing more;
/// 2. gives [`handle_input`](Self::handle_input) what it read until all is consumed, and
///    acts on the [`Event`](super::Event)s that it returns. They are slices of the input,
///    so there is no `poll_event` here. After the positive reply to STLS, a TLS handshake
///    ends with [`handle_tls`](Self::handle_tls); the end of the input goes to
///    [`handle_eof`](Self::handle_eof);
/// 3. calls [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
///
/// An error of a `handle_*` call is final: the session is over, and the error repeats.
///
/// Message octets are slices of the input. Held are at most: 512 octets of a
/// first line or of a line of a listing, a challenge, a bit for each number of
/// a listing, the numbers marked as deleted, and the commands that wait; each
/// within its [`Limits`](super::Limits).
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

/// What the next octets are part of.
pub(super) enum Reading {
    /// No reply: none has begun.
    Nothing,
    /// The first line of the reply to a request, or of the greeting.
    FirstLine(Option<Request>),
    Listing(Box<ListingDecoder>),
    Message(Request, MultilineDecoder),
}

impl Session {
    /// A session of a connection that was made just now.
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

    /// Where the session is.
    #[must_use]
    pub const fn state(&self) -> State {
        self.core.state
    }

    /// What the server has announced.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.core.capabilities
    }

    /// Whether TLS protects the connection.
    #[must_use]
    pub const fn is_under_tls(&self) -> bool {
        self.core.under_tls
    }

    /// The timestamp for APOP, brackets included, if the greeting has one that
    /// is a message-id, and no STLS came after it.
    #[must_use]
    pub fn apop_timestamp(&self) -> Option<&str> {
        self.core.apop_timestamp.as_deref()
    }

    /// Whether every command has its whole reply, and no challenge waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.core.is_idle()
    }

    /// Puts a command at the end of the queue.
    ///
    /// # Errors
    ///
    /// If it may not be sent now. Nothing changes then, and no octet is sent.
    /// DELE is refused always: see [`enqueue_dele`](Self::enqueue_dele).
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

    /// Puts DELE at the end of the queue, for a message that is proven to be
    /// kept: [`Retrieved`](super::Retrieved), or [`Delivered`](super::Delivered).
    ///
    /// When pipelining it waits until all commands before it are answered but
    /// other DELEs, and QUIT behind it waits for its reply: see
    /// [`Retrieved`](super::Retrieved) for why. Fastest is all RETRs, then all
    /// DELEs, then QUIT.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue); also for the proof of another session.
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
    /// If no challenge waits, or the response is not base64 or is longer than
    /// [`MAX_SASL_LINE`](crate::MAX_SASL_LINE), CRLF included. Nothing changes then.
    pub fn respond(&mut self, now: Instant, response: Response<'_>) -> Result<(), ClientError> {
        self.core.push_response(response)?;
        self.core.timers.arm(Timer::Reply, now);
        Ok(())
    }

    /// The octets to send next; `None` if there are none now. The same again until
    /// [`handle_transmitted`](Self::handle_transmitted) says otherwise; a reply before that
    /// is unsolicited.
    ///
    /// May hold secrets: do not log it.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.core.queue.transmit()
    }

    /// Says that the first `octets` of what [`poll_transmit`](Self::poll_transmit) gave are
    /// sent, and erases them. More than it gave counts as all of it. No timer depends on
    /// it: the time for a reply counts from [`enqueue`](Self::enqueue).
    pub fn handle_transmitted(&mut self, _now: Instant, octets: usize) {
        self.core.queue.transmitted(octets);
    }

    /// Says that the TLS handshake after STLS is done. All that was learnt before is
    /// forgotten: capabilities and the timestamp of the greeting (RFC 2595 §4).
    /// Ask for CAPA again.
    ///
    /// # Errors
    ///
    /// If no handshake is due: nothing changes then. None is due any more when octets came
    /// in one read with the reply to STLS, and the session is over by that.
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

    /// What the session waits for, and what came of it; once it is over, what it
    /// waited for then.
    #[must_use]
    pub fn pending(&self) -> Pending {
        let block = match &self.reading {
            Reading::Nothing | Reading::FirstLine(_) => None,
            Reading::Listing(listing) => Some(wire_octets(listing.block())),
            Reading::Message(_, block) => Some(wire_octets(block)),
        };
        self.core.heard.pending(self.core.awaited(), block)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` if never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.due()
    }

    /// Says that it is `now`.
    ///
    /// # Errors
    ///
    /// If what was waited for did not come in time, or the session was over
    /// before. Too early a call changes nothing.
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

/// The octets of a block so far, on the wire.
const fn wire_octets(block: &MultilineDecoder) -> u64 {
    match block.finish() {
        Err(error) => error.offset(),
        Ok(complete) => complete.wire_octets,
    }
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

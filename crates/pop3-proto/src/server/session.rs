//! The session and its calls: octets in, octets out, time, events.

use core::{fmt, mem};
use std::time::Instant;

use dot_stuffing::LineDecoder;

use super::{
    Closed, Config, Event, Maildrop, State, Tls, authorization::LoginState, maildrop::Marked,
    reply::Reply,
};
use crate::Command;

/// The server's side of one session, from the greeting to the end (RFC 1939 §3).
///
/// # Calls
///
/// `poll_*` ask what the driver must do; `handle_*` report what happened, and when;
/// [`answer`](Self::answer) and [`challenge`](Self::challenge) decide about a
/// login. Every other call may change what a `poll_*` returns. After any call, the
/// driver:
///
/// 1. sends what [`poll_transmit`](Self::poll_transmit) returns, and reports with
///    [`handle_transmitted`](Self::handle_transmitted) how much was sent, until
///    there is nothing more;
/// 2. does what [`poll_event`](Self::poll_event) asks for: it answers a login, or
///    does a TLS handshake and calls [`handle_tls`](Self::handle_tls);
/// 3. passes what it read to [`handle_input`](Self::handle_input), keeps what is
///    not consumed, and reads only if it keeps nothing; at the end of the input it
///    calls [`handle_eof`](Self::handle_eof);
/// 4. calls [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
///
/// How the input is cut changes nothing. A session never panics. It holds one
/// command, one SASL line, one piece of a reply and the marks of DELE; it holds no
/// message, and nothing that grows with what the client sends.
///
/// ```
/// use std::{io, time::Instant};
///
/// use pop3_proto::{MessageNumber, UniqueId};
/// use pop3_proto::server::{Closed, Config, Event, Maildrop, Session, Verdict};
///
/// struct One;
///
/// impl Maildrop for One {
///     type Message = &'static [u8];
///     fn messages(&self) -> u32 {
///         1
///     }
///     fn octets(&self, _: MessageNumber) -> u64 {
///         14
///     }
///     fn unique_id(&self, _: MessageNumber) -> UniqueId<'_> {
///         UniqueId::new(b"one").unwrap()
///     }
///     fn open(&mut self, _: MessageNumber) -> io::Result<&'static [u8]> {
///         Ok(b"A: b\r\n\r\n.dot\r\n")
///     }
///     fn commit(self, _: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// let now = Instant::now();
/// let mut session = Session::new(Config::new().dangerous_plaintext_without_tls(true), now);
/// let mut input = &b"USER me\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n"[..];
/// let mut sent = Vec::new();
/// loop {
///     while let Some(octets) = session.poll_transmit() {
///         sent.extend_from_slice(octets);
///         let octets = octets.len();
///         session.handle_transmitted(now, octets);
///     }
///     match session.poll_event() {
///         Some(Event::Login(_)) => session.answer(now, Verdict::Accept(One)),
///         Some(Event::Closed(why)) => break assert_eq!(why, Closed::Updated),
///         _ => {
///             let consumed = session.handle_input(now, input);
///             input = &input[consumed..];
///         }
///     }
/// }
/// let sent = String::from_utf8(sent)?;
/// assert!(sent.starts_with("+OK POP3 ready\r\n+OK\r\n"));
/// assert!(sent.contains("+OK 14 octets\r\nA: b\r\n\r\n..dot\r\n.\r\n"));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
pub struct Session<M: Maildrop> {
    pub(super) config: Config,
    pub(super) tls: Tls,
    pub(super) utf8: bool,
    pub(super) failed_logins: u32,
    /// The number of challenges in the AUTH exchange.
    pub(super) challenges: u32,
    pub(super) phase: Phase<M>,
    pub(super) reply: Reply<M::Message>,
    pub(super) after_reply: AfterReply,
    pub(super) event: Option<Event>,
    lines: LineDecoder<{ Command::MAX_OCTETS }>,
    deadline: Option<Instant>,
}

/// The phase of a session (RFC 1939 §3).
pub(super) enum Phase<M> {
    Authorization(LoginState),
    Transaction(Marked<M>),
    /// The UPDATE state has ended, or was never entered; the last reply may still
    /// be outstanding.
    Over,
}

/// What to do after the reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterReply {
    GoOn,
    StartTls,
    Close(Closed),
}

impl<M: Maildrop> Session<M> {
    /// A session for a client that has just connected; it sends the greeting first
    /// (RFC 1939 §4, MS-STANOPOP3 C0002). With [`Tls::Active`], the handshake is
    /// already done.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        let mut reply = Reply::new();
        match &config.apop_timestamp {
            Some(timestamp) => reply.line(format_args!("+OK {} {timestamp}", config.greeting)),
            None => reply.line(format_args!("+OK {}", config.greeting)),
        }
        let mut session = Self {
            tls: config.tls,
            config,
            utf8: false,
            failed_logins: 0,
            challenges: 0,
            phase: Phase::Authorization(LoginState::None),
            reply,
            after_reply: AfterReply::GoOn,
            event: None,
            lines: LineDecoder::new(),
            deadline: None,
        };
        session.restart_autologout(now);
        session
    }

    /// The state of the session.
    #[must_use]
    pub const fn state(&self) -> State {
        match &self.phase {
            Phase::Authorization(LoginState::Tls) => State::Handshake,
            Phase::Authorization(_) => State::Authorization,
            Phase::Transaction(_) => State::Transaction,
            Phase::Over if self.reply.is_empty() => State::Closed,
            Phase::Over => State::Closing,
        }
    }

    /// Returns the octets to send next, at most about twice
    /// [`MESSAGE_PIECE`](super::MESSAGE_PIECE); `None` if there are none now.
    ///
    /// It returns the same octets until
    /// [`handle_transmitted`](Self::handle_transmitted) is called. It reads the
    /// message of a RETR or TOP.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        let marked = match &self.phase {
            Phase::Transaction(marked) => Some(marked),
            _ => None,
        };
        if self.reply.fill(marked).is_err() {
            // A block cannot contain -ERR.
            self.close(Closed::MessageFailed);
        }
        Some(self.reply.octets()).filter(|octets| !octets.is_empty())
    }

    /// Marks the first `octets` of what [`poll_transmit`](Self::poll_transmit)
    /// returned as sent. A larger number marks all of them.
    pub fn handle_transmitted(&mut self, now: Instant, octets: usize) {
        if self.reply.is_empty() {
            return;
        }
        self.reply.sent(octets);
        if octets > 0 {
            self.restart_autologout(now);
        }
        self.reply_sent();
    }

    /// Returns what the driver must do, if anything.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// Reads commands, and returns the number of octets consumed.
    ///
    /// It stops after a command with a reply: send that, handle the event, and call
    /// this again with the rest. If it consumes nothing, there is something to send
    /// or to do first, or a login to answer. After STLS and until
    /// [`handle_tls`](Self::handle_tls), it consumes and discards all input (RFC
    /// 2595 §4), and after the end too.
    pub fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        let mut consumed = 0;
        while consumed < input.len() {
            if matches!(
                self.phase,
                Phase::Authorization(LoginState::Tls) | Phase::Over
            ) {
                return input.len();
            }
            if !self.reply.is_empty() || self.event.is_some() {
                break;
            }
            let rest = &input[consumed..];
            consumed += match &mut self.phase {
                Phase::Authorization(LoginState::Asked { .. }) => break,
                Phase::Authorization(LoginState::Response { .. }) => self.read_response(now, rest),
                _ => self.read_command(now, rest),
            };
        }
        consumed
    }

    /// Handles the end of the input: the client closed its side, and all earlier
    /// input has been consumed. The current reply may still be sent; then the
    /// session ends, and nothing is removed (RFC 1939 §6).
    pub fn handle_eof(&mut self) {
        match (&self.phase, self.after_reply) {
            // The session has ended, or is about to end.
            (Phase::Over, _) => {}
            (_, AfterReply::GoOn | AfterReply::StartTls) if !self.reply.is_empty() => {
                self.after_reply = AfterReply::Close(Closed::Eof);
            }
            _ => self.close(Closed::Eof),
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` if never.
    /// May change with every call of any other method.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the session if the autologout timer has expired: without a reply, and
    /// nothing is removed (RFC 1939 §3). Otherwise does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.close(Closed::Autologout);
        }
    }

    /// The number of rejected logins in this session. The driver decides whether to
    /// pause or to close the connection.
    #[must_use]
    pub const fn failed_logins(&self) -> u32 {
        self.failed_logins
    }

    /// Whether the client asked for UTF8 (RFC 6856 §2). Check it at a login, to
    /// choose the right maildrop.
    #[must_use]
    pub const fn is_utf8(&self) -> bool {
        self.utf8
    }

    pub(super) fn ok(&mut self) {
        self.reply.line("+OK");
    }

    pub(super) fn refuse(&mut self, why: impl fmt::Display) {
        self.reply.line(format_args!("-ERR {why}"));
    }

    /// Ends the session after the reply is sent.
    pub(super) fn end(&mut self, why: Closed) {
        self.phase = Phase::Over;
        self.after_reply = AfterReply::Close(why);
    }

    pub(super) fn restart_autologout(&mut self, now: Instant) {
        self.deadline = now.checked_add(self.config.autologout);
    }

    fn read_command(&mut self, now: Instant, input: &[u8]) -> usize {
        // Take the decoder out, so that its line does not borrow the session.
        let mut lines = mem::take(&mut self.lines);
        let consumed = match lines.decode(input) {
            Ok(step) => {
                if let Some(line) = step.event {
                    self.restart_autologout(now);
                    self.command(line);
                }
                step.consumed
            }
            Err(_) => {
                lines.skip_line();
                self.restart_autologout(now);
                self.forget_name();
                let most = Command::MAX_OCTETS;
                self.refuse(format_args!("the command is longer than {most} octets"));
                0
            }
        };
        self.lines = lines;
        consumed
    }

    fn command(&mut self, line: &[u8]) {
        match (Command::parse(line), &self.phase) {
            (Ok(command), Phase::Authorization(_)) => self.authorization(command),
            (Ok(command), Phase::Transaction(_)) => self.transaction(command),
            (Ok(_), Phase::Over) => {}
            (Err(error), _) => {
                self.forget_name();
                self.refuse(error);
            }
        }
    }

    fn reply_sent(&mut self) {
        if !self.reply.is_empty() {
            return;
        }
        match mem::replace(&mut self.after_reply, AfterReply::GoOn) {
            AfterReply::GoOn => {}
            AfterReply::StartTls => self.event = Some(Event::StartTls),
            AfterReply::Close(why) => self.close(why),
        }
    }

    fn close(&mut self, why: Closed) {
        // If the last reply could not be sent, its result still counts.
        let why = match mem::replace(&mut self.after_reply, AfterReply::GoOn) {
            AfterReply::Close(first) => first,
            _ => why,
        };
        self.phase = Phase::Over;
        self.reply = Reply::new();
        self.event = Some(Event::Closed(why));
        self.deadline = None;
    }
}

/// Writes the state of the session, and nothing that the client sent.
impl<M: Maildrop> fmt::Debug for Session<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("state", &self.state())
            .field("tls", &self.tls)
            .field("failed_logins", &self.failed_logins)
            .finish_non_exhaustive()
    }
}

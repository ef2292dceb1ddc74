//! Drives the session on its stream: all octets and all time pass through here.
//!
//! One `poll` repeatedly reads, delivers events, sends, and checks the clock. It
//! reads even while it cannot send, so that two full windows do not wait for each
//! other, and it delivers all events of one read without returning to the runtime.

use core::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use pop3_proto::{
    Command,
    client::{
        Capabilities, ClientError, Config, Event, Pending, Response, Session, SessionError,
        SessionFailure,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{Error, Waiting, refusal::Words, secrets::Secrets};

/// A stream on which a client can run.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

pub(super) type Stream = Box<dyn Duplex>;

/// The octets read at once. 64 to 256 KiB are equally fast; this fits the
/// second-level cache.
const READ_OCTETS: usize = 128 * 1024;

/// The time limit for close_notify at the end of TLS.
const FAREWELL: core::time::Duration = core::time::Duration::from_secs(2);

/// One or more commands with their replies.
pub(super) trait Call {
    type Output;
    type Error: From<Error>;

    /// Queues the next commands, but none with a secret, which needs
    /// [`Driver::enqueue`]. Returns `Some` if the exchange is already done.
    fn next(
        &mut self,
        _session: &mut Session,
        _now: std::time::Instant,
    ) -> Result<Option<Self::Output>, Self::Error> {
        Ok(None)
    }

    /// Handles an event. Returns `Some` if it was the last one.
    fn event(
        &mut self,
        event: Event<'_>,
        words: Words<'_>,
    ) -> Result<Option<Self::Output>, Self::Error>;
}

pub(super) struct Driver {
    stream: Stream,
    session: Session,
    secrets: Secrets,
    buffer: Box<[u8]>,
    /// The part of the buffer that is read but not consumed.
    start: usize,
    end: usize,
    /// The error after which nothing can be sent any more.
    broken: Option<io::Error>,
    /// Whether something was written since the last flush.
    unflushed: bool,
    /// The time of the last read, which is the session's time.
    now: std::time::Instant,
    /// The alarm, never later than the first deadline. It is often earlier, because
    /// moving it at each read would cost more than some needless wakeups.
    alarm: Pin<Box<Sleep>>,
    /// The time at which the whole session must end.
    deadline: Option<Instant>,
    /// Whether an exchange has begun but not ended.
    pub(super) busy: bool,
}

impl Driver {
    pub(super) fn new(stream: Stream, config: Config, deadline: Option<Instant>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            session: Session::new(config, now.into_std()),
            secrets: Secrets::default(),
            buffer: vec![0; READ_OCTETS].into_boxed_slice(),
            start: 0,
            end: 0,
            broken: None,
            unflushed: false,
            now: now.into_std(),
            alarm: Box::pin(sleep_until(now)),
            deadline,
            busy: false,
        }
    }

    /// Updates and returns the session's time. Call it before queueing commands.
    fn tick(&mut self) -> std::time::Instant {
        self.now = Instant::now().into_std();
        self.now
    }

    /// Begins an exchange. Fails if an earlier one has not ended.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let now = self.tick();
        if let Err(error) = self.session.handle_timeout(now) {
            return Err(self.failed(error));
        }
        match self.busy {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }

    /// What the session waits for, without repeated secrets.
    fn pending(&self) -> Pending {
        let is_clean = |came: &[u8]| self.secrets.shown(came).is_some();
        self.session.pending().shown_if(is_clean)
    }

    /// The error for a session that ended.
    #[cold]
    fn failed(&self, error: SessionError) -> Error {
        let pending = self.pending();
        Error::of_session(SessionFailure { error, pending })
    }

    /// The error for the time limit of the whole session.
    #[cold]
    fn late(&self) -> Error {
        Error::Timeout(Waiting::Session, Some(self.pending()))
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    pub(super) const fn secrets_mut(&mut self) -> &mut Secrets {
        &mut self.secrets
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Queues a command, and keeps its secrets from being shown.
    pub(super) fn enqueue(&mut self, command: &Command<'_>) -> Result<(), ClientError> {
        let now = self.tick();
        match command {
            Command::Pass(password) => self.secrets.keep_line("PASS ", password.expose()),
            Command::Apop { name, digest } => {
                let public = format!("APOP {} ", name.as_str());
                self.secrets.keep_line(&public, digest.expose());
            }
            Command::Auth {
                mechanism,
                initial_response: Some(response),
            } => {
                let public = format!("AUTH {} ", mechanism.as_str());
                self.secrets.keep_line(&public, response.expose());
            }
            _ => {}
        }
        self.session.enqueue(now, command)
    }

    /// Answers a challenge, and keeps the response from being shown.
    pub(super) fn respond(&mut self, response: Response<'_>) -> Result<(), ClientError> {
        let now = self.tick();
        if let Response::Base64(text) = response {
            self.secrets.keep_line("", text.expose());
        }
        self.session.respond(now, response)
    }

    /// Tells the session that the TLS handshake after STLS succeeded.
    pub(super) fn handle_tls(&mut self) -> Result<(), ClientError> {
        let now = self.tick();
        self.session.handle_tls(now)
    }

    /// Runs an exchange.
    pub(super) async fn run<E: Call>(&mut self, mut exchange: E) -> Result<E::Output, E::Error> {
        self.busy = true;
        // The capabilities before the replies of this exchange apply.
        let announced = self.session.capabilities().clone();
        let result = poll_fn(|cx| self.poll_run(cx, &mut exchange, &announced)).await;
        // After a mere refusal, the session is idle and can continue.
        self.busy = result.is_err() && !self.session.is_idle();
        result
    }

    fn poll_run<E: Call>(
        &mut self,
        cx: &mut Context<'_>,
        exchange: &mut E,
        announced: &Capabilities,
    ) -> Poll<Result<E::Output, E::Error>> {
        loop {
            while self.start < self.end {
                let input = &self.buffer[self.start..self.end];
                let step = self.session.handle_input(self.now, input);
                let step = match step {
                    Ok(step) => step,
                    Err(error) => return Poll::Ready(Err(self.failed(error).into())),
                };
                self.start += step.consumed;
                let words = Words::new(announced, &self.secrets);
                if let Some(event) = step.event
                    && let Some(output) = exchange.event(event, words)?
                {
                    return Poll::Ready(Ok(output));
                }
            }
            if let Some(output) = exchange.next(&mut self.session, self.now)? {
                return Poll::Ready(Ok(output));
            }
            if self.broken.is_none()
                && let Err(error) = self.poll_send(cx)
            {
                // Octets that the server sent before it closed must still be read.
                self.broken = Some(error);
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => {
                    let ended = self.session.handle_eof();
                    let error = ended.err().unwrap_or(SessionError::Closed(None));
                    return Poll::Ready(Err(self.failed(error).into()));
                }
                Poll::Ready(Ok(_)) => {
                    let now = self.tick();
                    // A server that never pauses would keep the alarm from firing.
                    if self
                        .deadline
                        .is_some_and(|deadline| deadline.into_std() <= now)
                    {
                        return Poll::Ready(Err(self.late().into()));
                    }
                }
                Poll::Ready(Err(error)) => {
                    let error = self.broken.take().unwrap_or(error);
                    let pending = Some(self.pending());
                    return Poll::Ready(Err(Error::Io(error, pending).into()));
                }
                Poll::Pending => {
                    let error = ready!(self.poll_late(cx));
                    return Poll::Ready(Err(error.into()));
                }
            }
        }
    }

    /// Sends as much as the stream accepts.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(octets) = self.session.poll_transmit() {
            match Pin::new(&mut self.stream).poll_write(cx, octets) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(sent)) => {
                    self.session.handle_transmitted(self.now, sent);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
        if self.unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            flushed?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Reads into the empty buffer. Returns 0 at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let octets = match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) => buffer.filled().len(),
            // TLS ended without close_notify, which is like the end of TCP. The
            // session knows whether something is missing.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        (self.start, self.end) = (0, octets);
        Poll::Ready(Ok(octets))
    }

    /// Ready when a deadline has passed.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        loop {
            let due = self.session.poll_timeout().map(Instant::from_std);
            let Some(first) = due.into_iter().chain(self.deadline).min() else {
                return Poll::Pending;
            };
            if self.alarm.deadline() > first {
                self.alarm.as_mut().reset(first);
            }
            ready!(self.alarm.as_mut().poll(cx));
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(self.late());
            }
            if let Err(error) = self.session.handle_timeout(now.into_std()) {
                return Poll::Ready(self.failed(error));
            }
            self.alarm.as_mut().reset(first);
        }
    }

    /// Releases the stream for the TLS handshake. Octets that came after the reply to STLS
    /// end the session.
    pub(super) fn start_tls(&mut self) -> Result<Stream, Error> {
        let rest = &self.buffer[self.start..self.end];
        match self.session.handle_input(self.now, rest) {
            Ok(_) => Ok(self.take_stream()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn take_stream(&mut self) -> Stream {
        core::mem::replace(&mut self.stream, Box::new(tokio::io::empty()))
    }

    pub(super) fn put_stream(&mut self, stream: Stream) {
        self.stream = stream;
    }

    /// Ends the connection with an untrusted server: cancels the exchange if the
    /// stream accepts that at once, and reads no reply. Every later call fails.
    pub(super) async fn abandon(&mut self) {
        self.busy = true;
        if self.respond(Response::Cancel).is_ok() {
            let _ = poll_fn(|cx| Poll::Ready(self.poll_send(cx))).await;
        }
        self.take_stream();
    }

    /// Sends close_notify, if the other end still reads.
    pub(super) async fn close(mut self) {
        let _ = timeout(FAREWELL, self.stream.shutdown()).await;
    }
}

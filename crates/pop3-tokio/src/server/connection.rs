//! Drives one connection: moves octets between the socket and the session.

use std::{fmt, io, mem, net::IpAddr, sync::Arc, time::Duration};

use pop3_proto::{
    Mechanism,
    server::{Closed, Config, Event, Session, State, Tls},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    select,
    sync::watch,
    task,
    time::{self, Instant},
};
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use super::{
    MailStore, Server,
    counted::{Counted, Counts},
    sasl::SaslExchange,
};
use crate::tls_words;

/// The octets of commands read at once. Each connection has such a buffer, also
/// while it is idle.
const INPUT: usize = 2 * 1024;

/// The octets up to which replies are collected while commands are waiting. Larger
/// pieces are written directly.
const GATHERED: usize = 32 * 1024;

/// How long to wait for the client to close its side. Closing earlier, with unread
/// input, could lose the last reply.
const LINGER: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The session ended.
    Session(Closed),
    /// The client did not log in within the time limit.
    LoginTimeout,
    /// Too many logins were rejected.
    LoginAttempts,
    /// The TLS handshake failed, or took too long.
    Handshake(io::Error),
    /// The server is stopping.
    Stopping,
    /// The connection broke, or the client read nothing for too long.
    Broken(io::Error),
}

/// Writes the text for the log.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(closed) => closed.fmt(f),
            Self::LoginTimeout => f.write_str("no login within the time limit"),
            Self::LoginAttempts => f.write_str("too many rejected logins"),
            Self::Handshake(error) => {
                write!(f, "the TLS handshake failed: {}", tls_words::of_io(error))
            }
            Self::Stopping => f.write_str("the server is stopping"),
            Self::Broken(error) => {
                write!(f, "the connection broke: {}", tls_words::of_io(error))
            }
        }
    }
}

/// What the listener knows about a connection.
pub(super) struct Terms {
    pub(super) peer: IpAddr,
    pub(super) implicit_tls: bool,
    pub(super) stopping: watch::Receiver<bool>,
    /// Whether the thread may block, through `block_in_place`.
    pub(super) may_block: bool,
}

pub(super) struct Connection<'a, S: MailStore> {
    pub(super) server: &'a Server<S>,
    pub(super) session: Session<Counted<S::Maildrop>>,
    pub(super) exchange: Option<SaslExchange>,
    pub(super) counts: Arc<Counts>,
    pub(super) stopping: watch::Receiver<bool>,
    may_block: bool,
    login_deadline: Instant,
    output: Vec<u8>,
    written: u64,
}

/// What to do after the session on a stream.
enum Next {
    StartTls,
    End(Ended),
}

impl<S: MailStore> Server<S> {
    /// Serves one connection that does not come from a
    /// [`Listener`](super::Listener). It begins without TLS; `peer` decides whether
    /// passwords are accepted without TLS.
    ///
    /// Messages are read on the caller's thread.
    pub async fn attend<T>(&self, stream: T, peer: IpAddr) -> Ended
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let (_stop, stopping) = watch::channel(false);
        let terms = Terms {
            peer,
            implicit_tls: false,
            stopping,
            may_block: false,
        };
        self.converse(stream, terms).await
    }

    pub(super) async fn converse<T>(&self, mut stream: T, terms: Terms) -> Ended
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        debug!(tls = terms.implicit_tls, "connected");
        let session = Session::new(self.session_config(&terms), now());
        let mut connection = Connection {
            server: self,
            session,
            exchange: None,
            counts: Arc::default(),
            stopping: terms.stopping,
            may_block: terms.may_block,
            login_deadline: Instant::now() + self.settings.login_timeout,
            output: Vec::new(),
            written: 0,
        };
        let next = match terms.implicit_tls {
            true => Next::StartTls,
            false => connection.talk(&mut stream).await,
        };
        let ended = match next {
            Next::End(ended) => ended,
            Next::StartTls => match connection.handshake(stream).await {
                Ok(mut stream) => match connection.talk(&mut stream).await {
                    Next::End(ended) => ended,
                    // The session offers no second STLS.
                    Next::StartTls => Ended::Handshake(io::ErrorKind::InvalidData.into()),
                },
                Err(ended) => ended,
            },
        };
        connection.log(&ended);
        ended
    }

    fn session_config(&self, terms: &Terms) -> Config {
        let tls = match self.acceptor() {
            _ if terms.implicit_tls => Tls::Active,
            Some(_) => Tls::Offered,
            None => Tls::Unavailable,
        };
        let near = terms.peer.to_canonical().is_loopback();
        let mut config = Config::new()
            .tls(tls)
            .dangerous_plaintext_without_tls(near || self.settings.dangerous_plaintext_without_tls)
            .autologout(self.settings.autologout);
        if let Some(expire) = self.settings.expire {
            config = config.expire(expire);
        }
        let scram = self
            .users
            .get()
            .accounts
            .offers_scram()
            .then_some("SCRAM-SHA-256");
        let mechanisms = scram.into_iter().chain(["PLAIN", "LOGIN"]);
        let mechanisms: Vec<_> = mechanisms.flat_map(Mechanism::new).collect();
        // Three are not too many.
        config.clone().mechanisms(&mechanisms).unwrap_or(config)
    }
}

impl<S: MailStore> Connection<'_, S> {
    async fn handshake<T>(&mut self, stream: T) -> Result<TlsStream<T>, Ended>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(acceptor) = self.server.acceptor() else {
            return Err(Ended::Handshake(io::ErrorKind::Unsupported.into()));
        };
        let limit = self.server.settings.handshake_timeout;
        let handshake = time::timeout(limit, acceptor.accept(stream));
        let done = select! {
            done = handshake => done,
            _ = self.stopping.wait_for(|&stopping| stopping) => return Err(Ended::Stopping),
        };
        let stream = done.unwrap_or_else(|late| Err(late.into()));
        self.session.handle_tls(now());
        stream.map_err(Ended::Handshake)
    }

    async fn talk<T: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut T) -> Next {
        let next = self.exchange_octets(stream).await;
        match next.unwrap_or_else(|error| Next::End(Ended::Broken(error))) {
            Next::End(ended) => {
                if !matches!(ended, Ended::Broken(_)) {
                    // The connection ends here in any case.
                    let _ = time::timeout(LINGER, linger(stream)).await;
                }
                Next::End(ended)
            }
            Next::StartTls => Next::StartTls,
        }
    }

    async fn exchange_octets<T>(&mut self, stream: &mut T) -> io::Result<Next>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = [0; INPUT];
        let mut input = 0..0;
        loop {
            self.transmit(stream).await?;
            if let Some(event) = self.session.poll_event() {
                if let Some(next) = self.see_to(event, stream).await? {
                    return Ok(next);
                }
                continue;
            }
            if self.session.failed_logins() >= self.server.settings.login_attempts {
                self.flush(stream).await?;
                return Ok(Next::End(Ended::LoginAttempts));
            }
            if !input.is_empty() {
                let may_block = self.may_block();
                let commands = &buffer[input.clone()];
                input.start += in_place(may_block, || self.session.handle_input(now(), commands));
                continue;
            }
            self.flush(stream).await?;
            // An idle connection keeps no memory of a long reply.
            self.output = Vec::new();
            match self.read(stream, &mut buffer).await? {
                Read::Octets(0) => self.session.handle_eof(),
                Read::Octets(octets) => input = 0..octets,
                Read::Late => self.session.handle_timeout(now()),
                Read::End(ended) => return Ok(Next::End(ended)),
            }
        }
    }

    async fn see_to<T>(&mut self, event: Event, stream: &mut T) -> io::Result<Option<Next>>
    where
        T: AsyncWrite + Unpin,
    {
        match event {
            Event::Login(login) => {
                self.flush(stream).await?;
                let stopping = self.login(login).await;
                return Ok(stopping.map(Next::End));
            }
            Event::SaslResponse(response) => {
                self.flush(stream).await?;
                let stopping = self.respond(response.expose()).await;
                return Ok(stopping.map(Next::End));
            }
            Event::StartTls => {
                self.flush(stream).await?;
                return Ok(Some(Next::StartTls));
            }
            Event::Closed(why) => {
                self.flush(stream).await?;
                return Ok(Some(Next::End(Ended::Session(why))));
            }
            // This includes events of later versions of the session.
            _ => self.exchange = None,
        }
        Ok(None)
    }

    /// Sends everything that the session has to send now.
    async fn transmit<T: AsyncWrite + Unpin>(&mut self, stream: &mut T) -> io::Result<()> {
        let patience = self.server.settings.autologout;
        loop {
            let may_block = self.may_block();
            let Some(octets) = in_place(may_block, || self.session.poll_transmit()) else {
                return Ok(());
            };
            let taken = if self.output.is_empty() && octets.len() >= GATHERED {
                write(stream, octets, patience).await?
            } else {
                self.output.extend_from_slice(octets);
                octets.len()
            };
            self.written += taken as u64;
            self.session.handle_transmitted(now(), taken);
            if self.output.len() >= GATHERED {
                self.flush(stream).await?;
            }
        }
    }

    /// Writes the collected replies.
    async fn flush<T: AsyncWrite + Unpin>(&mut self, stream: &mut T) -> io::Result<()> {
        let patience = self.server.settings.autologout;
        let mut octets = mem::take(&mut self.output);
        let mut at = 0;
        while at < octets.len() {
            at += write(stream, &octets[at..], patience).await?;
        }
        octets.clear();
        self.output = octets;
        time::timeout(patience, stream.flush()).await?
    }

    async fn read<T>(&mut self, stream: &mut T, buffer: &mut [u8]) -> io::Result<Read>
    where
        T: AsyncRead + Unpin,
    {
        let before_login = self.session.state() != State::Transaction;
        let autologout = self.session.poll_timeout().map(Instant::from_std);
        let until = match before_login {
            true => autologout.into_iter().chain([self.login_deadline]).min(),
            false => autologout,
        };
        let late = async {
            match until {
                Some(until) => time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        select! {
            read = stream.read(buffer) => Ok(Read::Octets(read?)),
            () = late => Ok(match before_login && self.login_deadline <= Instant::now() {
                true => Read::End(Ended::LoginTimeout),
                false => Read::Late,
            }),
            _ = self.stopping.wait_for(|&stopping| stopping), if before_login => {
                Ok(Read::End(Ended::Stopping))
            }
        }
    }

    /// Whether the next step may wait for a disk, and the runtime can replace the
    /// thread.
    fn may_block(&self) -> bool {
        self.may_block && self.session.state() == State::Transaction
    }

    fn log(&self, ended: &Ended) {
        use std::sync::atomic::Ordering::Relaxed;
        let opened = self.counts.opened.load(Relaxed);
        let deleted = self.counts.deleted.load(Relaxed);
        let counters = &self.server.counters;
        counters.opened_messages.add(opened);
        counters.deleted_messages.add(deleted);
        counters.sent_octets.add(self.written);
        counters.end(ended);
        info!(%ended, opened, deleted, octets_sent = self.written, "closed");
    }
}

enum Read {
    Octets(usize),
    /// The autologout timer expired.
    Late,
    End(Ended),
}

/// Calls a function that may wait for a disk.
fn in_place<R>(may_block: bool, call: impl FnOnce() -> R) -> R {
    match may_block {
        true => task::block_in_place(call),
        false => call(),
    }
}

/// Writes some octets, and fails if there is no progress within `patience`.
async fn write<T>(stream: &mut T, octets: &[u8], patience: Duration) -> io::Result<usize>
where
    T: AsyncWrite + Unpin,
{
    match time::timeout(patience, stream.write(octets)).await?? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

/// Closes our side, and reads until the client closes its side.
async fn linger<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> io::Result<()> {
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// The time of the runtime's clock.
pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

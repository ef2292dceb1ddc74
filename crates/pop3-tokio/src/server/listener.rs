//! Accepts connections, and ends them when the server stops.

use std::{
    fmt,
    future::{Future, poll_fn, ready},
    io::{self, Write as _},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Handle, RuntimeFlavor},
    select,
    sync::watch,
    task::JoinSet,
    time,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tracing::{Instrument as _, error, info, info_span, warn};

use super::{
    Accounts, MailStore, Settings,
    argon::Memory,
    connection::Terms,
    counters::Counters,
    places::{Full, Places},
    users::CurrentUsers,
};
use crate::hashing::Turns;

/// How long to wait when no connection can be accepted, most likely because no file
/// descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

const TOO_MANY: &[u8] = b"-ERR [SYS/TEMP] too many connections, try again later\r\n";

/// A listening socket.
///
/// ```
/// use pop3_tokio::server::Listener;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = Listener::bind("127.0.0.1:0".parse()?).await?;
/// println!("listening on {}", listener.address()); // with the port that is in use
/// // A socket that another program opened, such as systemd:
/// let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let tls_listener = Listener::from_std_tls(socket)?;
/// # assert_ne!(listener.address(), tls_listener.address());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    implicit_tls: bool,
}

impl Listener {
    /// Listens for connections that begin without TLS (port 110).
    ///
    /// # Errors
    ///
    /// If the address does not belong to this host, is in use, or needs privileges.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpListener::bind(address).await?, false)
    }

    /// Listens for connections that begin with TLS (port 995, RFC 8314 §3.3).
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub async fn bind_tls(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpListener::bind(address).await?, true)
    }

    /// Uses a socket that listens already, for connections that begin without TLS.
    /// Must be called within a runtime.
    ///
    /// # Errors
    ///
    /// If it is not a listening socket of TCP.
    pub fn from_std(tcp: std::net::TcpListener) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        Self::new(TcpListener::from_std(tcp)?, false)
    }

    /// Uses a socket that listens already, for connections that begin with TLS.
    ///
    /// # Errors
    ///
    /// As [`from_std`](Self::from_std).
    pub fn from_std_tls(tcp: std::net::TcpListener) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        Self::new(TcpListener::from_std(tcp)?, true)
    }

    fn new(tcp: TcpListener, implicit_tls: bool) -> io::Result<Self> {
        Ok(Self {
            address: tcp.local_addr()?,
            tcp,
            implicit_tls,
        })
    }

    /// The address, with the actual port if port 0 was requested.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A POP3 server: its users, their maildrops, and its limits.
///
/// ```
/// use std::{future::pending, sync::Arc};
///
/// use pop3_tokio::server::{Accounts, Listener, MemoryStore, Server};
/// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
/// use tokio::{net::TcpStream, sync::oneshot};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let accounts = Accounts::single("mrose", "tanstaaf")?;
/// let server = Arc::new(Server::new(MemoryStore::new()?, accounts));
/// let listener = Listener::bind("127.0.0.1:0".parse()?).await?;
/// let address = listener.address();
/// let (stop, stopped) = oneshot::channel();
/// let stopped = async { stopped.await.unwrap_or_default() };
/// let serving = tokio::spawn(Arc::clone(&server).serve(vec![listener], stopped, pending()));
///
/// let mut connection = BufReader::new(TcpStream::connect(address).await?);
/// let mut replies = String::new();
/// connection.read_line(&mut replies).await?; // the greeting
/// connection.write_all(b"QUIT\r\n").await?;
/// connection.read_line(&mut replies).await?;
/// assert!(replies.lines().all(|reply| reply.starts_with("+OK")));
///
/// drop(connection);
/// stop.send(()).unwrap();
/// assert_eq!(serving.await?, 0); // no connection was cut off
/// assert_eq!(server.counters().connections.get(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server<S> {
    pub(super) store: Arc<S>,
    pub(super) users: CurrentUsers,
    pub(super) settings: Settings,
    pub(super) counters: Counters,
    tls: RwLock<Option<TlsAcceptor>>,
    pub(super) hashes: Turns<Memory>,
    places: Arc<Places>,
    /// The number of the next connection, for the log.
    next: AtomicU64,
}

impl<S: MailStore> Server<S> {
    /// A server without TLS, with the default [`Settings`].
    #[must_use]
    pub fn new(store: S, accounts: Accounts) -> Self {
        let settings = Settings::default();
        Self {
            store: Arc::new(store),
            users: CurrentUsers::new(accounts),
            counters: Counters::default(),
            hashes: Turns::new(settings.hashes),
            settings,
            tls: RwLock::default(),
            places: Arc::default(),
            next: AtomicU64::new(1),
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.hashes = Turns::new(settings.hashes);
        self.settings = settings;
        self
    }

    /// Offers STLS, and accepts connections that begin with TLS.
    #[must_use]
    pub fn tls(self, config: Arc<ServerConfig>) -> Self {
        self.replace_tls(config);
        self
    }

    /// Replaces the certificate. Connections that have begun TLS continue.
    pub fn replace_tls(&self, config: Arc<ServerConfig>) {
        let mut tls = self.tls.write().unwrap_or_else(PoisonError::into_inner);
        *tls = Some(config.into());
    }

    /// Replaces the users, unless the text is the same as before. Sessions that are
    /// logged in continue; a login that has begun fails for now, and remembered
    /// logins are forgotten. Returns whether the users were replaced.
    pub fn replace_accounts(&self, accounts: Accounts) -> bool {
        self.users.replace(accounts)
    }

    /// What the server has done. Messages and octets are counted when a connection
    /// ends.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The number of connections that are open, including those not logged in.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.places.taken()
    }

    /// Serves until `stop` completes. Then it accepts no more connections, closes
    /// those that are not logged in, and lets the others continue for
    /// [`Settings::grace`] or until `stop_now` completes. It closes the remaining
    /// ones without deleting messages, and returns their number.
    ///
    /// On a runtime with several threads, a slow disk delays only the session that
    /// waits for it.
    pub async fn serve(
        self: Arc<Self>,
        listeners: Vec<Listener>,
        stop: impl Future<Output = ()>,
        stop_now: impl Future<Output = ()>,
    ) -> usize {
        let (stopping, _) = watch::channel(false);
        let mut connections = JoinSet::new();
        let (mut stop, mut stop_now) = (pin!(stop), pin!(stop_now));
        let at_once = loop {
            select! {
                biased;
                () = &mut stop_now => break true,
                () = &mut stop => break false,
                accepted = accept(&listeners) => match accepted {
                    Ok((tcp, peer, implicit_tls)) => {
                        self.admit(&mut connections, tcp, peer, implicit_tls, stopping.subscribe());
                    }
                    Err(error) => {
                        error!(%error, "cannot accept a connection");
                        time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(done) = connections.join_next() => report(done),
            }
        };
        drop(listeners);
        info!(connections = connections.len(), "stopping");
        stopping.send_replace(true);
        let all_done = async {
            while let Some(done) = connections.join_next().await {
                report(done);
            }
        };
        select! {
            biased;
            // `stop` has already completed.
            () = ready(()), if at_once => {}
            () = &mut stop_now, if !at_once => {}
            _ = time::timeout(self.settings.grace, all_done) => {}
        }
        let dropped = connections.len();
        connections.shutdown().await;
        info!(dropped, "stopped");
        dropped
    }

    fn admit(
        self: &Arc<Self>,
        connections: &mut JoinSet<()>,
        tcp: TcpStream,
        peer: SocketAddr,
        implicit_tls: bool,
        stopping: watch::Receiver<bool>,
    ) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.counters.connections.add(1);
        let Settings {
            connections: most,
            connections_per_address: most_of_address,
            ..
        } = self.settings;
        let place = match self.places.take(peer.ip(), most, most_of_address) {
            Ok(place) => place,
            Err(full) => {
                self.counters.refuse(full);
                let limit = match full {
                    Full::Total => most,
                    Full::Address => most_of_address,
                };
                warn!(connection = number, %peer, %full, limit, "too many connections");
                // The socket is new, so there is room for a line; otherwise it is
                // lost.
                if let (false, Ok(mut tcp)) = (implicit_tls, tcp.into_std()) {
                    let _ = tcp.write(TOO_MANY);
                }
                return;
            }
        };
        let span = info_span!("connection", number, %peer);
        let server = Arc::clone(self);
        let connection = async move {
            let _place = place;
            // A reply is written completely, so there is nothing to wait for.
            let _ = tcp.set_nodelay(true);
            let terms = Terms {
                peer: peer.ip(),
                implicit_tls,
                stopping,
                may_block: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
            };
            server.converse(tcp, terms).await;
        };
        connections.spawn(connection.instrument(span));
    }
}

impl<S> Server<S> {
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        let tls = self.tls.read().unwrap_or_else(PoisonError::into_inner);
        tls.clone()
    }
}

/// Writes the limits and whether there is TLS, but no keys.
impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("accounts", &self.users.get().accounts)
            .field("settings", &self.settings)
            .field("tls", &self.acceptor().is_some())
            .finish_non_exhaustive()
    }
}

/// Accepts the next connection of any listener. Returns whether it begins with TLS.
async fn accept(listeners: &[Listener]) -> io::Result<(TcpStream, SocketAddr, bool)> {
    poll_fn(|context| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.tcp.poll_accept(context) {
                return Poll::Ready(accepted.map(|(tcp, peer)| (tcp, peer, listener.implicit_tls)));
            }
        }
        Poll::Pending
    })
    .await
}

fn report(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        error!(%error, "a connection ended because of an error in the server");
    }
}

//! The scripted server on loopback: sockets, TLS and threads around
//! [`Server`].

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::watch::Event;
use crate::audit::{
    Maildrop,
    log::Log,
    scenario::Scenario,
    server::{Action, Server},
};

/// The most connections of a run. A client that opens more is in a loop.
pub(super) const CONNECTIONS_MAX: usize = 30;

/// The server of a scenario: a port and a maildrop for all runs.
pub(super) struct Listener {
    pub(super) port: u16,
    listener: Arc<TcpListener>,
    scenario: Arc<Scenario>,
    tls: Arc<ServerConfig>,
    maildrop: Arc<Mutex<Maildrop>>,
}

/// Serves one run, until it is stopped.
pub(super) struct Serving {
    port: u16,
    shared: Arc<Shared>,
    acceptor: JoinHandle<Vec<JoinHandle<Log>>>,
}

struct Shared {
    listener: Arc<TcpListener>,
    scenario: Arc<Scenario>,
    tls: Arc<ServerConfig>,
    maildrop: Arc<Mutex<Maildrop>>,
    stopped: AtomicBool,
    /// Every connection, to be shut at the end.
    streams: Mutex<Vec<TcpStream>>,
    events: Sender<Event>,
}

impl Listener {
    pub(super) fn bind(scenario: &Scenario, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self {
            port: listener.local_addr()?.port(),
            listener: Arc::new(listener),
            scenario: Arc::new(scenario.clone()),
            tls,
            maildrop: Arc::new(Mutex::new(Maildrop::new(scenario))),
        })
    }

    /// The messages that are left on the server.
    pub(super) fn maildrop(&self) -> Maildrop {
        lock(&self.maildrop).clone()
    }

    pub(super) fn serve(&self, events: Sender<Event>) -> io::Result<Serving> {
        // Discard connections that the last run may have left in the queue.
        self.listener.set_nonblocking(true)?;
        while self.listener.accept().is_ok() {}
        self.listener.set_nonblocking(false)?;
        let shared = Arc::new(Shared {
            listener: Arc::clone(&self.listener),
            scenario: Arc::clone(&self.scenario),
            tls: Arc::clone(&self.tls),
            maildrop: Arc::clone(&self.maildrop),
            stopped: AtomicBool::new(false),
            streams: Mutex::default(),
            events,
        });
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&shared))
        };
        Ok(Serving {
            port: self.port,
            shared,
            acceptor,
        })
    }
}

impl Serving {
    /// Shuts all connections and returns their logs, in the order in which they
    /// were made.
    pub(super) fn stop(self) -> Vec<Log> {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        let connections = self.acceptor.join().unwrap_or_default();
        self.shared.shut();
        let logs = connections.into_iter();
        logs.map(|thread| thread.join().unwrap_or_default())
            .collect()
    }
}

impl Shared {
    fn keep(&self, stream: TcpStream) {
        lock(&self.streams).push(stream);
    }

    fn shut(&self) {
        for stream in &*lock(&self.streams) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(shared: &Arc<Shared>) -> Vec<JoinHandle<Log>> {
    let mut connections = Vec::new();
    while let Ok((stream, _)) = shared.listener.accept() {
        if shared.is_stopped() {
            break;
        }
        if connections.len() == CONNECTIONS_MAX {
            let _ = shared.events.send(Event::TooMuch);
            continue;
        }
        let Ok(other) = stream.try_clone() else {
            continue;
        };
        shared.keep(other);
        let shared = Arc::clone(shared);
        connections.push(thread::spawn(move || serve(stream, &shared)));
    }
    connections
}

/// Plays the scenario on a connection. If the connection breaks, the log so far
/// counts.
fn serve(stream: TcpStream, shared: &Shared) -> Log {
    let maildrop = lock(&shared.maildrop).clone();
    let mut server = Server::with_maildrop(&shared.scenario, maildrop);
    let mut wire = Socket::Clear(stream);
    let _ = play(&mut server, &mut wire, shared);
    server.into_log()
}

fn play(server: &mut Server<'_>, wire: &mut Socket, shared: &Shared) -> io::Result<()> {
    let began = Instant::now();
    let (mut owed, mut flooded) = (false, false);
    let mut input = [0; 4096];
    wire.tcp().set_nodelay(true)?;
    loop {
        let action = server.poll(began.elapsed());
        if server.owes() && !owed {
            owed = true;
            let (go_on, watcher) = channel();
            let _ = shared.events.send(Event::Owes(go_on));
            // Nothing is ever sent: this returns an error once the sender is
            // dropped.
            let _ = watcher.recv();
        }
        if server.log().took_the_flood && !flooded {
            flooded = true;
            let _ = shared.events.send(Event::Flooded);
        }
        if server.log().too_much {
            let _ = shared.events.send(Event::TooMuch);
        }
        let due = match action {
            Action::Send(octets) => {
                if wire.write_all(&octets).is_err() {
                    // A client that has closed reads no more, but may have written.
                    server.handle_broken();
                } else if server.is_flooding() {
                    let _ = shared.events.send(Event::Moved);
                }
                continue;
            }
            Action::StartTls => {
                let established = wire.start_tls(&shared.tls);
                server.handle_tls(established);
                continue;
            }
            Action::Close => {
                wire.close();
                continue;
            }
            Action::Wait(due) => Some(due.saturating_sub(began.elapsed())),
            Action::Read => None,
        };
        if due.is_some_and(|due| due.is_zero()) {
            continue;
        }
        wire.tcp().set_read_timeout(due)?;
        match wire.read(&mut input) {
            Ok(0) => {
                server.handle_end();
                return Ok(());
            }
            Ok(read) => {
                server.handle_input(&input[..read]);
                lock(&shared.maildrop).remove(server.removed());
                let _ = shared.events.send(Event::Moved);
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

enum Socket {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Socket {
    const fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    fn read(&mut self, input: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(input),
            Self::Tls(stream) => match stream.read(input) {
                // A client that closes without close_notify has closed, too.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets),
            Self::Tls(stream) => {
                stream.write_all(octets)?;
                stream.flush()
            }
        }
    }

    /// Does the server's part of the TLS handshake on this connection.
    fn start_tls(&mut self, config: &Arc<ServerConfig>) -> bool {
        let Self::Clear(stream) = self else {
            return false;
        };
        let handshake = || {
            let mut tcp = stream.try_clone()?;
            tcp.set_read_timeout(None)?;
            let connection = ServerConnection::new(Arc::clone(config));
            let mut connection = connection.map_err(io::Error::other)?;
            while connection.is_handshaking() {
                connection.complete_io(&mut tcp)?;
            }
            Ok::<_, io::Error>(StreamOwned::new(connection, tcp))
        };
        match handshake() {
            Ok(stream) => {
                *self = Self::Tls(Box::new(stream));
                true
            }
            Err(_) => false,
        }
    }

    /// Closes the sending side.
    fn close(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests;

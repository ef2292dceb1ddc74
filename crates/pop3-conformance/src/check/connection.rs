//! Connections to a server in the abstract: sockets, or a mock in memory.

use std::{
    io,
    time::{Duration, Instant},
};

/// Opens connections to one server, and provides the clock.
///
/// An implementation for sockets takes a few lines with any client library; one in
/// memory lets a test control the clock.
///
/// ```
/// use std::io::{self, Read, Write};
/// use std::net::{SocketAddr, TcpStream};
/// use std::time::{Duration, Instant};
/// use pop3_conformance::check::{Connection, Network};
///
/// struct Tcp(SocketAddr);
///
/// struct Socket(TcpStream);
///
/// impl Network for Tcp {
///     fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>> {
///         Ok(Box::new(Socket(TcpStream::connect_timeout(&self.0, within)?)))
///     }
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///     fn pause(&mut self, time: Duration) {
///         std::thread::sleep(time);
///     }
/// }
///
/// impl Connection for Socket {
///     fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()> {
///         self.0.set_write_timeout(Some(within.max(Duration::from_millis(1))))?;
///         self.0.write_all(octets)
///     }
///     fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
///         self.0.set_read_timeout(Some(within.max(Duration::from_millis(1))))?;
///         self.0.read(into).map_err(|error| match error.kind() {
///             io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(), // on Unix
///             _ => error,
///         })
///     }
///     fn start_tls(&mut self, _: Duration) -> io::Result<()> {
///         Err(io::ErrorKind::Unsupported.into()) // a TLS library does this
///     }
/// }
///
/// let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let mut connection = Tcp(server.local_addr()?).connect(Duration::from_secs(5))?;
/// server.accept()?.0.write_all(b"+OK ready\r\n")?;
/// let mut octets = [0; 64];
/// let received = connection.receive(&mut octets, Duration::from_secs(5))?;
/// assert!(octets[..received].starts_with(b"+OK"));
/// # Ok::<(), io::Error>(())
/// ```
pub trait Network {
    /// Opens a connection, with the TLS handshake done if TLS starts at the first
    /// octet.
    ///
    /// # Errors
    ///
    /// If there is no connection within the time.
    fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>>;

    /// Returns the time.
    fn now(&self) -> Instant;

    /// Lets `time` pass.
    fn pause(&mut self, time: Duration);
}

/// Octets to and from a server. Dropping it closes the connection without QUIT.
pub trait Connection {
    /// Sends `octets`.
    ///
    /// # Errors
    ///
    /// If the octets cannot be sent within the time.
    fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()>;

    /// Waits for octets and returns their number; 0 at the end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] if no octet arrived within the time, and other
    /// errors of the connection.
    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Does the TLS handshake, as a client.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::PermissionDenied`] if the certificate is not trusted, which
    /// ends the run; other kinds if the handshake fails or takes too long.
    fn start_tls(&mut self, within: Duration) -> io::Result<()>;

    /// Whether the server is on this machine, so that a password may be sent
    /// without TLS.
    fn is_local(&self) -> bool {
        false
    }
}

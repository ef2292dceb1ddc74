//! Connections to a server in the abstract: sockets, or a mock in memory.

use std::{
    io,
    time::{Duration, Instant},
};

/// Opens connections to one server, and provides the clock.
///
/// An implementation for sockets takes a few lines with any client library; one in
/// memory lets a test control the clock.
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

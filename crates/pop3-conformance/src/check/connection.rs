//! The way to a server, in the abstract: a socket, or a mock in memory.

use std::{
    io,
    time::{Duration, Instant},
};

/// Opens connections to one server, and has the clock.
///
/// An implementation for sockets is a few lines over any client library; one
/// in memory lets a test turn the clock as it likes.
pub trait Network {
    /// A new connection. If the protocol says TLS from the first octet, the
    /// handshake is done.
    ///
    /// # Errors
    ///
    /// If there is none within the time.
    fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>>;

    /// What time it is.
    fn now(&self) -> Instant;

    /// Lets time pass.
    fn pause(&mut self, time: Duration);
}

/// Octets to and from a server. Dropped, it is cut off without a farewell.
pub trait Connection {
    /// Sends all of these octets.
    ///
    /// # Errors
    ///
    /// If they are not taken within the time.
    fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()>;

    /// Waits for octets, and says how many came; 0 is the end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] if none came within the time, and what else
    /// may befall a connection.
    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Brings the connection under TLS, as a client.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::PermissionDenied`] if the certificate is not trusted,
    /// which ends the run; and if the handshake fails, or is not done within the
    /// time.
    fn start_tls(&mut self, within: Duration) -> io::Result<()>;

    /// Whether the server is on this machine, so that a password may go to it in
    /// the clear.
    fn is_local(&self) -> bool {
        false
    }
}

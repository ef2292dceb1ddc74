//! What a server allows: every limit by name, with what it is at first.

use core::time::Duration;
use std::thread;

use pop3_proto::{Expiry, server::MIN_AUTOLOGOUT};

/// The longest pause after a failed login.
pub const MAX_LOGIN_DELAY: Duration = Duration::from_secs(16);

/// What a [`Server`](super::Server) allows. All limits can be changed by
/// assigning to the field:
///
/// ```
/// use pop3_tokio::server::Settings;
///
/// let mut settings = Settings::default();
/// settings.connections = 1000;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Connections at one time, those not logged in among them. One more is told
    /// `-ERR [SYS/TEMP]` and closed. At first 256.
    pub connections: usize,
    /// The same for one address; an IPv6 address stands for its network of 64
    /// bits. At first 32.
    pub connections_per_address: usize,
    /// After so many rejected logins a connection is closed. At first 3.
    pub login_attempts: u32,
    /// The pause before a login is rejected, for the first time; it doubles with
    /// each, up to [`MAX_LOGIN_DELAY`]. At first 1 second.
    pub login_delay: Duration,
    /// A connection that has not logged in after so long is closed, whatever it
    /// sends. At first 10 minutes.
    pub login_timeout: Duration,
    /// The TLS handshake has to be done in so long. At first 30 seconds.
    pub handshake_timeout: Duration,
    /// A session is closed after so long without a command, or without progress
    /// in sending to it. At first, and at least, 10 minutes (RFC 1939 §3).
    pub autologout: Duration,
    /// When the server is told to stop, sessions that are logged in may go on
    /// for so long. At first 30 seconds.
    pub grace: Duration,
    /// Passwords hashed at one time; one takes some 20 MiB with Argon2. At first
    /// as many as there are processors.
    pub hashes: usize,
    /// What EXPIRE announces: how long mail is kept at least (RFC 2449 §6.7).
    /// The server deletes nothing by itself, but whoever keeps the maildrops
    /// may. At first nothing is announced.
    pub expire: Option<Expiry>,
    /// Takes passwords without TLS from other hosts too, where anyone between
    /// can read them (RFC 8314 §3). From this host they always are taken. At
    /// first false.
    pub dangerous_plaintext_without_tls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_address: 32,
            login_attempts: 3,
            login_delay: Duration::from_secs(1),
            login_timeout: MIN_AUTOLOGOUT,
            handshake_timeout: Duration::from_secs(30),
            autologout: MIN_AUTOLOGOUT,
            grace: Duration::from_secs(30),
            hashes: thread::available_parallelism().map_or(1, usize::from),
            expire: None,
            dangerous_plaintext_without_tls: false,
        }
    }
}

impl Settings {
    /// The pause before the login that makes `failed` is rejected.
    pub(super) fn delay(&self, failed: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(failed.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.login_delay
            .saturating_mul(factor)
            .min(MAX_LOGIN_DELAY.max(self.login_delay))
    }
}

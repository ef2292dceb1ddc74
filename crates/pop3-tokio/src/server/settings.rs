//! The limits of a server, with their defaults.

use core::time::Duration;
use std::thread;

use pop3_proto::{Expiry, server::MIN_AUTOLOGOUT};

/// The longest pause after a failed login.
pub const MAX_LOGIN_DELAY: Duration = Duration::from_secs(16);

/// The limits of a [`Server`](super::Server). Assign to a field to change a limit:
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
    /// The most connections at one time, including those not logged in. Further
    /// ones get `-ERR [SYS/TEMP]` and are closed. Default: 256.
    pub connections: usize,
    /// The most connections from one IPv4 address or one IPv6 /64 network. Default:
    /// 32.
    pub connections_per_address: usize,
    /// The number of rejected logins after which a connection is closed. Default:
    /// 3.
    pub login_attempts: u32,
    /// The pause before the first rejection of a login. It doubles with each
    /// rejection, up to [`MAX_LOGIN_DELAY`]. Default: 1 second.
    pub login_delay: Duration,
    /// The time after which a connection without a login is closed, whatever it
    /// sends. Default: 10 minutes.
    pub login_timeout: Duration,
    /// The time for the TLS handshake. Default: 30 seconds.
    pub handshake_timeout: Duration,
    /// The time without a command, or without progress in sending, after which a
    /// session is closed. Default and minimum: 10 minutes (RFC 1939 §3).
    pub autologout: Duration,
    /// The time that logged-in sessions may continue after the server is told to
    /// stop. Default: 30 seconds.
    pub grace: Duration,
    /// The number of passwords hashed at one time. Each takes about 20 MiB with
    /// Argon2, which the server then keeps for the next ones. Default: the number
    /// of processors.
    pub hashes: usize,
    /// How long a right password is remembered, so that another login with it takes
    /// no hash. Only its HMAC with a random key is kept, in memory, and only until
    /// the users are replaced; a wrong password is checked as always. Default: zero,
    /// which remembers none.
    pub remember_logins: Duration,
    /// The minimum time that mail is kept, announced by EXPIRE (RFC 2449 §6.7). The
    /// server itself deletes nothing, but its operator may. Default: no
    /// announcement.
    pub expire: Option<Expiry>,
    /// Accepts passwords without TLS from other hosts too, where anyone between can
    /// read them (RFC 8314 §3). From this host they are always accepted. Default:
    /// false.
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
            remember_logins: Duration::ZERO,
            expire: None,
            dangerous_plaintext_without_tls: false,
        }
    }
}

impl Settings {
    /// The pause before the rejection number `failed`.
    pub(super) fn delay(&self, failed: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(failed.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.login_delay
            .saturating_mul(factor)
            .min(MAX_LOGIN_DELAY.max(self.login_delay))
    }
}

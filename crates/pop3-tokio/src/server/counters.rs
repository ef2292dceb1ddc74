//! What a server has done, as numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use pop3_proto::server::Closed;

use super::{Ended, places::Full};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }
}

/// What a [`Server`](super::Server) has done since it was made.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Connections, including refused ones.
    pub connections: Counter,
    /// Connections refused because of [`Settings::connections`](super::Settings::connections).
    pub refused: Counter,
    /// Connections refused because of
    /// [`Settings::connections_per_address`](super::Settings::connections_per_address).
    pub refused_address: Counter,
    /// Connections closed because of [`Settings::login_timeout`](super::Settings::login_timeout).
    pub login_timeouts: Counter,
    /// Connections closed because of
    /// [`Settings::login_attempts`](super::Settings::login_attempts).
    pub login_attempts: Counter,
    /// Sessions closed because of [`Settings::autologout`](super::Settings::autologout).
    pub autologouts: Counter,
    /// TLS handshakes that failed, or took longer than
    /// [`Settings::handshake_timeout`](super::Settings::handshake_timeout).
    pub failed_handshakes: Counter,
    /// Logins that opened a maildrop.
    pub logins: Counter,
    /// Logins with a right password that were remembered, so that no hash was
    /// computed. They may still have failed to open the maildrop.
    pub remembered_logins: Counter,
    /// Logins with a wrong name or password.
    pub rejected_logins: Counter,
    /// Logins that failed because another session had locked the maildrop.
    pub maildrops_in_use: Counter,
    /// Logins that failed because of an error in the server or its disk.
    pub failed_logins: Counter,
    /// Messages opened by RETR and TOP.
    pub opened_messages: Counter,
    /// Messages removed after QUIT.
    pub deleted_messages: Counter,
    /// Octets sent in sessions, before TLS.
    pub sent_octets: Counter,
}

impl Counters {
    pub(super) fn refuse(&self, full: Full) {
        match full {
            Full::Total => self.refused.add(1),
            Full::Address => self.refused_address.add(1),
        }
    }

    pub(super) fn end(&self, ended: &Ended) {
        match ended {
            Ended::LoginTimeout => self.login_timeouts.add(1),
            Ended::LoginAttempts => self.login_attempts.add(1),
            Ended::Handshake(_) => self.failed_handshakes.add(1),
            Ended::Session(Closed::Autologout) => self.autologouts.add(1),
            Ended::Session(_) | Ended::Stopping | Ended::Broken(_) => {}
        }
    }
}

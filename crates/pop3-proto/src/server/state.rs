//! The state of a session.

use core::fmt;

/// The state of a server's session (RFC 1939 §3, RFC 2595 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The client must log in. The greeting may not be sent completely yet.
    Authorization,
    /// STLS was accepted, and the TLS handshake is due: no octet is a command.
    Handshake,
    /// The client is logged in.
    Transaction,
    /// The session has ended, and its last reply is not sent completely yet.
    Closing,
    /// The session has ended, and nothing is left to send.
    Closed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "AUTHORIZATION",
            Self::Handshake => "handshake",
            Self::Transaction => "TRANSACTION",
            Self::Closing => "closing",
            Self::Closed => "closed",
        })
    }
}

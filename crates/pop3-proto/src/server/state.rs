//! Where a session is.

use core::fmt;

/// Where a server's session is (RFC 1939 §3, RFC 2595 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The client has to log in. The greeting may still be on its way.
    Authorization,
    /// STLS was accepted, and the TLS handshake is due: no octet is a command.
    Handshake,
    /// The client is logged in.
    Transaction,
    /// The session is over, and its last reply is on its way.
    Closing,
    /// The session is over, and nothing is left to send.
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

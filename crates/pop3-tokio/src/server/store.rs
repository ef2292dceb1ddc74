//! Stores of maildrops.

use std::{fmt, io};

use pop3_proto::server::Maildrop;

use super::User;

/// A store of maildrops.
pub trait MailStore: Send + Sync + 'static {
    /// The maildrop of a session.
    type Maildrop: Maildrop<Message: Send> + Send + 'static;

    /// Opens and locks the maildrop of an authenticated user. Runs on a blocking
    /// thread.
    ///
    /// # Errors
    ///
    /// If another session has locked the maildrop, or it cannot be opened now.
    fn open(&self, user: &User) -> Result<Self::Maildrop, OpenError>;
}

/// Why a maildrop was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another session has locked it: `-ERR [IN-USE]` (RFC 2449 §8.1.1).
    InUse,
    /// Another failure: `-ERR [SYS/TEMP]` (RFC 3206 §4), and a line in the log.
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("another session has locked the maildrop"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InUse => None,
            Self::Io(error) => Some(error),
        }
    }
}

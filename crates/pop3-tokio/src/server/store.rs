//! Stores of maildrops.

use std::{fmt, io};

use pop3_proto::server::Maildrop;

use super::User;

/// A store of maildrops.
///
/// This one has the same message for every user, and never deletes it. A store that
/// deletes messages must lock a maildrop until its session drops it.
///
/// ```
/// use std::io;
///
/// use pop3_tokio::server::{Accounts, MailStore, Maildrop, OpenError, Server, User};
/// use pop3_tokio::{MessageNumber, UniqueId};
///
/// const WELCOME: &[u8] = b"Subject: Welcome\r\n\r\nYour account is ready.\r\n";
/// const UNIQUE_ID: UniqueId<'static> = match UniqueId::new(b"welcome-1") {
///     Ok(unique_id) => unique_id,
///     Err(_) => unreachable!(),
/// };
///
/// struct Welcome;
///
/// impl MailStore for Welcome {
///     type Maildrop = Self;
///
///     fn open(&self, _: &User) -> Result<Self, OpenError> {
///         Ok(Self)
///     }
/// }
///
/// impl Maildrop for Welcome {
///     type Message = &'static [u8];
///
///     fn messages(&self) -> u32 {
///         1
///     }
///
///     fn octets(&self, _: MessageNumber) -> u64 {
///         WELCOME.len() as u64
///     }
///
///     fn unique_id(&self, _: MessageNumber) -> UniqueId<'_> {
///         UNIQUE_ID
///     }
///
///     fn open(&mut self, _: MessageNumber) -> io::Result<Self::Message> {
///         Ok(WELCOME)
///     }
///
///     fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
///         match deleted.next() {
///             Some(_) => Err(io::ErrorKind::PermissionDenied.into()),
///             None => Ok(()),
///         }
///     }
/// }
///
/// let server = Server::new(Welcome, Accounts::single("mrose", "tanstaaf")?);
/// # let _ = server;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

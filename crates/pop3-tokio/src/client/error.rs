//! Why a call failed, and what can be done.

use core::fmt;
use std::io;

use pop3_proto::{
    MessageNumber, ReplyError,
    client::{ClientError, LineError, SessionError, Timer},
};

use super::{Fingerprint, LoginError, Refusal};
use crate::tls::PemFileError;

/// Why a call failed. Holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The first line of the answer to RETR holds a LF without CR: what follows
    /// it may be the message's (MS-STANOPOP3 C0005).
    BareLf(MessageNumber),
    /// The server's certificate is not valid, or not for this host.
    Certificate {
        /// The host that it should be for.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The command may not be sent now, or cannot be. No octet of it was.
    Command(ClientError),
    /// No address could be reached, or the name cannot be resolved.
    Connect {
        /// The host and port.
        to: String,
        /// The last failure.
        source: io::Error,
    },
    /// The server's certificate is not the pinned one.
    Fingerprint {
        /// The host.
        host: String,
        /// The fingerprint of the certificate that the server has.
        found: Fingerprint,
    },
    /// An earlier call failed or was dropped before its replies came, so that
    /// replies and commands cannot be told apart any more. Connect again.
    Interrupted,
    /// The connection broke.
    Io(io::Error),
    /// The reply to STAT is malformed.
    Line(LineError),
    /// The login did not succeed.
    Login(LoginError),
    /// A certificate file cannot be used.
    PemFile(PemFileError),
    /// The server says `-ERR`.
    Refused(Refusal),
    /// What the server sent cannot be trusted, or it closed the connection.
    Session(SessionError),
    /// The server refuses STLS, and without it nothing is sent.
    StlsRefused(Refusal),
    /// It did not come in time.
    Timeout(Waiting),
    /// The TLS handshake failed, or TLS cannot be set up.
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        reason: String,
    },
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// An address to answer.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The greeting.
    Greeting,
    /// A reply, or the rest of one.
    Reply,
    /// The caller's next command.
    Idle,
    /// The end of the whole session.
    Session,
}

/// What kind of failure it is: what a caller can do about it. The numbers of
/// `sysexits.h` are in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for what cannot be (64).
    Usage,
    /// The server does not offer it, or cannot be reached (69).
    Unavailable,
    /// It may work later (75).
    Temporary,
    /// The server does not keep to the protocol (76).
    Protocol,
    /// Name, password or token are wrong, or the server cannot be given them
    /// (77).
    Authentication,
}

impl ErrorKind {
    /// The exit status of `sysexits.h`.
    #[must_use]
    pub const fn sysexit(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Temporary => 75,
            Self::Protocol => 76,
            Self::Authentication => 77,
        }
    }
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Command(_) | Self::Interrupted | Self::PemFile(_) => ErrorKind::Usage,
            Self::Certificate { .. }
            | Self::Connect { .. }
            | Self::Fingerprint { .. }
            | Self::StlsRefused(_) => ErrorKind::Unavailable,
            Self::Io(_) | Self::Session(SessionError::Closed(_)) => ErrorKind::Temporary,
            Self::Login(error) => error.kind(),
            Self::Refused(refusal) => match &refusal.code {
                Some(code) => code.kind().unwrap_or(ErrorKind::Unavailable),
                None => ErrorKind::Unavailable,
            },
            Self::Timeout(Waiting::Connect) => ErrorKind::Unavailable,
            Self::Timeout(_) => ErrorKind::Temporary,
            // The connection ended within a message.
            Self::Session(SessionError::Reply(error)) if is_truncation(error) => {
                ErrorKind::Temporary
            }
            Self::BareLf(_) | Self::Line(_) | Self::Session(_) | Self::Tls { .. } => {
                ErrorKind::Protocol
            }
        }
    }
}

fn is_truncation(error: &ReplyError) -> bool {
    match error {
        ReplyError::Block(error) | ReplyError::FirstLine(error) => {
            error.kind() == dot_stuffing::ErrorKind::Truncated
        }
        ReplyError::NoReply => true,
        _ => false,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareLf(number) => write!(
                f,
                "the server ends the first line of the answer to RETR {number} with a bare LF: \
                 the message cannot be told from it"
            ),
            Self::Certificate { host, reason } => write!(
                f,
                "the certificate of {host} is not trusted: {reason}; if it is yours, name its \
                 authority's file"
            ),
            Self::Command(error) => error.fmt(f),
            Self::Connect { to, source } => write!(f, "cannot connect to {to}: {source}"),
            Self::Fingerprint { host, found } => write!(
                f,
                "the certificate of {host} is not the pinned one: its SHA-256 fingerprint is \
                 {found}; only if you know that the server has a new certificate, pin that one \
                 with --fingerprint {found}"
            ),
            Self::Interrupted => f.write_str("an earlier call did not end, connect again to go on"),
            Self::Io(error) => write!(f, "the connection broke: {error}"),
            Self::Line(error) => error.fmt(f),
            Self::Login(error) => error.fmt(f),
            Self::PemFile(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::StlsRefused(refusal) => write!(
                f,
                "no TLS, so nothing secret is sent: {refusal}; use pop3s:// if the server has it"
            ),
            Self::Timeout(waiting) => write!(f, "waited too long for {waiting}"),
            Self::Tls { host, reason } => write!(f, "TLS with {host} failed: {reason}"),
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "an answer to the connection",
            Self::Tls => "the TLS handshake",
            Self::Greeting => "the greeting",
            Self::Reply => "a reply",
            Self::Idle => "the next command",
            Self::Session => "the end of the session",
        })
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Command(error) => Some(error),
            Self::Connect { source, .. } => Some(source),
            Self::Io(error) => Some(error),
            Self::Line(error) => Some(error),
            Self::Login(error) => Some(error),
            Self::PemFile(error) => Some(error),
            Self::Refused(refusal) | Self::StlsRefused(refusal) => Some(refusal),
            Self::Session(error) => Some(error),
            Self::BareLf(_)
            | Self::Certificate { .. }
            | Self::Fingerprint { .. }
            | Self::Interrupted
            | Self::Timeout(_)
            | Self::Tls { .. } => None,
        }
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Command(error)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Timeout(Timer::Greeting) => Self::Timeout(Waiting::Greeting),
            SessionError::Timeout(Timer::Idle) => Self::Timeout(Waiting::Idle),
            SessionError::Timeout(Timer::Reply) => Self::Timeout(Waiting::Reply),
            SessionError::Timeout(Timer::Stls) => Self::Timeout(Waiting::Tls),
            error => Self::Session(error),
        }
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl From<PemFileError> for Error {
    fn from(error: PemFileError) -> Self {
        Self::PemFile(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

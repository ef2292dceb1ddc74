//! Why a call failed, and what a caller can do.

use core::fmt;
use std::io;

use pop3_proto::{
    Counted, Escaped, MessageNumber, ReplyError,
    client::{ClientError, LineError, Pending, Request, SessionError, SessionFailure, Timer},
};

use super::{Distrust, Fingerprint, LoginError, Refusal};
use crate::tls::PemFileError;

/// Why a call failed. Contains no secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The first line of the reply to RETR contains a bare LF, so the text after it
    /// may belong to the message (MS-STANOPOP3 C0005).
    BareLf(MessageNumber),
    /// The server's certificate is not valid, or not for this host.
    Certificate {
        /// The host for which it should be valid.
        host: String,
        /// What is wrong.
        reason: Distrust,
    },
    /// The command may not or cannot be sent now. No octet of it was sent.
    Command(ClientError),
    /// No address could be reached, or the name cannot be resolved.
    Connect {
        /// The host and port.
        to: String,
        /// The failure of the last address.
        source: io::Error,
    },
    /// The server's certificate is not the pinned one.
    Fingerprint {
        /// The host.
        host: String,
        /// The fingerprint of the server's certificate.
        found: Fingerprint,
    },
    /// An earlier call failed or was dropped before its replies arrived, so replies
    /// can no longer be matched with commands. Connect again.
    Interrupted,
    /// The connection broke while the client waited for this.
    Io(io::Error, Option<Pending>),
    /// The login did not succeed.
    Login(LoginError),
    /// A positive reply is malformed.
    Malformed {
        /// The command.
        request: Request,
        /// What is wrong.
        error: LineError,
        /// The text of the reply without `+OK`, as in [`Refusal::text`].
        text: String,
    },
    /// A certificate file cannot be used.
    PemFile(PemFileError),
    /// The server replied `-ERR`.
    Refused(Refusal),
    /// The server broke the protocol, or closed the connection.
    Session(SessionFailure),
    /// The server refuses STLS, and the settings require TLS.
    StlsRefused(Refusal),
    /// The client waited too long; with the state of the session, once there is
    /// one.
    Timeout(Waiting, Option<Pending>),
    /// The TLS handshake failed, or TLS cannot be set up.
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        reason: String,
        /// The first octets from the server, if they are not TLS.
        came: Option<Box<[u8]>>,
    },
    /// The message is longer than the caller allows.
    TooLarge {
        /// The number of the message.
        number: MessageNumber,
        /// The most octets that the caller allows.
        max_octets: usize,
    },
    /// The server sent no greeting and expects TLS: the port is one for `pop3s://`.
    TlsPort {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
}

/// What the client waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// A connection to an address.
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

/// The kind of a failure, with its number in `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call is invalid (64).
    Usage,
    /// The server does not offer something, or cannot be reached (69).
    Unavailable,
    /// A later try may succeed (75).
    Temporary,
    /// The server broke the protocol (76).
    Protocol,
    /// The name, password or token is wrong, or cannot be sent to this server (77).
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
    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Command(_) | Self::Interrupted | Self::PemFile(_) | Self::TooLarge { .. } => {
                ErrorKind::Usage
            }
            Self::Certificate { .. }
            | Self::Connect { .. }
            | Self::Fingerprint { .. }
            | Self::StlsRefused(_) => ErrorKind::Unavailable,
            Self::Io(..) => ErrorKind::Temporary,
            Self::Session(failure) => of_failure(failure),
            Self::Login(error) => error.kind(),
            Self::Refused(refusal) => match &refusal.code {
                Some(code) => code.kind().unwrap_or(ErrorKind::Unavailable),
                None => ErrorKind::Unavailable,
            },
            Self::Timeout(Waiting::Connect, _) => ErrorKind::Unavailable,
            Self::Timeout(..) => ErrorKind::Temporary,
            Self::BareLf(_) | Self::Malformed { .. } | Self::Tls { .. } | Self::TlsPort { .. } => {
                ErrorKind::Protocol
            }
        }
    }

    pub(super) fn of_session(failure: SessionFailure) -> Self {
        let waiting = match failure.error {
            SessionError::Timeout(Timer::Greeting) => Waiting::Greeting,
            SessionError::Timeout(Timer::Idle) => Waiting::Idle,
            SessionError::Timeout(Timer::Reply) => Waiting::Reply,
            SessionError::Timeout(Timer::Stls) => Waiting::Tls,
            _ => return Self::Session(failure),
        };
        Self::Timeout(waiting, Some(failure.pending))
    }
}

fn of_failure(failure: &SessionFailure) -> ErrorKind {
    match failure.error {
        SessionError::Closed(_) | SessionError::Reply(ReplyError::NoReply) => ErrorKind::Temporary,
        SessionError::Reply(ReplyError::Block(error) | ReplyError::FirstLine(error))
            if error.kind() == dot_stuffing::ErrorKind::Truncated =>
        {
            ErrorKind::Temporary
        }
        _ => ErrorKind::Protocol,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareLf(number) => write!(
                f,
                "the server ends the first line of its reply to RETR {number} with a bare LF: \
                 it is unclear where the message begins"
            ),
            Self::Certificate { host, reason } => {
                write!(f, "the certificate of {host} is not trusted: {reason}")
            }
            Self::Command(error) => error.fmt(f),
            Self::Connect { to, source } => write!(f, "cannot connect to {to}: {source}"),
            Self::Fingerprint { host, found } => write!(
                f,
                "the certificate of {host} is not the pinned one: its SHA-256 fingerprint is \
                 {found}; if you know that the server has a new certificate, pin it with \
                 --fingerprint {found}"
            ),
            Self::Interrupted => f.write_str("an earlier call did not complete; connect again"),
            Self::Io(error, None) => write!(f, "the connection broke: {error}"),
            Self::Io(error, Some(pending)) => {
                let evidence = pending.evidence();
                write!(
                    f,
                    "the connection broke while waiting for {pending}{evidence}: {error}"
                )
            }
            Self::Login(error) => error.fmt(f),
            Self::Malformed {
                request,
                error,
                text,
            } => write!(
                f,
                "the reply to {request} is malformed: {}: `+OK {text}`",
                error.kind,
            ),
            Self::PemFile(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Session(failure) => failure.fmt(f),
            Self::StlsRefused(refusal) => write!(
                f,
                "no secret is sent without TLS: {refusal}; use pop3s:// if the server supports it"
            ),
            Self::Timeout(Waiting::Session, Some(pending)) => write!(
                f,
                "the session took too long; it was waiting for {pending}{}",
                pending.evidence()
            ),
            Self::Timeout(_, Some(pending)) => {
                write!(f, "waited too long for {pending}{}", pending.evidence())
            }
            Self::Timeout(waiting, None) => write!(f, "waited too long for {waiting}"),
            Self::Tls {
                host,
                came: Some(came),
                ..
            } => write!(
                f,
                "{host} answers the TLS handshake without TLS: `{}`",
                Escaped(came)
            ),
            Self::Tls { host, reason, .. } => write!(f, "TLS with {host} failed: {reason}"),
            Self::TooLarge { number, max_octets } => {
                let max = Counted(*max_octets as u64, "octet");
                write!(f, "message {number} is longer than {max}")
            }
            Self::TlsPort { host, port } => write!(
                f,
                "{host} expects TLS on port {port}, and sends no greeting without it"
            ),
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection",
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
            Self::Io(error, _) => Some(error),
            Self::Login(error) => Some(error),
            Self::Malformed { error, .. } => Some(error),
            Self::PemFile(error) => Some(error),
            Self::Refused(refusal) | Self::StlsRefused(refusal) => Some(refusal),
            Self::Session(failure) => Some(&failure.error),
            Self::Certificate { reason, .. } => Some(reason),
            Self::BareLf(_)
            | Self::Fingerprint { .. }
            | Self::Interrupted
            | Self::Timeout(..)
            | Self::Tls { .. }
            | Self::TlsPort { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Command(error)
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
        Self::Io(error, None)
    }
}

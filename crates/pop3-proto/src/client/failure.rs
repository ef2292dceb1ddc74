//! Why a session ended, with its context.

use core::fmt;

use super::{Awaited, Pending, SessionError};
use crate::ReplyError;

/// Why a session ended, in an error that names the command and what the server
/// sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFailure {
    /// The error.
    pub error: SessionError,
    /// What the session was waiting for.
    pub pending: Pending,
}

impl fmt::Display for SessionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, pending } = self;
        let (awaited, evidence) = (pending.awaited, pending.evidence());
        match error {
            SessionError::Closed(_) | SessionError::Reply(ReplyError::NoReply) => self.closed(f),
            SessionError::Reply(ReplyError::Block(error))
                if error.kind() == dot_stuffing::ErrorKind::Truncated =>
            {
                self.closed(f)
            }
            SessionError::Reply(ReplyError::Block(error)) => {
                write!(f, "in {awaited}: {error}")
            }
            SessionError::Reply(ReplyError::FirstLine(_)) => {
                write!(f, "the first line of {awaited} is too long{evidence}")
            }
            SessionError::Reply(ReplyError::Status(_)) => {
                write!(f, "{awaited} begins with neither +OK nor -ERR{evidence}")
            }
            SessionError::Reply(ReplyError::Unsolicited) => {
                let ended = pending.came().starts_with(b"-ERR");
                f.write_str(match ended {
                    true => "the server ended the session after ",
                    false => "the server sent more than ",
                })?;
                match awaited {
                    Awaited::Nothing(None) => f.write_str("the greeting"),
                    Awaited::Nothing(Some(request)) => write!(f, "the reply to {request}"),
                    other => other.fmt(f),
                }?;
                write!(f, "{evidence}")
            }
            SessionError::PlaintextAfterStls => write!(
                f,
                "octets follow the reply to STLS, outside of TLS: perhaps an attack{evidence}"
            ),
            SessionError::Line(error) => {
                write!(
                    f,
                    "{awaited} has a malformed line {}: {}",
                    error.line, error.kind
                )
            }
            SessionError::Timeout(_) => write!(f, "waited too long for {pending}{evidence}"),
            SessionError::TooManyLines => write!(f, "{awaited} has too many lines"),
            SessionError::AfterCancel
            | SessionError::ChallengeTooLong
            | SessionError::TooManyChallenges => error.fmt(f),
        }
    }
}

impl SessionFailure {
    fn closed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = &self.pending;
        f.write_str("the server closed the connection ")?;
        match pending.awaited {
            Awaited::Nothing(None) => f.write_str("after its greeting"),
            Awaited::Nothing(Some(request)) => write!(f, "after its reply to {request}"),
            _ => write!(f, "instead of sending {pending}"),
        }?;
        write!(f, "{}", pending.evidence())
    }
}

impl core::error::Error for SessionFailure {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

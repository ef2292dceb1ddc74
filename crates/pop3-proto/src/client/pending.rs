//! What a session waits for, and what came of it: the context of its errors.

use core::fmt;

use super::{Request, SessionError};
use crate::{Counted, Escaped, ReplyError};

/// What a session waits for, and what came of it
/// ([`Session::pending`](super::Session::pending)). Displays as a phrase: "the
/// reply to STAT", "the rest of the reply to RETR 2 (4096 octets came)".
///
/// Holds no secret: of what a server says between a login and the next reply,
/// no octet is kept, since it may repeat what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub(super) awaited: Awaited,
    pub(super) progress: Progress,
    pub(super) came: Box<[u8]>,
    /// Octets of that line or stray piece, those that are not kept included.
    pub(super) total: u64,
    pub(super) ends_with_lf_alone: bool,
    pub(super) is_hidden: bool,
}

/// What is due from the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Awaited {
    /// The greeting.
    Greeting,
    /// The reply to this command.
    Reply(Request),
    /// The TLS handshake.
    Handshake,
    /// Nothing: the caller may send a command. With the command that was
    /// answered last, if any was.
    Nothing(Option<Request>),
}

/// How much of what is awaited came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// None of it. What came is the first line before it: a refusal or not.
    Nothing { refused: Option<Request> },
    /// A part of the first line, or octets that answer nothing.
    Line,
    /// The first line, and so many octets of the block.
    Block(u64),
}

impl Pending {
    /// The most octets that [`came`](Self::came) gives.
    pub const MAX_CAME: usize = 60;

    /// What is due.
    #[must_use]
    pub const fn awaited(&self) -> Awaited {
        self.awaited
    }

    /// The first octets of what came of it, unless they may hold a secret.
    #[must_use]
    pub const fn came(&self) -> &[u8] {
        match self.progress {
            Progress::Line => &self.came,
            _ => &[],
        }
    }

    /// Whether the server has sent a line that ends with LF, and none that ends
    /// with CRLF: the next one never does (RFC 1939 §3).
    #[must_use]
    pub const fn ends_with_lf_alone(&self) -> bool {
        matches!(self.progress, Progress::Line) && self.ends_with_lf_alone
    }

    /// What the server refused last, if nothing came after it: the reason for
    /// which it may have closed the connection.
    #[must_use]
    pub const fn refused(&self) -> Option<Request> {
        match self.progress {
            Progress::Nothing { refused } => refused,
            _ => None,
        }
    }

    /// What came, as the second half of a sentence; nothing if that says nothing.
    #[must_use]
    pub const fn evidence(&self) -> Evidence<'_> {
        Evidence(self)
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.progress, Progress::Nothing { .. }) {
            f.write_str("the rest of ")?;
        }
        self.awaited.fmt(f)?;
        match self.progress {
            Progress::Block(octets) => write!(f, " ({} came)", Counted(octets, "octet")),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => f.write_str("the greeting"),
            Self::Reply(request) => write!(f, "the reply to {request}"),
            Self::Handshake => f.write_str("the TLS handshake"),
            Self::Nothing(_) => f.write_str("the next command"),
        }
    }
}

/// What came, as the second half of a sentence: see [`Pending::evidence`].
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a>(&'a Pending);

impl fmt::Display for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = self.0;
        match pending.progress {
            Progress::Block(_) | Progress::Nothing { refused: None } => Ok(()),
            Progress::Nothing {
                refused: Some(request),
            } if !pending.is_hidden => {
                write!(f, "; it had refused {request}: {}", Quoted(pending))
            }
            Progress::Nothing {
                refused: Some(request),
            } => write!(f, "; it had refused {request}"),
            Progress::Line => {
                write!(f, ": {}", Quoted(pending))?;
                match pending.ends_with_lf_alone {
                    true => f.write_str("; the server ends lines with LF alone, not CRLF"),
                    false => Ok(()),
                }
            }
        }
    }
}

/// The octets that are kept, escaped, and how many more there were.
struct Quoted<'a>(&'a Pending);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pending {
            came,
            total,
            is_hidden,
            ..
        } = self.0;
        if *is_hidden {
            let octets = Counted(*total, "octet");
            return write!(f, "{octets}, not shown since they may repeat the password");
        }
        let more = total - came.len() as u64;
        let dots = if more > 0 { "..." } else { "" };
        write!(f, "`{}`{dots}", Escaped(came))
    }
}

/// Why a session is over, and in what: an error that names the command and what
/// the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFailure {
    /// Why.
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

/// The first line that comes, or came last.
#[derive(Debug)]
pub(super) struct Heard {
    octets: [u8; Pending::MAX_CAME],
    kept: usize,
    total: u64,
    last_is_cr: bool,
    has_crlf: bool,
    has_bare_lf: bool,
    /// The line is whole: it is no part of what is awaited any more.
    pub(super) is_whole: bool,
    /// A login is on its way, or nothing was answered after it: the octets may
    /// repeat what was sent.
    pub(super) may_repeat_secret: bool,
    /// The last request that was answered, and whether it was refused.
    last: Option<Request>,
    refused: bool,
}

impl Heard {
    pub(super) const fn new() -> Self {
        Self {
            octets: [0; Pending::MAX_CAME],
            kept: 0,
            total: 0,
            last_is_cr: false,
            has_crlf: false,
            has_bare_lf: false,
            is_whole: false,
            may_repeat_secret: false,
            last: None,
            refused: false,
        }
    }

    /// Another line begins.
    pub(super) const fn begin(&mut self) {
        self.kept = 0;
        self.total = 0;
        self.last_is_cr = false;
        self.has_crlf = false;
        self.has_bare_lf = false;
        self.is_whole = false;
        self.refused = false;
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        let free = Pending::MAX_CAME - self.kept;
        if !self.may_repeat_secret && free > 0 {
            let kept = octets.len().min(free);
            self.octets[self.kept..self.kept + kept].copy_from_slice(&octets[..kept]);
            self.kept += kept;
        }
        for &octet in octets {
            if octet == b'\n' {
                self.has_crlf |= self.last_is_cr;
                self.has_bare_lf |= !self.last_is_cr;
            }
            self.last_is_cr = octet == b'\r';
        }
        self.total += octets.len() as u64;
    }

    /// The first line of a reply is whole.
    pub(super) const fn answered(&mut self, request: Request, positive: bool) {
        self.is_whole = true;
        self.last = Some(request);
        self.refused = !positive;
    }

    /// What is pending, while `awaited` is due and of its block, if that has
    /// begun, so many octets came.
    pub(super) fn pending(&self, awaited: Awaited, block: Option<u64>) -> Pending {
        let progress = match block {
            Some(octets) => Progress::Block(octets),
            None if self.is_whole || self.total == 0 => Progress::Nothing {
                refused: self.last.filter(|_| self.refused),
            },
            None => Progress::Line,
        };
        Pending {
            awaited: match awaited {
                Awaited::Nothing(_) => Awaited::Nothing(self.last),
                awaited => awaited,
            },
            progress,
            came: self.octets[..self.kept].into(),
            total: self.total,
            ends_with_lf_alone: self.has_bare_lf && !self.has_crlf,
            // Hidden is what was not kept, also of a line before.
            is_hidden: self.kept == 0 && self.total > 0,
        }
    }
}

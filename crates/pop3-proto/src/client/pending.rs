//! What a session waits for, and what it has received: the context of its errors.

use core::fmt;

use super::Request;
use crate::{Counted, Escaped};

/// What a session waits for, and what it has received
/// ([`Session::pending`](super::Session::pending)). Displays as a phrase: "the
/// reply to STAT", "the rest of the reply to RETR 2 (4096 octets came)".
///
/// Contains no secrets: octets of the server between a login and the next reply are
/// not kept, because they may repeat what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub(super) awaited: Awaited,
    pub(super) progress: Progress,
    pub(super) came: Box<[u8]>,
    /// Octets of that line or unsolicited piece, including those that are not kept.
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
    /// Nothing: the caller may send a command. Contains the last answered command.
    Nothing(Option<Request>),
}

/// How much of the awaited reply was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// None of it. The last line received is an earlier first line, maybe a
    /// refusal.
    Nothing { refused: Option<Request> },
    /// A part of the first line, or unsolicited octets.
    Line,
    /// The first line, and this number of octets of the block.
    Block(u64),
}

impl Pending {
    /// The most octets that [`came`](Self::came) returns.
    pub const MAX_CAME: usize = 60;

    /// What is awaited.
    #[must_use]
    pub const fn awaited(&self) -> Awaited {
        self.awaited
    }

    /// The first octets received, unless they may contain a secret.
    #[must_use]
    pub const fn came(&self) -> &[u8] {
        match self.progress {
            Progress::Line => &self.came,
            _ => &[],
        }
    }

    /// Hides the received octets unless `may_be_shown` allows them: a server may
    /// repeat at any time what was sent to log in.
    #[must_use]
    pub fn shown_if(mut self, may_be_shown: impl FnOnce(&[u8]) -> bool) -> Self {
        if !self.came.is_empty() && !may_be_shown(&self.came) {
            self.came = Box::default();
            self.is_hidden = true;
        }
        self
    }

    /// Whether the server has sent a line that ends with a bare LF, and none that
    /// ends with CRLF, so that the reply will never end (RFC 1939 §3).
    #[must_use]
    pub const fn ends_with_lf_alone(&self) -> bool {
        matches!(self.progress, Progress::Line) && self.ends_with_lf_alone
    }

    /// The command that the server refused last, if nothing was received
    /// afterwards: this may be why it closed the connection.
    #[must_use]
    pub const fn refused(&self) -> Option<Request> {
        match self.progress {
            Progress::Nothing { refused } => refused,
            _ => None,
        }
    }

    /// The received octets, as the second half of a sentence; empty if they say
    /// nothing.
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

/// The received octets, as the second half of a sentence: see
/// [`Pending::evidence`].
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

/// The kept octets, escaped, and the number of others.
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

//! Why a command is not sent, why a line is malformed, and why a session ended.

use core::fmt;

use super::{Request, State, Timer};
use crate::{CapabilityError, CommandError, ListingError, MessageNumber, ReplyError};

/// Why a command is refused. No octet of it is sent, and the session continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The digest of APOP is not 32 hexadecimal digits in lower case (RFC 1939
    /// §7, C0003).
    ApopDigest,
    /// The name for APOP contains a space, which separates it from the digest
    /// (C0004).
    ApopName,
    /// The greeting has no timestamp, or one that is not a message-id (RFC 1939 §7,
    /// CVE-2007-1558); or there is no TLS, and the configuration does not allow
    /// that.
    ApopNotOffered,
    /// A reply that may change the state is outstanding, or a challenge waits for
    /// its response.
    Busy,
    /// The command cannot be encoded.
    Command(CommandError),
    /// The message is marked as deleted, or its DELE is outstanding (MS-STANOPOP3
    /// C0024, C0026).
    Deleted(MessageNumber),
    /// The proof is from another session, in which numbers mean other messages.
    ForeignProof,
    /// The profile never sends this command (V0003, V0006, V0007, V0008).
    NeverSent {
        /// Its keyword.
        keyword: &'static str,
        /// The profile's name.
        profile: &'static str,
    },
    /// No challenge waits for a response.
    NoChallenge,
    /// The name or password is not ASCII, and the server does not announce UTF8
    /// USER (C0003, RFC 6856 §2.2).
    NotAscii,
    /// A SASL response that is not base64 (RFC 5034 §4, C0003).
    NotBase64,
    /// PASS without a positive reply to USER directly before it (C0044, C0047).
    PassWithoutUser,
    /// After a positive reply to USER, only PASS and QUIT may follow (C0045).
    PassOrQuitDue,
    /// DELE must be sent with
    /// [`Session::enqueue_dele`](super::Session::enqueue_dele).
    ProofNeeded,
    /// [`Limits::queue_octets`](super::Limits::queue_octets) is reached, or
    /// with DELE [`Limits::listing_entries`](super::Limits::listing_entries).
    QueueFull,
    /// A response that does not fit a SASL line.
    ResponseTooLong,
    /// STLS may be sent neither under TLS nor after UTF8 (RFC 2595 §4, RFC 6856
    /// §2).
    StlsNotAllowed,
    /// The command contains a name or password, and there is no TLS yet.
    TlsNeeded,
    /// The command is not allowed in this state (C0016, C0018, C0025, C0028, C0033,
    /// C0035, V0005).
    WrongState {
        /// Its keyword.
        keyword: &'static str,
        /// The state.
        state: State,
    },
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApopDigest => {
                f.write_str("the digest of APOP is not 32 hexadecimal digits in lower case")
            }
            Self::ApopName => f.write_str("APOP cannot carry a name that has a space"),
            Self::ApopNotOffered => f.write_str("the server does not offer APOP safely"),
            Self::Busy => f.write_str("the reply to the command before it is due first"),
            Self::Command(error) => error.fmt(f),
            Self::Deleted(number) => write!(f, "message {number} is marked as deleted"),
            Self::ForeignProof => f.write_str("the message was retrieved in another session"),
            Self::NeverSent { keyword, profile } => {
                write!(f, "{profile} never sends this form of {keyword}")
            }
            Self::NoChallenge => f.write_str("no challenge waits for a response"),
            Self::NotAscii => f.write_str("the server takes ASCII names and passwords only"),
            Self::NotBase64 => f.write_str("the SASL response is not base64"),
            Self::PassWithoutUser => f.write_str("PASS must follow a positive reply to USER"),
            Self::PassOrQuitDue => f.write_str("after USER only PASS or QUIT may follow"),
            Self::ProofNeeded => f.write_str("DELE needs proof that the message is kept"),
            Self::QueueFull => f.write_str("too much waits to be sent"),
            Self::ResponseTooLong => f.write_str("the SASL response is too long"),
            Self::StlsNotAllowed => f.write_str("STLS may not be sent now"),
            Self::TlsNeeded => f.write_str("not without TLS: it would show a name or password"),
            Self::WrongState { keyword, state } => {
                write!(f, "{keyword} may not be sent in the {state} state")
            }
        }
    }
}

impl core::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Command(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CommandError> for ClientError {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

/// A malformed line of a reply, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The number of the line in the block, from 1; 0 for the first line of the
    /// reply.
    pub line: u64,
    /// The offset in octets from the start of the decoded block, or of the text of
    /// the first line.
    pub offset: u64,
    /// What is wrong.
    pub kind: LineErrorKind,
}

/// What is wrong with a line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// Not a capability.
    Capability(CapabilityError),
    /// An earlier line has the same message-number.
    Duplicate(MessageNumber),
    /// Not a listing.
    Listing(ListingError),
    /// A message-number over [`Limits::listing_entries`](super::Limits::listing_entries).
    NumberTooHigh(MessageNumber),
    /// The listing of this message instead of the requested one.
    OtherMessage(MessageNumber),
    /// The reply is negative, or does not have such a listing.
    OtherReply,
    /// More than 512 octets, including CRLF.
    TooLong,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, offset, .. } = self;
        match line {
            0 => write!(f, "first line of the reply, octet {offset}: "),
            line => write!(f, "line {line} of the reply, octet {offset}: "),
        }?;
        self.kind.fmt(f)
    }
}

impl fmt::Display for LineErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(error) => error.fmt(f),
            Self::Duplicate(number) => write!(f, "message {number} is listed twice"),
            Self::Listing(error) => error.fmt(f),
            Self::NumberTooHigh(number) => write!(f, "message-number {number} passes the limit"),
            Self::OtherMessage(number) => write!(f, "the listing is that of message {number}"),
            Self::OtherReply => f.write_str("the reply holds no such listing"),
            Self::TooLong => f.write_str("the line is longer than 512 octets"),
        }
    }
}

impl core::error::Error for LineError {}

/// Why a session ended. Each further call repeats the error, and nothing more is
/// sent: close the connection. Messages marked as deleted stay (RFC 1939 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// A challenge or success after `*`: server and client are not in the same
    /// exchange.
    AfterCancel,
    /// A challenge over [`Limits::challenge_octets`](super::Limits::challenge_octets).
    ChallengeTooLong,
    /// The server closed the connection, in the reply to this command if there is
    /// one.
    Closed(Option<Request>),
    /// A malformed line, if the configuration says to stop at one.
    Line(LineError),
    /// Octets after the positive reply to STLS and before the handshake: an
    /// attacker may have injected them (CVE-2021-22947).
    PlaintextAfterStls,
    /// The input is not a reply, not expected, or beyond a limit.
    Reply(ReplyError),
    /// The client waited too long.
    Timeout(Timer),
    /// More challenges in one exchange than
    /// [`Limits::challenges`](super::Limits::challenges).
    TooManyChallenges,
    /// More lines than [`Limits::listing_entries`](super::Limits::listing_entries).
    TooManyLines,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterCancel => f.write_str("the server went on after AUTH was canceled"),
            Self::ChallengeTooLong => f.write_str("the SASL challenge is too long"),
            Self::Closed(None) => f.write_str("the server closed the connection"),
            Self::Closed(Some(request)) => {
                let keyword = request.keyword();
                write!(
                    f,
                    "the server closed the connection in its reply to {keyword}"
                )
            }
            Self::Line(error) => error.fmt(f),
            Self::PlaintextAfterStls => {
                f.write_str("unprotected octets follow the reply to STLS: perhaps an attack")
            }
            Self::Reply(error) => error.fmt(f),
            Self::Timeout(timer) => write!(f, "waited too long for {timer}"),
            Self::TooManyChallenges => f.write_str("the server never ends the SASL exchange"),
            Self::TooManyLines => f.write_str("the listing has too many lines"),
        }
    }
}

impl core::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Line(error) => Some(error),
            Self::Reply(error) => Some(error),
            _ => None,
        }
    }
}

//! The events of a session, and its inputs other than commands.

use core::fmt;

use dot_stuffing::Complete;

use super::{LineError, LineErrorKind, Retrieved};
use crate::{
    Capability, Command, DropListing, FieldRule, ListingError, MessageNumber, ScanListing, Secret,
    StatusLine, UniqueIdListing,
};

/// A command without its secrets, which a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the commands of `Command`, by their names")]
pub enum Request {
    Apop,
    Auth,
    AuthList,
    Capa,
    Dele(MessageNumber),
    Lang,
    LangList,
    List(Option<MessageNumber>),
    Noop,
    Pass,
    Quit,
    Retr(MessageNumber),
    Rset,
    Stat,
    Stls,
    Top(MessageNumber, u32),
    Uidl(Option<MessageNumber>),
    User,
    Utf8,
}

impl Request {
    pub(super) const fn of(command: &Command<'_>) -> Self {
        match *command {
            Command::Apop { .. } => Self::Apop,
            Command::Auth { .. } => Self::Auth,
            Command::AuthList => Self::AuthList,
            Command::Capa => Self::Capa,
            Command::Dele(number) => Self::Dele(number),
            Command::Lang(_) => Self::Lang,
            Command::LangList => Self::LangList,
            Command::List(number) => Self::List(number),
            Command::Noop => Self::Noop,
            Command::Pass(_) => Self::Pass,
            Command::Quit => Self::Quit,
            Command::Retr(number) => Self::Retr(number),
            Command::Rset => Self::Rset,
            Command::Stat => Self::Stat,
            Command::Stls => Self::Stls,
            Command::Top(number, lines) => Self::Top(number, lines),
            Command::Uidl(number) => Self::Uidl(number),
            Command::User(_) => Self::User,
            Command::Utf8 => Self::Utf8,
        }
    }

    /// The keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Apop => "APOP",
            Self::Auth | Self::AuthList => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele(_) => "DELE",
            Self::Lang | Self::LangList => "LANG",
            Self::List(_) => "LIST",
            Self::Noop => "NOOP",
            Self::Pass => "PASS",
            Self::Quit => "QUIT",
            Self::Retr(_) => "RETR",
            Self::Rset => "RSET",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top(..) => "TOP",
            Self::Uidl(_) => "UIDL",
            Self::User => "USER",
            Self::Utf8 => "UTF8",
        }
    }

    /// Whether it sends names or secrets.
    pub(super) const fn is_login(self) -> bool {
        matches!(self, Self::Apop | Self::Auth | Self::Pass | Self::User)
    }

    /// Whether its positive reply has a listing.
    pub(super) const fn is_listing(self) -> bool {
        matches!(
            self,
            Self::AuthList | Self::Capa | Self::LangList | Self::List(None) | Self::Uidl(None)
        )
    }

    /// Whether its positive reply has a message.
    pub(super) const fn is_message(self) -> bool {
        matches!(self, Self::Retr(_) | Self::Top(..))
    }

    /// Whether its reply may change which commands are allowed.
    pub(super) const fn changes_state(self) -> bool {
        matches!(
            self,
            Self::Apop
                | Self::Auth
                | Self::Pass
                | Self::Quit
                | Self::Stls
                | Self::User
                | Self::Utf8
        )
    }

    pub(super) const fn is_dele(self) -> bool {
        matches!(self, Self::Dele(_))
    }

    /// The number of the message that it is about.
    pub(super) const fn number(self) -> Option<MessageNumber> {
        match self {
            Self::Dele(number) | Self::Retr(number) | Self::Top(number, _) => Some(number),
            Self::List(number) | Self::Uidl(number) => number,
            _ => None,
        }
    }
}

/// Writes the command without its secrets: `RETR 2`, `PASS`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())?;
        match self.number() {
            Some(number) => write!(f, " {number}"),
            None => Ok(()),
        }
    }
}

/// The meaning of the server's octets.
///
/// The reply to a command begins with [`Status`](Self::Status). If that is positive
/// and the command has a multi-line reply, parts of the block follow, and
/// [`End`](Self::End) when it is complete. For AUTH,
/// [`Challenge`](Self::Challenge)s may precede the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The greeting. After a negative one the session is closed.
    Greeting(StatusLine<'a>),
    /// The first line of a reply.
    Status(Reply<'a>),
    /// A SASL challenge, in base64. Call [`respond`](super::Session::respond).
    Challenge(&'a [u8]),
    /// Octets of the message: a slice of the input.
    Data(&'a [u8]),
    /// A line of the reply to LIST.
    Scan(ScanListing),
    /// A line of the reply to UIDL.
    UniqueId(UniqueIdListing<'a>),
    /// A line of the reply to CAPA.
    Capability(Capability<'a>),
    /// A line of another listing: AUTH or LANG without argument.
    Line(&'a [u8]),
    /// A malformed line of a listing. The lines after it are still parsed.
    Malformed(LineError),
    /// The block ended, and is complete.
    End(End),
}

/// The first line of a reply, with the command that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The command that it answers.
    pub request: Request,
    /// The line.
    pub status: StatusLine<'a>,
    pub(super) fields: FieldRule,
}

impl<'a> Reply<'a> {
    /// Whether it is positive.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.status.is_positive()
    }

    /// Parses the reply to STAT (RFC 1939 §5, MS-STANOPOP3 C0017).
    ///
    /// # Errors
    ///
    /// If this is not a positive reply to STAT, or the listing is malformed.
    pub fn drop_listing(&self) -> Result<DropListing, LineError> {
        self.check(self.request == Request::Stat)?;
        DropListing::parse(self.status.text(), self.fields).map_err(malformed)
    }

    /// Parses the reply to LIST with a message-number.
    ///
    /// # Errors
    ///
    /// If this is not a positive reply to that command, the listing is malformed,
    /// or it is the listing of another message.
    pub fn scan_listing(&self) -> Result<ScanListing, LineError> {
        self.check(matches!(self.request, Request::List(Some(_))))?;
        let listing = ScanListing::parse(self.status.text(), self.fields).map_err(malformed)?;
        self.check_number(listing.number)?;
        Ok(listing)
    }

    /// Parses the reply to UIDL with a message-number.
    ///
    /// # Errors
    ///
    /// As [`scan_listing`](Self::scan_listing).
    pub fn unique_id_listing(&self) -> Result<UniqueIdListing<'a>, LineError> {
        self.check(matches!(self.request, Request::Uidl(Some(_))))?;
        let listing = UniqueIdListing::parse(self.status.text(), self.fields).map_err(malformed)?;
        self.check_number(listing.number)?;
        Ok(listing)
    }

    const fn check(&self, has_listing: bool) -> Result<(), LineError> {
        match has_listing && self.is_positive() {
            true => Ok(()),
            false => Err(first_line(0, LineErrorKind::OtherReply)),
        }
    }

    fn check_number(&self, number: MessageNumber) -> Result<(), LineError> {
        match self.request.number() == Some(number) {
            true => Ok(()),
            false => Err(first_line(0, LineErrorKind::OtherMessage(number))),
        }
    }
}

fn malformed(error: ListingError) -> LineError {
    first_line(error.offset() as u64, LineErrorKind::Listing(error))
}

const fn first_line(offset: u64, kind: LineErrorKind) -> LineError {
    LineError {
        line: 0,
        offset,
        kind,
    }
}

/// The end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// The command that the block answers.
    pub request: Request,
    /// The proof that the block is complete, with its octets.
    pub complete: Complete,
    /// After RETR, the proof that [DELE](super::Session::enqueue_dele) requires.
    pub retrieved: Option<Retrieved>,
    /// The number of well-formed lines of a listing.
    pub entries: u64,
    /// The number of malformed lines.
    pub malformed: u64,
    /// The highest message-number of a listing. If it exceeds `entries`, there are
    /// gaps: messages deleted in this session, or missing lines.
    pub highest: u32,
}

/// The client's response to a SASL challenge (RFC 5034 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// `*`: cancels the exchange. The server replies `-ERR`.
    Cancel,
    /// An empty line.
    Empty,
    /// Base64.
    Base64(Secret<'a>),
}

//! The sections of the document that hold statements.

use core::fmt;

/// A section of MS-STANOPOP3, 2.2.1 to 2.2.18. Each is about one part of
/// RFC 1939. `Display` writes its number.
///
/// ```
/// use pop3_conformance::Section;
///
/// let section = Section::Uidl;
/// assert_eq!(section.to_string(), "2.2.14");
/// assert_eq!((section.rfc1939(), section.title()), (7, "UIDL"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// 2.2.1: connection, commands, replies, greeting.
    BasicOperation = 1,
    /// 2.2.2: login, and the numbering of messages.
    Authorization,
    /// 2.2.3: QUIT before login.
    QuitInAuthorization,
    /// 2.2.4: commands and replies after login.
    Transaction,
    /// 2.2.5.
    Stat,
    /// 2.2.6.
    List,
    /// 2.2.7.
    Retr,
    /// 2.2.8.
    Dele,
    /// 2.2.9.
    Noop,
    /// 2.2.10.
    Rset,
    /// 2.2.11: QUIT after login.
    QuitInTransaction,
    /// 2.2.12: the commands that a server must have.
    OptionalCommands,
    /// 2.2.13.
    Top,
    /// 2.2.14.
    Uidl,
    /// 2.2.15.
    User,
    /// 2.2.16.
    Pass,
    /// 2.2.17.
    Apop,
    /// 2.2.18: mail that stays on the server.
    Operation,
}

impl Section {
    /// Every section, in order.
    pub const ALL: [Self; 18] = [
        Self::BasicOperation,
        Self::Authorization,
        Self::QuitInAuthorization,
        Self::Transaction,
        Self::Stat,
        Self::List,
        Self::Retr,
        Self::Dele,
        Self::Noop,
        Self::Rset,
        Self::QuitInTransaction,
        Self::OptionalCommands,
        Self::Top,
        Self::Uidl,
        Self::User,
        Self::Pass,
        Self::Apop,
        Self::Operation,
    ];

    /// The section of RFC 1939 that this section is about.
    #[must_use]
    pub const fn rfc1939(self) -> u8 {
        match self {
            Self::BasicOperation => 3,
            Self::Authorization | Self::QuitInAuthorization => 4,
            Self::Transaction
            | Self::Stat
            | Self::List
            | Self::Retr
            | Self::Dele
            | Self::Noop
            | Self::Rset => 5,
            Self::QuitInTransaction => 6,
            Self::OptionalCommands
            | Self::Top
            | Self::Uidl
            | Self::User
            | Self::Pass
            | Self::Apop => 7,
            Self::Operation => 8,
        }
    }

    /// The subject of the section.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BasicOperation => "Basic operation",
            Self::Authorization => "AUTHORIZATION state",
            Self::QuitInAuthorization => "QUIT before login",
            Self::Transaction => "TRANSACTION state",
            Self::Stat => "STAT",
            Self::List => "LIST",
            Self::Retr => "RETR",
            Self::Dele => "DELE",
            Self::Noop => "NOOP",
            Self::Rset => "RSET",
            Self::QuitInTransaction => "QUIT after login",
            Self::OptionalCommands => "Optional commands",
            Self::Top => "TOP",
            Self::Uidl => "UIDL",
            Self::User => "USER",
            Self::Pass => "PASS",
            Self::Apop => "APOP",
            Self::Operation => "Operation",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.2.{}", *self as u8)
    }
}

//! A reply, or the reason why it is missing.

/// A complete reply.
#[derive(Clone, Debug, Default)]
pub(in crate::check) struct Reply {
    /// Whether its first octet is `+` (MS-STANOPOP3 V0001).
    pub(in crate::check) positive: bool,
    /// Whether it begins with `+OK` or `-ERR` (RFC 1939 §3).
    pub(in crate::check) exact: bool,
    /// The text after the status indicator.
    pub(in crate::check) text: Vec<u8>,
    /// The decoded block; empty if there is none.
    pub(in crate::check) block: Vec<u8>,
    /// The number of lines of the block from which a dot was removed.
    pub(in crate::check) stuffed_lines: u64,
    /// The offset on the wire of the first unstuffed dot.
    pub(in crate::check) unstuffed: Option<u64>,
    /// The exchange, for people.
    pub(in crate::check) shown: String,
}

/// Why there is no whole reply.
#[derive(Clone, Debug)]
pub(in crate::check) struct Trouble {
    pub(in crate::check) kind: TroubleKind,
    /// The exchange, for people.
    pub(in crate::check) shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum TroubleKind {
    /// No octet of it came.
    Silent,
    /// No octet of it came, and the connection is closed.
    Closed,
    /// A first line without CRLF.
    LineUnended,
    /// A first line of more than 512 octets.
    LineTooLong,
    /// A positive first line, and then no block where one is due.
    NoBlock,
    /// A block without its last line.
    BlockUnended,
    /// A block that exceeds the limit.
    BlockTooLong,
    /// The command could not be sent.
    Unsent,
    /// The run as a whole has taken too long.
    OutOfTime,
    /// USER is neither announced nor taken.
    NoLogin,
    /// No session to ask in.
    NoSession,
}

pub(in crate::check) type Answer = Result<Reply, Trouble>;

impl Reply {
    /// Whether it is one, if only to Outlook.
    pub(in crate::check) const fn is_reply(&self) -> bool {
        self.exact || self.positive
    }

    pub(super) fn after(mut self, command: &str) -> Self {
        self.shown = format!("{command}\n{}", self.shown);
        self
    }
}

impl Trouble {
    pub(in crate::check) fn none() -> Self {
        Self {
            kind: TroubleKind::NoSession,
            shown: String::new(),
        }
    }

    /// Adds what was said before.
    pub(in crate::check) fn following(mut self, before: &str) -> Self {
        self.shown = format!("{before}\n{}", self.shown);
        self
    }

    pub(super) fn after(mut self, command: &str) -> Self {
        let what = self.kind.in_words();
        self.shown = format!("{command}\n{}\n({what})", self.shown);
        self
    }
}

impl TroubleKind {
    /// Whether not an octet came.
    pub(in crate::check) const fn is_unanswered(self) -> bool {
        matches!(self, Self::Silent | Self::Closed)
    }

    /// Whether the server closed the connection.
    pub(in crate::check) const fn is_close(self) -> bool {
        matches!(self, Self::Closed | Self::Unsent)
    }

    /// Whether it says nothing of the server: there was no time, or no session.
    pub(in crate::check) const fn is_ours(self) -> bool {
        matches!(self, Self::OutOfTime | Self::NoSession)
    }

    pub(in crate::check) const fn in_words(self) -> &'static str {
        match self {
            Self::Silent => "no answer",
            Self::Closed => "closed without a reply",
            Self::LineUnended => "no CRLF came",
            Self::LineTooLong => "the line is longer than 512 octets",
            Self::NoBlock => "no block came",
            Self::BlockUnended => "the line with a single dot did not come",
            Self::BlockTooLong => "the block is longer than this check reads",
            Self::Unsent => "the octets could not be sent",
            Self::OutOfTime => "the run had no time left",
            Self::NoLogin => "no login by USER",
            Self::NoSession => "there was no session to ask in",
        }
    }
}

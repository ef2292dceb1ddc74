//! Behaviour as data: RFC 1939, and Outlook release by release.

use crate::{Command, FieldRule, ReplyRule};

/// How a client behaves where clients differ: what it takes for success, how
/// it reads listings, what it never sends, what it does with mail that it has.
///
/// One for [RFC 1939](Self::RFC1939) and one for each release that
/// MS-STANOPOP3 §1.3 names. They are values, so a caller can take one and
/// change a field.
///
/// ```
/// use pop3_proto::{AfterSync, Profile};
///
/// let profile = Profile::by_name("outlook-2016").unwrap();
/// assert_eq!(profile.after_sync, AfterSync::Delete);
/// assert!(profile.never_sends.rset);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name to choose it by: lower case, words joined by `-`.
    pub name: &'static str,
    /// The name to show.
    pub title: &'static str,
    /// What says yes, and where a block ends (V0001, V0002).
    pub reply: ReplyRule,
    /// How the fields of listings are told apart (C0004, C0017, C0021, C0038).
    pub fields: FieldRule,
    /// Commands that are refused before an octet is sent.
    pub never_sends: NeverSends,
    /// What becomes of a message on the server once it is stored (C0048).
    pub after_sync: AfterSync,
    /// What two messages with one unique-id are (C0041).
    pub equal_unique_ids: EqualUniqueIds,
    /// The statements that do not name this release. What they say does not
    /// hold for it: the rule of RFC 1939 does.
    pub unnamed_in: &'static [&'static str],
}

/// Commands that a client never sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NeverSends {
    /// APOP (V0008).
    pub apop: bool,
    /// LIST with a message-number (V0003).
    pub list_argument: bool,
    /// RSET (V0006).
    pub rset: bool,
    /// UIDL with a message-number (V0007).
    pub uidl_argument: bool,
}

/// What becomes of a message on the server once the client has it (C0048).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterSync {
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

/// What two messages of a maildrop with the same unique-id are (C0041).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EqualUniqueIds {
    /// Two messages: each is fetched and deleted on its own (RFC 1939 §7).
    Apart,
    /// One message: what is meant for one may happen to the other.
    Interchangeable,
}

impl NeverSends {
    const OUTLOOK: Self = Self {
        apop: true,
        list_argument: true,
        rset: true,
        uidl_argument: true,
    };

    /// Whether a command is among them.
    ///
    /// ```
    /// use pop3_proto::{Command, MessageNumber, Profile};
    ///
    /// let outlook = Profile::OUTLOOK_2024.never_sends;
    /// assert!(outlook.includes(&Command::List(Some(MessageNumber::FIRST))));
    /// assert!(!outlook.includes(&Command::List(None)));
    /// ```
    #[must_use]
    pub const fn includes(self, command: &Command<'_>) -> bool {
        match command {
            Command::Apop { .. } => self.apop,
            Command::List(Some(_)) => self.list_argument,
            Command::Rset => self.rset,
            Command::Uidl(Some(_)) => self.uidl_argument,
            _ => false,
        }
    }
}

impl Profile {
    /// RFC 1939 and RFC 2449 to the letter. Mail stays on the server: the RFC
    /// leaves that open (§8), and keeping is what can be undone.
    pub const RFC1939: Self = Self {
        name: "rfc1939",
        title: "RFC 1939",
        reply: ReplyRule::RFC1939,
        fields: FieldRule::RFC1939,
        never_sends: NeverSends {
            apop: false,
            list_argument: false,
            rset: false,
            uidl_argument: false,
        },
        after_sync: AfterSync::Keep,
        equal_unique_ids: EqualUniqueIds::Apart,
        unnamed_in: &[],
    };

    /// Office Outlook 2007.
    pub const OUTLOOK_2007: Self = Self {
        name: "outlook-2007",
        title: "Office Outlook 2007",
        reply: ReplyRule::OUTLOOK,
        fields: FieldRule::OUTLOOK,
        never_sends: NeverSends::OUTLOOK,
        after_sync: AfterSync::Delete,
        equal_unique_ids: EqualUniqueIds::Interchangeable,
        unnamed_in: &[],
    };

    /// Outlook 2010.
    pub const OUTLOOK_2010: Self = Self {
        name: "outlook-2010",
        title: "Outlook 2010",
        ..Self::OUTLOOK_2007
    };

    /// Outlook 2013.
    pub const OUTLOOK_2013: Self = Self {
        name: "outlook-2013",
        title: "Outlook 2013",
        ..Self::OUTLOOK_2007
    };

    /// Outlook 2016: the last that deletes after it has synchronised (C0048).
    pub const OUTLOOK_2016: Self = Self {
        name: "outlook-2016",
        title: "Outlook 2016",
        ..Self::OUTLOOK_2007
    };

    /// Outlook 2019: the first that keeps mail on the server (C0048).
    pub const OUTLOOK_2019: Self = Self {
        name: "outlook-2019",
        title: "Outlook 2019",
        after_sync: AfterSync::Keep,
        ..Self::OUTLOOK_2007
    };

    /// Outlook 2021.
    pub const OUTLOOK_2021: Self = Self {
        name: "outlook-2021",
        title: "Outlook 2021",
        ..Self::OUTLOOK_2019
    };

    /// Outlook 2024, a preview when the document was written.
    pub const OUTLOOK_2024: Self = Self {
        name: "outlook-2024",
        title: "Outlook 2024 Preview",
        ..Self::OUTLOOK_2019
    };

    /// Outlook for Windows (new).
    ///
    /// C0010 and C0038 to C0041 do not name it. For them RFC 1939 holds:
    /// nothing follows a unique-id (C0038), and messages with equal unique-ids
    /// are told apart (C0041). Runs of blanks are accepted in unique-id
    /// listings too, since C0004 names it and speaks of all responses. C0010,
    /// C0039 and C0040 leave a client nothing to do otherwise.
    pub const OUTLOOK_NEW: Self = Self {
        name: "outlook-new",
        title: "Outlook for Windows (new)",
        fields: FieldRule {
            blanks: true,
            text_after_unique_id: false,
        },
        equal_unique_ids: EqualUniqueIds::Apart,
        unnamed_in: &["C0010", "C0038", "C0039", "C0040", "C0041"],
        ..Self::OUTLOOK_2019
    };

    /// All of them, RFC 1939 first, then by age.
    pub const ALL: [Self; 9] = [
        Self::RFC1939,
        Self::OUTLOOK_2007,
        Self::OUTLOOK_2010,
        Self::OUTLOOK_2013,
        Self::OUTLOOK_2016,
        Self::OUTLOOK_2019,
        Self::OUTLOOK_2021,
        Self::OUTLOOK_2024,
        Self::OUTLOOK_NEW,
    ];

    /// The profile of that [name](Self::name), in any case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|profile| profile.name.eq_ignore_ascii_case(name))
    }

    /// Whether a statement such as `C0041` names this release. Always yes for
    /// a statement without a list of releases that leaves it out.
    #[must_use]
    pub fn is_named_in(&self, statement: &str) -> bool {
        !self.unnamed_in.contains(&statement)
    }
}

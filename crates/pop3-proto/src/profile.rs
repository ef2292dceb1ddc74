//! Behaviour as data: RFC 1939, and each release of Outlook.

use crate::{Command, FieldRule, ReplyRule};

/// How a client behaves where clients differ: what it accepts as success, how it
/// reads listings, what it never sends, and what it does with mail that it has.
///
/// There is one for [RFC 1939](Self::RFC1939) and one for each release that
/// MS-STANOPOP3 §1.3 names. Profiles are values, so a caller can copy one and
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
    /// The name by which to choose it: lower-case words joined by `-`.
    pub name: &'static str,
    /// The name to show.
    pub title: &'static str,
    /// What counts as a positive reply, and where a block ends (V0001, V0002).
    pub reply: ReplyRule,
    /// How the fields of listings are separated (C0004, C0017, C0021, C0038).
    pub fields: FieldRule,
    /// Commands that are refused before an octet is sent.
    pub never_sends: NeverSends,
    /// What to do with a message on the server after it is stored (C0048).
    pub after_sync: AfterSync,
    /// How to treat messages with equal unique-ids (C0041).
    pub equal_unique_ids: EqualUniqueIds,
    /// The statements that do not name this release. For them the rule of RFC 1939
    /// applies.
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

/// What a client does with a message on the server after it has stored it (C0048).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterSync {
    /// Delete it.
    Delete,
    /// Keep it.
    Keep,
}

/// How a client treats messages of a maildrop with the same unique-id (C0041).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EqualUniqueIds {
    /// As different messages: each is fetched and deleted separately (RFC 1939 §7).
    Apart,
    /// As one message: an action for one may affect the other.
    Interchangeable,
}

impl NeverSends {
    const OUTLOOK: Self = Self {
        apop: true,
        list_argument: true,
        rset: true,
        uidl_argument: true,
    };

    /// Whether a command is one of these.
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
    /// RFC 1939 and RFC 2449 exactly. Mail stays on the server: the RFC leaves that
    /// open (§8), and keeping mail can be undone.
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

    /// Outlook 2016: the last one that deletes after synchronizing (C0048).
    pub const OUTLOOK_2016: Self = Self {
        name: "outlook-2016",
        title: "Outlook 2016",
        ..Self::OUTLOOK_2007
    };

    /// Outlook 2019: the first one that keeps mail on the server (C0048).
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
    /// C0010 and C0038 to C0041 do not name it. For them RFC 1939 applies: nothing
    /// may follow a unique-id (C0038), and messages with equal unique-ids are
    /// different messages (C0041). Runs of blanks are accepted in unique-id
    /// listings too, because C0004 names it and covers all responses. C0010, C0039
    /// and C0040 make no difference for a client.
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

    /// All profiles: RFC 1939 first, then the releases from the oldest.
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

    /// The profile with this [name](Self::name), in upper or lower case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|profile| profile.name.eq_ignore_ascii_case(name))
    }

    /// Whether a statement such as `C0041` applies to this release: always, unless
    /// its list of releases leaves this one out.
    #[must_use]
    pub fn is_named_in(&self, statement: &str) -> bool {
        !self.unnamed_in.contains(&statement)
    }
}

//! A statement and its parts.

use core::fmt;

use crate::{Id, Release, Releases, Section};

/// A statement of MS-STANOPOP3. `Display` writes it on one line.
///
/// ```
/// use pop3_conformance::{Id, statement};
///
/// assert_eq!(
///     statement(Id::C(15)).unwrap().to_string(),
///     "C0015 (2.2.5, client, MUST NOT): STAT goes without arguments."
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    pub(crate) id: Id,
    pub(crate) section: Section,
    pub(crate) party: Party,
    pub(crate) strengths: &'static [Strength],
    pub(crate) clauses: &'static [Clause],
}

/// What a statement says about some releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    pub(crate) releases: Releases,
    pub(crate) line: &'static str,
}

/// The party that must comply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The client: Outlook, or our client in its role.
    Client,
    /// The server that Outlook speaks to.
    Server,
    /// Both.
    Both,
}

/// The strength of a statement (RFC 2119), or that it is only a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// MUST.
    Must,
    /// MUST NOT.
    MustNot,
    /// SHOULD.
    Should,
    /// SHOULD NOT.
    ShouldNot,
    /// MAY.
    May,
    /// A fact about what Outlook does or does not do.
    Fact,
}

impl Statement {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// Its section in the document.
    #[must_use]
    pub const fn section(&self) -> Section {
        self.section
    }

    /// The party that must comply.
    #[must_use]
    pub const fn party(&self) -> Party {
        self.party
    }

    /// The first of its [`strengths`](Self::strengths).
    #[must_use]
    pub const fn strength(&self) -> Strength {
        self.strengths[0]
    }

    /// All strengths of the statement, the strictest first. Some statements also
    /// allow something, or add how Outlook behaves.
    #[must_use]
    pub const fn strengths(&self) -> &'static [Strength] {
        self.strengths
    }

    /// The releases that it names.
    #[must_use]
    pub fn releases(&self) -> Releases {
        let parts = self.clauses.iter().map(|clause| clause.releases);
        parts.reduce(Releases::union).unwrap_or(Releases::ALL)
    }

    /// Its clauses: one, or one for each group of releases.
    #[must_use]
    pub const fn clauses(&self) -> &'static [Clause] {
        self.clauses
    }

    /// What it says about one release; `None` if it does not name that release.
    #[must_use]
    pub fn for_release(&self, release: Release) -> Option<&'static str> {
        let mut clauses = self.clauses.iter();
        let clause = clauses.find(|clause| clause.releases.contains(release))?;
        Some(clause.line)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", self.id, self.section, self.party)?;
        for strength in self.strengths {
            write!(f, ", {strength}")?;
        }
        f.write_str("):")?;
        match self.clauses {
            [clause] => write!(f, " {}", clause.line),
            clauses => clauses.iter().try_for_each(|clause| clause.fmt_named(f)),
        }
    }
}

impl Clause {
    /// The releases.
    #[must_use]
    pub const fn releases(&self) -> Releases {
        self.releases
    }

    /// The rule for these releases, in our words.
    #[must_use]
    pub const fn line(&self) -> &'static str {
        self.line
    }

    fn fmt_named(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " [{}] {}", self.releases, self.line)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Both => "both",
        })
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
            Self::Fact => "fact",
        })
    }
}

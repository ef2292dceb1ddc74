//! The ids of statements.

use core::{fmt, str::FromStr};

/// The id of a statement, such as C0017.
///
/// An id may be well-formed without being in the document: see
/// [`statement`](crate::statement).
///
/// ```
/// use pop3_conformance::{Id, Kind};
///
/// let id: Id = "V0002".parse()?;
/// assert_eq!((id.kind(), id.number()), (Kind::Variability, 2));
/// assert_eq!(id, Id::V(2));
/// assert_eq!(id.to_string(), "V0002");
/// let error = "V2".parse::<Id>().unwrap_err();
/// assert_eq!(error.to_string(), "an id is C or V and four digits, such as C0017");
/// # Ok::<(), pop3_conformance::ParseIdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    kind: Kind,
    number: u16,
}

/// The kind of a statement (MS-STANOPOP3 §1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// C: clarifies what RFC 1939 leaves unclear.
    Clarification,
    /// V: says what Outlook does where RFC 1939 leaves a choice.
    Variability,
}

impl Id {
    /// The id of a clarification.
    #[allow(non_snake_case, reason = "as the document writes it")]
    #[must_use]
    pub const fn C(number: u16) -> Self {
        Self {
            kind: Kind::Clarification,
            number,
        }
    }

    /// The id of a point of variability.
    #[allow(non_snake_case, reason = "as the document writes it")]
    #[must_use]
    pub const fn V(number: u16) -> Self {
        Self {
            kind: Kind::Variability,
            number,
        }
    }

    /// Clarification or variability.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// The number after the letter.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            Kind::Clarification => 'C',
            Kind::Variability => 'V',
        };
        write!(f, "{letter}{:04}", self.number)
    }
}

impl FromStr for Id {
    type Err = ParseIdError;

    /// Parses a letter, in either case, and four digits.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (letter, digits) = text.split_at_checked(1).ok_or(ParseIdError)?;
        if digits.len() != 4 || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(ParseIdError);
        }
        let number = digits.parse().map_err(|_| ParseIdError)?;
        match letter {
            "C" | "c" => Ok(Self::C(number)),
            "V" | "v" => Ok(Self::V(number)),
            _ => Err(ParseIdError),
        }
    }
}

/// The text is not C or V and four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is C or V and four digits, such as C0017")
    }
}

impl core::error::Error for ParseIdError {}

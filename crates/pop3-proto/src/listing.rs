//! Drop listings, scan listings and unique-id listings.

use core::fmt;

use crate::{
    ArgumentErrorKind, MessageNumber, UniqueId,
    command::{decimal, decimal_u64},
};

/// How the fields of a listing are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldRule {
    /// Runs of spaces and TABs separate fields, not one space alone
    /// (MS-STANOPOP3 C0004, C0017, C0021, C0038).
    pub blanks: bool,
    /// Something may follow the unique-id. (After the sizes of drop and scan
    /// listings something may follow by RFC 1939 §5 already.)
    pub text_after_unique_id: bool,
}

impl FieldRule {
    /// RFC 1939 §§5 and 7.
    pub const RFC1939: Self = Self {
        blanks: false,
        text_after_unique_id: false,
    };

    /// As Outlook reads them.
    pub const OUTLOOK: Self = Self {
        blanks: true,
        text_after_unique_id: true,
    };
}

/// The answer to STAT (RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropListing {
    /// Messages in the maildrop.
    pub messages: u32,
    /// Octets of all of them.
    pub octets: u64,
}

/// A line of the answer to LIST (RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ScanListing {
    /// Which message.
    pub number: MessageNumber,
    /// Its octets.
    pub octets: u64,
}

/// A line of the answer to UIDL (RFC 1939 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct UniqueIdListing<'a> {
    /// Which message.
    pub number: MessageNumber,
    /// Its unique-id.
    pub unique_id: UniqueId<'a>,
}

impl DropListing {
    /// Parses the text of a positive status line.
    ///
    /// # Errors
    ///
    /// What is missing, no number, or too large, with its octet in the text.
    ///
    /// ```
    /// use pop3_proto::{DropListing, FieldRule};
    ///
    /// let listing = DropListing::parse(b"2 320", FieldRule::RFC1939)?;
    /// assert_eq!((listing.messages, listing.octets), (2, 320));
    /// assert!(DropListing::parse(b"2", FieldRule::RFC1939).is_err());
    /// # Ok::<(), pop3_proto::ListingError>(())
    /// ```
    pub fn parse(text: &[u8], rule: FieldRule) -> Result<Self, ListingError> {
        let mut fields = Fields::new(text, rule);
        let (field, offset) = fields.next(ListingErrorKind::MessageCount)?;
        let messages = decimal(field).ok_or(ListingError {
            kind: ListingErrorKind::MessageCount,
            offset,
        })?;
        Ok(Self {
            messages,
            octets: fields.octets()?,
        })
    }
}

impl ScanListing {
    /// Parses a line without its CRLF, or the text of the answer to `LIST n`.
    ///
    /// # Errors
    ///
    /// As [`DropListing::parse`].
    pub fn parse(line: &[u8], rule: FieldRule) -> Result<Self, ListingError> {
        let mut fields = Fields::new(line, rule);
        Ok(Self {
            number: fields.number()?,
            octets: fields.octets()?,
        })
    }
}

impl<'a> UniqueIdListing<'a> {
    /// Parses a line without its CRLF, or the text of the answer to `UIDL n`.
    ///
    /// # Errors
    ///
    /// As [`DropListing::parse`]; also for a unique-id that is none.
    pub fn parse(line: &'a [u8], rule: FieldRule) -> Result<Self, ListingError> {
        let mut fields = Fields::new(line, rule);
        let number = fields.number()?;
        let (field, offset) = fields.next(ListingErrorKind::UniqueId(ArgumentErrorKind::Empty))?;
        let unique_id = UniqueId::new(field).map_err(|error| ListingError {
            kind: ListingErrorKind::UniqueId(error.kind()),
            offset: offset + error.offset(),
        })?;
        match fields.at {
            Some(at) if !rule.text_after_unique_id => Err(ListingError {
                kind: ListingErrorKind::ExtraField,
                offset: at,
            }),
            _ => Ok(Self { number, unique_id }),
        }
    }
}

/// The fields of a line, one after the other.
struct Fields<'a> {
    line: &'a [u8],
    /// Where the next field begins; `None` after the last.
    at: Option<usize>,
    rule: FieldRule,
}

impl<'a> Fields<'a> {
    fn new(line: &'a [u8], rule: FieldRule) -> Self {
        let mut fields = Self {
            line,
            at: Some(0),
            rule,
        };
        if rule.blanks {
            fields.skip_blanks(0);
        }
        fields
    }

    fn skip_blanks(&mut self, from: usize) {
        let field = self.line[from..]
            .iter()
            .position(|octet| !matches!(octet, b' ' | b'\t'));
        self.at = field.map(|blanks| from + blanks);
    }

    /// The next field and its offset.
    fn next(&mut self, missing: ListingErrorKind) -> Result<(&'a [u8], usize), ListingError> {
        let start = self.at.ok_or(ListingError {
            kind: missing,
            offset: self.line.len(),
        })?;
        let rest = &self.line[start..];
        let is_separator = |octet: &u8| *octet == b' ' || self.rule.blanks && *octet == b'\t';
        let field = &rest[..rest.iter().position(is_separator).unwrap_or(rest.len())];
        match (start + field.len() < self.line.len(), self.rule.blanks) {
            (false, _) => self.at = None,
            (true, false) => self.at = Some(start + field.len() + 1),
            (true, true) => self.skip_blanks(start + field.len()),
        }
        match field.is_empty() {
            true => Err(ListingError {
                kind: missing,
                offset: start,
            }),
            false => Ok((field, start)),
        }
    }

    fn number(&mut self) -> Result<MessageNumber, ListingError> {
        let kind = ListingErrorKind::MessageNumber;
        let (field, offset) = self.next(kind)?;
        let number = decimal(field).and_then(MessageNumber::new);
        number.ok_or(ListingError { kind, offset })
    }

    fn octets(&mut self) -> Result<u64, ListingError> {
        let kind = ListingErrorKind::Octets;
        let (field, offset) = self.next(kind)?;
        decimal_u64(field).ok_or(ListingError { kind, offset })
    }
}

/// Why a line is no listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListingError {
    kind: ListingErrorKind,
    offset: usize,
}

/// What is wrong with a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListingErrorKind {
    /// A field that must not be there.
    ExtraField,
    /// No number of messages, or one over 2^32 - 1.
    MessageCount,
    /// No message-number: 0, over 2^32 - 1, or not digits alone.
    MessageNumber,
    /// No number of octets, or one over 2^64 - 1.
    Octets,
    /// No unique-id.
    UniqueId(ArgumentErrorKind),
}

impl ListingError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(self) -> ListingErrorKind {
        self.kind
    }

    /// At which octet of the line, or of the text of the status line.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ListingErrorKind::ExtraField => "a field too many",
            ListingErrorKind::MessageCount => "no number of messages",
            ListingErrorKind::MessageNumber => "no message-number",
            ListingErrorKind::Octets => "no number of octets",
            ListingErrorKind::UniqueId(ArgumentErrorKind::TooLong) => {
                "a unique-id of more than 70 octets"
            }
            ListingErrorKind::UniqueId(_) => "no unique-id",
        };
        write!(f, "{what} at octet {} of the line", self.offset)
    }
}

impl core::error::Error for ListingError {}

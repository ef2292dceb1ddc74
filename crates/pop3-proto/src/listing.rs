//! Drop listings, scan listings and unique-id listings.

use core::fmt;

use crate::{
    ArgumentErrorKind, MessageNumber, UniqueId,
    command::{decimal, decimal_u64},
};

/// How the fields of a listing are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldRule {
    /// Whether runs of spaces and TABs separate fields, rather than exactly one
    /// space (MS-STANOPOP3 C0004, C0017, C0021, C0038).
    pub blanks: bool,
    /// Whether text may follow the unique-id. (RFC 1939 §5 always allows text after
    /// the sizes of drop and scan listings.)
    pub text_after_unique_id: bool,
}

impl FieldRule {
    /// RFC 1939 §§5 and 7.
    pub const RFC1939: Self = Self {
        blanks: false,
        text_after_unique_id: false,
    };

    /// The rule of Outlook.
    pub const OUTLOOK: Self = Self {
        blanks: true,
        text_after_unique_id: true,
    };
}

/// The listing in the reply to STAT (RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropListing {
    /// The number of messages in the maildrop.
    pub messages: u32,
    /// The octets of all messages.
    pub octets: u64,
}

/// A line of the reply to LIST (RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ScanListing {
    /// Which message.
    pub number: MessageNumber,
    /// Its octets.
    pub octets: u64,
}

/// A line of the reply to UIDL (RFC 1939 §7).
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
    /// What is missing, not a number, or too large, with its offset in the text.
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
    /// Parses a line without its CRLF, or the text of the reply to `LIST n`.
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
    /// Parses a line without its CRLF, or the text of the reply to `UIDL n`.
    ///
    /// # Errors
    ///
    /// As [`DropListing::parse`]; also for an invalid unique-id.
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

    /// Returns the next field and its offset.
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

/// Why a line is not a listing.
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
    /// The number of messages is missing, malformed, or over 2^32 - 1.
    MessageCount,
    /// The message-number is missing, malformed, 0, or over 2^32 - 1.
    MessageNumber,
    /// The number of octets is missing, malformed, or over 2^64 - 1.
    Octets,
    /// The unique-id is missing or invalid.
    UniqueId(ArgumentErrorKind),
}

impl ListingError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(self) -> ListingErrorKind {
        self.kind
    }

    /// The offset in the line, or in the text of the status line, in octets.
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

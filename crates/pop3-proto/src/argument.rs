//! The arguments of commands: types that cannot contain what must not be sent.

use core::{fmt, num::NonZeroU32, str};

/// A message-number: 1 and up (RFC 1939 §4, MS-STANOPOP3 C0011).
///
/// ```
/// use pop3_proto::MessageNumber;
///
/// assert!(MessageNumber::new(0).is_none());
/// assert_eq!(MessageNumber::new(3).map(MessageNumber::get), Some(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// The number of the first message of a maildrop.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The index in a list of all messages, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The message-number for an index; `None` beyond 2^32 - 1.
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::new(u32::try_from(index).ok()?.checked_add(1)?)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A unique-id: 1 to 70 octets from 0x21 to 0x7E (RFC 1939 §7).
///
/// MS-STANOPOP3 C0039 gives the range as 0x2E to 0x7E, which contradicts the RFC;
/// servers use the range of the RFC, and so does this type.
///
/// A unique-id is an arbitrary string: escape it before you use it as a file name.
///
/// ```
/// use pop3_proto::UniqueId;
///
/// assert!(UniqueId::new(b"whqtswO00WBw418f9t5JxYwZ").is_ok());
/// assert!(UniqueId::new(b"").is_err());
/// assert!(UniqueId::new(&[b'x'; 71]).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId<'a>(&'a [u8]);

impl<'a> UniqueId<'a> {
    /// The longest unique-id, in octets.
    pub const MAX: usize = 70;

    /// Checks a unique-id.
    ///
    /// # Errors
    ///
    /// If it is empty, longer than 70 octets, or contains an octet outside 0x21 to
    /// 0x7E.
    pub const fn new(octets: &'a [u8]) -> Result<Self, ArgumentError> {
        if octets.len() > Self::MAX {
            return Err(ArgumentError {
                kind: ArgumentErrorKind::TooLong,
                offset: Self::MAX,
            });
        }
        if octets.is_empty() {
            return Err(ArgumentError {
                kind: ArgumentErrorKind::Empty,
                offset: 0,
            });
        }
        let mut offset = 0;
        while offset < octets.len() {
            if !octets[offset].is_ascii_graphic() {
                return Err(ArgumentError {
                    kind: ArgumentErrorKind::Octet,
                    offset,
                });
            }
            offset += 1;
        }
        Ok(Self(octets))
    }

    /// A unique-id from octets that [`new`](Self::new) would accept.
    pub(crate) const fn trusted(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets of the unique-id: printable ASCII.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The unique-id as a string.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        str::from_utf8(self.0).unwrap_or_default()
    }
}

impl fmt::Display for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A string of the user in a command: a name or mailbox.
///
/// It contains no CR, LF, NUL or other control character, so it can neither end the
/// command nor begin another. Everything else is allowed, including `/` and `@` in
/// delegate names (`domain/alias/principal`, MS-OXPOP3 §2.2.2), spaces and, for
/// servers that announce UTF8 (RFC 6856 §2), non-ASCII characters.
///
/// ```
/// use pop3_proto::Argument;
///
/// assert!(Argument::new("contoso/assistant/boss@contoso.example").is_ok());
/// let error = Argument::new("me\r\nDELE 1").unwrap_err();
/// assert_eq!(error.to_string(), "octet 2 of the argument is a control character");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Argument<'a>(&'a str);

impl<'a> Argument<'a> {
    /// Checks an argument.
    ///
    /// # Errors
    ///
    /// If it is empty or contains a control character.
    pub fn new(text: &'a str) -> Result<Self, ArgumentError> {
        if text.is_empty() {
            return Err(ArgumentError {
                kind: ArgumentErrorKind::Empty,
                offset: 0,
            });
        }
        match text.char_indices().find(|(_, char)| char.is_control()) {
            Some((offset, _)) => Err(ArgumentError {
                kind: ArgumentErrorKind::Control,
                offset,
            }),
            None => Ok(Self(text)),
        }
    }

    /// The argument as a string.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// A password or another secret: an [`Argument`] that no output shows.
///
/// ```
/// use pop3_proto::Secret;
///
/// let secret = Secret::new("tanstaaf")?;
/// assert_eq!(format!("{secret:?}"), "Secret(hidden)");
/// assert_eq!(secret.expose(), "tanstaaf");
/// # Ok::<(), pop3_proto::ArgumentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(Argument<'a>);

impl<'a> Secret<'a> {
    /// Checks a secret.
    ///
    /// # Errors
    ///
    /// As [`Argument::new`].
    pub fn new(text: &'a str) -> Result<Self, ArgumentError> {
        Argument::new(text).map(Self)
    }

    /// The secret itself.
    #[must_use]
    pub const fn expose(self) -> &'a str {
        self.0.as_str()
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The name of a SASL mechanism: 1 to 20 of the characters A to Z, 0 to 9, `-` and
/// `_` (RFC 4422 §3.1), in upper or lower case. Comparison ignores case.
#[derive(Clone, Copy, Debug)]
pub struct Mechanism<'a>(&'a str);

impl<'a> Mechanism<'a> {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// If it is empty, too long, or contains another octet.
    ///
    /// ```
    /// use pop3_proto::Mechanism;
    ///
    /// assert_eq!(Mechanism::new("SCRAM-SHA-256"), Mechanism::new("scram-sha-256"));
    /// assert!(Mechanism::new("PLAIN LOGIN").is_err());
    /// ```
    pub fn new(name: &'a str) -> Result<Self, ArgumentError> {
        let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        word(name, 20, allowed).map(Self)
    }

    /// The name as a string.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl PartialEq for Mechanism<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Mechanism<'_> {}

/// The argument of LANG: a language range (RFC 5646), or `*` for the server's
/// choice (RFC 6856 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LanguageRange<'a>(&'a str);

impl<'a> LanguageRange<'a> {
    /// Checks a language range: 1 to 64 letters, digits, `-` and `*`.
    ///
    /// # Errors
    ///
    /// If it is empty, too long, or contains another octet.
    pub fn new(range: &'a str) -> Result<Self, ArgumentError> {
        let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'*');
        word(range, 64, allowed).map(Self)
    }

    /// The range as a string.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

fn word(text: &str, max: usize, allowed: impl Fn(&u8) -> bool) -> Result<&str, ArgumentError> {
    let error = |kind, offset| Err(ArgumentError { kind, offset });
    match text.as_bytes().iter().position(|octet| !allowed(octet)) {
        _ if text.is_empty() => error(ArgumentErrorKind::Empty, 0),
        Some(offset) => error(ArgumentErrorKind::Octet, offset),
        None if text.len() > max => error(ArgumentErrorKind::TooLong, max),
        None => Ok(text),
    }
}

/// Why a text cannot be an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgumentError {
    pub(crate) kind: ArgumentErrorKind,
    pub(crate) offset: usize,
}

/// What is wrong with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// A control character, such as CR, LF, NUL or TAB.
    Control,
    /// The argument is empty.
    Empty,
    /// An octet that this argument cannot have.
    Octet,
    /// More octets than this argument can have.
    TooLong,
}

impl ArgumentError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(self) -> ArgumentErrorKind {
        self.kind
    }

    /// The offset in the argument, in octets.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match self.kind {
            ArgumentErrorKind::Control => {
                write!(f, "octet {at} of the argument is a control character")
            }
            ArgumentErrorKind::Empty => write!(f, "the argument is empty"),
            ArgumentErrorKind::Octet => write!(f, "octet {at} of the argument is not allowed"),
            ArgumentErrorKind::TooLong => write!(f, "the argument is longer than {at} octets"),
        }
    }
}

impl core::error::Error for ArgumentError {}

#[cfg(test)]
mod tests {
    use super::{ArgumentError, ArgumentErrorKind, LanguageRange, Mechanism, MessageNumber};

    #[test]
    fn places_are_counted_from_0_and_messages_from_1() {
        for (index, number) in [(0, 1), (1, 2), (u32::MAX as usize - 1, u32::MAX)] {
            let number = MessageNumber::new(number).unwrap();
            assert_eq!(MessageNumber::from_index(index), Some(number));
            assert_eq!(number.index(), index);
        }
        assert_eq!(MessageNumber::from_index(u32::MAX as usize), None);
    }

    #[test]
    fn other_mechanisms_are_not_equal() {
        assert_ne!(Mechanism::new("PLAIN"), Mechanism::new("LOGIN"));
        assert_ne!(Mechanism::new("PLAIN"), Mechanism::new("PLAINX"));
    }

    #[test]
    fn words_have_at_least_one_octet_and_a_largest_length() {
        let refusal = |kind, offset| Some(ArgumentError { kind, offset });
        let empty = refusal(ArgumentErrorKind::Empty, 0);
        assert_eq!(Mechanism::new("").err(), empty);
        assert_eq!(LanguageRange::new("").err(), empty);
        let word = "x".repeat(65);
        assert!(Mechanism::new(&word[..20]).is_ok());
        assert!(LanguageRange::new(&word[..64]).is_ok());
        let (mechanism, range) = (Mechanism::new(&word[..21]), LanguageRange::new(&word));
        assert_eq!(mechanism.err(), refusal(ArgumentErrorKind::TooLong, 20));
        assert_eq!(range.err(), refusal(ArgumentErrorKind::TooLong, 64));
    }
}

//! Errors, with a kind and the offset of the octet that caused them.

use core::fmt;

/// What a decoder rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The decoder got octets after its block had ended.
    /// [`feed`](crate::MultilineDecoder::feed) leaves such octets in its input. Call
    /// [`reset`](crate::MultilineDecoder::reset) before you decode the next block.
    AfterEnd,
    /// A CR that is not followed by LF, under
    /// [`Policy::Reject`](crate::Policy::Reject).
    BareCr,
    /// An LF that is not preceded by CR, under
    /// [`Policy::Reject`](crate::Policy::Reject).
    BareLf,
    /// A line longer than the configured maximum.
    LineTooLong,
    /// More octets in the block than the configured maximum.
    TooLong,
    /// The input ended before the terminator. The decoded octets are only the
    /// beginning of a message.
    Truncated,
    /// A line that begins with one dot followed by other octets, under
    /// [`Policy::Reject`](crate::Policy::Reject).
    UnstuffedDot,
}

/// Why a block or line could not be decoded, and where.
///
/// A decoder that has failed repeats its error until it is reset, and a
/// [`LineDecoder`](crate::LineDecoder) until `skip_line`.
///
/// ```
/// use dot_stuffing::{ErrorKind, MultilineDecoder};
///
/// let mut decoder = MultilineDecoder::new();
/// decoder.feed(&mut &b"cut off he"[..]).for_each(drop);
/// let error = decoder.finish().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Truncated);
/// assert_eq!(error.offset(), 10);
/// assert_eq!(error.to_string(), "truncated: no terminator after 10 octets");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecodeError {
    kind: ErrorKind,
    offset: u64,
}

impl DecodeError {
    pub(crate) const fn new(kind: ErrorKind, offset: u64) -> Self {
        Self { kind, offset }
    }

    /// What was rejected.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The offset of the first rejected octet, counted on the wire from the start
    /// of the block, or for a [`LineDecoder`](crate::LineDecoder) from its first octet;
    /// for [`ErrorKind::Truncated`], the number of octets that were read.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match self.kind {
            ErrorKind::AfterEnd => write!(f, "octet {at} follows the end of the block"),
            ErrorKind::BareCr => write!(f, "bare CR at octet {at}: a line must end with CRLF"),
            ErrorKind::BareLf => write!(f, "bare LF at octet {at}: a line must end with CRLF"),
            ErrorKind::LineTooLong => write!(f, "line passes its maximum length at octet {at}"),
            ErrorKind::TooLong => write!(f, "block passes its maximum length at octet {at}"),
            ErrorKind::Truncated => {
                let s = if at == 1 { "" } else { "s" };
                write!(f, "truncated: no terminator after {at} octet{s}")
            }
            ErrorKind::UnstuffedDot => write!(
                f,
                "unstuffed dot at octet {at}: the sender did not double it"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(feature = "std")]
impl From<DecodeError> for std::io::Error {
    /// [`ErrorKind::Truncated`] becomes `UnexpectedEof`, all others `InvalidData`.
    fn from(error: DecodeError) -> Self {
        let kind = match error.kind {
            ErrorKind::Truncated => std::io::ErrorKind::UnexpectedEof,
            _ => std::io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// Why a message could not be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// A CR that is not followed by LF, under
    /// [`BareNewline::Reject`](crate::BareNewline::Reject).
    BareCr,
    /// An LF that is not preceded by CR, under
    /// [`BareNewline::Reject`](crate::BareNewline::Reject).
    BareLf,
    /// A CR or LF in a line for `LineCodec`, which adds the line end.
    LineEnd,
    /// A line for `LineCodec` that is longer than its maximum.
    LineTooLong,
    /// An iterator of [`encode`](crate::MultilineEncoder::encode), or what `encode_buf`
    /// returned, was dropped before its end, so octets of the message were not sent.
    Unfinished,
}

/// Why a message could not be encoded, and where.
///
/// After an error, [`finish`](crate::MultilineEncoder::finish) returns this error
/// instead of a terminator, so that a rejected message is never sent as if it were
/// complete.
///
/// ```
/// use dot_stuffing::{BareNewline, EncodeErrorKind, MultilineEncoder};
///
/// let mut encoder = MultilineEncoder::new(BareNewline::Reject);
/// let error = encoder.encode(b"one\ntwo").find_map(Result::err).unwrap();
/// assert_eq!((error.kind(), error.offset()), (EncodeErrorKind::BareLf, 3));
/// assert_eq!(encoder.finish(), Err(error));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodeError {
    kind: EncodeErrorKind,
    offset: u64,
}

impl EncodeError {
    pub(crate) const fn new(kind: EncodeErrorKind, offset: u64) -> Self {
        Self { kind, offset }
    }

    /// What was refused.
    #[must_use]
    pub const fn kind(self) -> EncodeErrorKind {
        self.kind
    }

    /// The offset of the rejected octet, or of the first octet that was not
    /// encoded, in octets from the start of the message.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.offset;
        match self.kind {
            EncodeErrorKind::BareCr => {
                write!(f, "bare CR at octet {at}: a line must end with CRLF")
            }
            EncodeErrorKind::BareLf => {
                write!(f, "bare LF at octet {at}: a line must end with CRLF")
            }
            EncodeErrorKind::LineEnd => {
                write!(
                    f,
                    "CR or LF at octet {at}: pass the line without its line end"
                )
            }
            EncodeErrorKind::LineTooLong => {
                write!(f, "line passes its maximum length at octet {at}")
            }
            EncodeErrorKind::Unfinished => write!(
                f,
                "the octets from {at} on were not encoded: a part of the message was dropped before its end"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}

#[cfg(feature = "std")]
impl From<EncodeError> for std::io::Error {
    /// Always `InvalidData`.
    fn from(error: EncodeError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

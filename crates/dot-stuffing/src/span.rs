//! The results of a decoder.

use core::ops::Range;

/// One step of a decoder: the octets consumed, and what they contained.
///
/// Next, give the decoder `input[consumed..]`, or more input if nothing is left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the octets after `consumed` are still to be decoded"]
pub struct Decoded<E> {
    /// The number of octets of the input that are consumed.
    pub consumed: usize,
    /// The event, if there is one.
    pub event: Option<E>,
}

/// A part of a decoded block as offsets into the input. All other views of the
/// decoder are built on it.
///
/// ```
/// use dot_stuffing::{MultilineDecoder, Span};
///
/// let mut decoder = MultilineDecoder::new();
/// assert_eq!(decoder.decode_span(b".\r")?.event, None); // the terminator, or not?
/// assert_eq!(decoder.decode_span(b"x")?.event, Some(Span::Cr)); // not
/// assert_eq!(decoder.decode_span(b"x")?.event, Some(Span::Data(0..1)));
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// One CR of the message that is no longer in any input. It is the CR of `.` CR
    /// at the end of the previous input, which was held because an LF would have
    /// made it part of the terminator.
    Cr,
    /// These octets of the input belong to the message, at most 16 KiB of them.
    Data(Range<usize>),
    /// The block ended. Octets after `consumed` are not part of it.
    End,
}

/// A part of a decoded block as a slice of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// These octets belong to the message, at most 16 KiB of them.
    Data(&'a [u8]),
    /// The block ended. Octets after `consumed` are not part of it.
    End,
}

/// The proof that a block was read from its first octet to its terminator.
///
/// Only [`MultilineDecoder::finish`](crate::MultilineDecoder::finish) returns one.
/// Get it before you act on a message, above all before you delete the message on
/// the server.
///
/// ```
/// use dot_stuffing::MultilineDecoder;
///
/// let mut decoder = MultilineDecoder::new();
/// decoder.feed(&mut &b"..\r\n.\r\n"[..]).for_each(drop);
/// let complete = decoder.finish()?;
/// assert_eq!((complete.octets, complete.wire_octets, complete.stuffed_lines), (3, 7, 1));
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Complete {
    /// Octets of the decoded message.
    pub octets: u64,
    /// Octets on the wire, including the terminator.
    pub wire_octets: u64,
    /// Lines from which a dot was removed.
    pub stuffed_lines: u64,
}

//! What a decoder hands out.

use core::ops::Range;

/// One step of a decoder: how far it read, and what it found there.
///
/// Give the decoder `input[consumed..]` next, or more input if nothing is left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the octets after `consumed` are still to be decoded"]
pub struct Decoded<E> {
    /// How many octets of the input are done with.
    pub consumed: usize,
    /// What they held, if there is anything to hand out.
    pub event: Option<E>,
}

/// A part of a decoded block as offsets into the input: the primitive that
/// every other view of the decoder is made of.
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
    /// One CR that belongs to the message and stands in no input any more: the
    /// one of `.` CR, held back when the previous input ended there, because
    /// an LF would have made it the terminator.
    Cr,
    /// These octets of the input belong to the message, at most 16 KiB of them.
    Data(Range<usize>),
    /// The block is over; what follows `consumed` is not part of it.
    End,
}

/// A part of a decoded block as a slice of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// These octets belong to the message, at most 16 KiB of them.
    Data(&'a [u8]),
    /// The block is over; what follows `consumed` is not part of it.
    End,
}

/// The proof that a block was read from its first octet to its terminator.
///
/// Only [`MultilineDecoder::finish`](crate::MultilineDecoder::finish) makes
/// one. Ask for it before acting on a message, above all before deleting it
/// from the server.
///
/// ```
/// use dot_stuffing::MultilineDecoder;
///
/// let mut decoder = MultilineDecoder::new();
/// decoder.feed(b"..\r\n.\r\n").for_each(drop);
/// let complete = decoder.finish()?;
/// assert_eq!((complete.octets, complete.wire_octets, complete.stuffed_lines), (3, 7, 1));
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Complete {
    /// Octets of the message, as handed out.
    pub octets: u64,
    /// Octets on the wire, the terminator included.
    pub wire_octets: u64,
    /// Lines that had a dot removed.
    pub stuffed_lines: u64,
}

//! Replies on their way out: a bounded buffer, refilled from a block.

use std::io::{self, Read, Write};

use dot_stuffing::{BareNewline, MultilineEncoder};

use super::maildrop::{Maildrop, Marked};
use crate::MessageNumber;

/// How much of a message is read at once, in octets. Encoded it is at most
/// twice as much, and that is all that a session holds of it.
pub const MESSAGE_PIECE: usize = 64 * 1024;

/// How much of a listing is made at once, in octets; a line more at most.
const LISTING_PIECE: usize = 8 * 1024;

/// The most that the buffer keeps of the memory that it had, in octets.
const KEPT: usize = 1024;

/// The reply being transmitted; empty if none is.
pub(super) struct Reply<R> {
    octets: Vec<u8>,
    sent: usize,
    block: Option<Block<R>>,
}

/// What follows the octets in the buffer.
enum Block<R> {
    /// Scan listings of this message and those after it.
    Scan(Option<MessageNumber>),
    /// Unique-id listings of this message and those after it.
    UniqueIds(Option<MessageNumber>),
    Message(MessageBlock<R>),
}

struct MessageBlock<R> {
    message: R,
    encoder: MultilineEncoder,
    piece: Box<[u8]>,
    top: Option<Top>,
}

impl<R: Read> Reply<R> {
    pub(super) const fn new() -> Self {
        Self {
            octets: Vec::new(),
            sent: 0,
            block: None,
        }
    }

    /// Whether there is nothing to send.
    pub(super) const fn is_empty(&self) -> bool {
        self.sent == self.octets.len() && self.block.is_none()
    }

    /// Adds a line, or lines, without the last CRLF. What is given comes from
    /// this crate and the driver, never from the client.
    pub(super) fn line(&mut self, line: impl core::fmt::Display) {
        // Writing to a Vec cannot fail.
        let _ = write!(self.octets, "{line}\r\n");
    }

    pub(super) fn scan_listings(&mut self) {
        self.block = Some(Block::Scan(Some(MessageNumber::FIRST)));
    }

    pub(super) fn unique_id_listings(&mut self) {
        self.block = Some(Block::UniqueIds(Some(MessageNumber::FIRST)));
    }

    /// A message, or with `lines` its header and so many lines of its body.
    pub(super) fn message(&mut self, message: R, lines: Option<u32>) {
        self.block = Some(Block::Message(MessageBlock {
            message,
            // A line that a stored message ends with a bare LF must not be one
            // that begins with a dot for a reader that ends lines there.
            encoder: MultilineEncoder::new(BareNewline::Canonicalize),
            piece: vec![0; MESSAGE_PIECE].into_boxed_slice(),
            top: lines.map(Top::new),
        }));
    }

    /// Sees to it that there are octets to send, unless the reply is over.
    ///
    /// # Errors
    ///
    /// Those of reading the message. The reply cannot be ended then.
    pub(super) fn fill<M>(&mut self, marked: Option<&Marked<M>>) -> io::Result<()>
    where
        M: Maildrop<Message = R>,
    {
        while self.sent == self.octets.len() {
            let Some(block) = &mut self.block else {
                if self.octets.capacity() > KEPT {
                    self.octets = Vec::new();
                }
                break;
            };
            if block.fill(marked, &mut self.octets)? {
                self.block = None;
            }
        }
        Ok(())
    }

    /// The octets to send next.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[self.sent..]
    }

    /// Says that so many of [`octets`](Self::octets) are sent.
    pub(super) fn sent(&mut self, octets: usize) {
        self.sent = self.sent.saturating_add(octets).min(self.octets.len());
        if self.sent == self.octets.len() {
            self.octets.clear();
            self.sent = 0;
        }
    }
}

impl<R: Read> Block<R> {
    /// Adds the next piece, and tells whether it was the last.
    fn fill<M: Maildrop>(
        &mut self,
        marked: Option<&Marked<M>>,
        into: &mut Vec<u8>,
    ) -> io::Result<bool> {
        match (self, marked) {
            (Self::Message(message), _) => message.fill(into),
            (Self::Scan(next), Some(marked)) => {
                let line = |number, into: &mut Vec<u8>| {
                    write!(into, "{number} {}\r\n", marked.maildrop.octets(number))
                };
                listing(marked, next, into, line)
            }
            (Self::UniqueIds(next), Some(marked)) => {
                let line = |number, into: &mut Vec<u8>| {
                    write!(into, "{number} {}\r\n", marked.maildrop.unique_id(number))
                };
                listing(marked, next, into, line)
            }
            // A listing is only begun, and sent, in the TRANSACTION state.
            (Self::Scan(_) | Self::UniqueIds(_), None) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn listing<M: Maildrop>(
    marked: &Marked<M>,
    next: &mut Option<MessageNumber>,
    into: &mut Vec<u8>,
    line: impl Fn(MessageNumber, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<bool> {
    // The lines begin with a digit: there is nothing to stuff.
    while into.len() < LISTING_PIECE {
        let Some(number) = marked.next_held(*next) else {
            into.extend_from_slice(b".\r\n");
            return Ok(true);
        };
        line(number, into)?;
        *next = number.get().checked_add(1).and_then(MessageNumber::new);
    }
    Ok(false)
}

impl<R: Read> MessageBlock<R> {
    fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let read = match self.message.read(&mut self.piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            read => read?,
        };
        if read == 0 {
            let last = self.encoder.clone().finish().map_err(io::Error::other)?;
            into.extend_from_slice(last);
            return Ok(true);
        }
        // More than there was room for: an implementation of Read gone wrong.
        let piece = self.piece.get(..read).ok_or(io::ErrorKind::InvalidData)?;
        for octets in self.encoder.encode(piece) {
            into.extend_from_slice(octets.map_err(io::Error::other)?);
        }
        if let Some(end) = self.top.as_mut().and_then(|top| top.end(into)) {
            into.truncate(end);
            into.extend_from_slice(b".\r\n");
            return Ok(true);
        }
        Ok(false)
    }
}

/// Where the answer to TOP ends (RFC 1939 §7): found in the encoded octets,
/// whose lines all end with CRLF, and of which stuffing leaves none blank.
struct Top {
    in_body: bool,
    /// No octet but CR since the last line end.
    blank: bool,
    lines: u32,
}

impl Top {
    const fn new(lines: u32) -> Self {
        Self {
            in_body: false,
            blank: true,
            lines,
        }
    }

    /// The offset behind the last octet that belongs to the answer.
    fn end(&mut self, octets: &[u8]) -> Option<usize> {
        for (at, octet) in octets.iter().enumerate() {
            match octet {
                b'\n' => {
                    if self.in_body {
                        self.lines -= 1;
                    }
                    self.in_body |= self.blank;
                    self.blank = true;
                    if self.in_body && self.lines == 0 {
                        return Some(at + 1);
                    }
                }
                b'\r' => {}
                _ => self.blank = false,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{KEPT, Maildrop, Reply};
    use crate::{MessageNumber, UniqueId};

    /// There is none.
    enum NoMaildrop {}

    impl Maildrop for NoMaildrop {
        type Message = io::Empty;

        fn messages(&self) -> u32 {
            match *self {}
        }

        fn octets(&self, _: MessageNumber) -> u64 {
            match *self {}
        }

        fn unique_id(&self, _: MessageNumber) -> UniqueId<'_> {
            match *self {}
        }

        fn open(&mut self, _: MessageNumber) -> io::Result<io::Empty> {
            match *self {}
        }

        fn commit(self, _: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
            match self {}
        }
    }

    #[test]
    fn little_memory_is_kept_when_nothing_is_left_to_send() {
        for (had, kept) in [(10, 10), (KEPT, KEPT), (KEPT + 1, 0), (1 << 16, 0)] {
            let mut reply = Reply {
                octets: Vec::with_capacity(had),
                sent: 0,
                block: None,
            };
            assert!(reply.fill::<NoMaildrop>(None).is_ok());
            assert_eq!(reply.octets.capacity(), kept);
        }
    }
}

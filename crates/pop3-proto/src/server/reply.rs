//! Outgoing replies: a bounded buffer, refilled from a block.

use std::io::{self, Read, Write};

use dot_stuffing::{BareNewline, MultilineEncoder};

use super::maildrop::{Maildrop, Marked};
use crate::MessageNumber;

/// The octets of a message that are read at once. Encoded they are at most twice as
/// many, which is all that a session holds of a message.
pub const MESSAGE_PIECE: usize = 64 * 1024;

/// The octets of a listing that are made at once, exceeded by at most a line.
const LISTING_PIECE: usize = 8 * 1024;

/// The most octets of capacity that the buffer keeps.
const KEPT: usize = 1024;

/// The reply being transmitted; empty if there is none.
pub(super) struct Reply<R> {
    octets: Vec<u8>,
    sent: usize,
    block: Option<Block<R>>,
}

/// What follows the octets in the buffer.
enum Block<R> {
    /// Scan listings of this message and the following ones.
    Scan(Option<MessageNumber>),
    /// Unique-id listings of this message and the following ones.
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

    /// Adds one or more lines without the last CRLF. Their texts come from this
    /// crate and the driver, never from the client.
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

    /// Adds a message, or with `lines` its header and the first `lines` lines of
    /// its body.
    pub(super) fn message(&mut self, message: R, lines: Option<u32>) {
        self.block = Some(Block::Message(MessageBlock {
            message,
            // If a stored message has a bare LF, a reader that ends lines there
            // must not see an unstuffed dot after it.
            encoder: MultilineEncoder::new(BareNewline::Canonicalize),
            piece: vec![0; MESSAGE_PIECE].into_boxed_slice(),
            top: lines.map(Top::new),
        }));
    }

    /// Fills the buffer, unless the reply has ended.
    ///
    /// # Errors
    ///
    /// Those of reading the message. Then the reply cannot be ended.
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

    /// Marks the first `octets` of [`octets`](Self::octets) as sent.
    pub(super) fn sent(&mut self, octets: usize) {
        self.sent = self.sent.saturating_add(octets).min(self.octets.len());
        if self.sent == self.octets.len() {
            self.octets.clear();
            self.sent = 0;
        }
    }
}

impl<R: Read> Block<R> {
    /// Adds the next piece, and returns whether it was the last one.
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
            // A listing is only begun and sent in the TRANSACTION state.
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
        // A faulty implementation of Read may return more than there was room for.
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

/// Finds the end of the reply to TOP (RFC 1939 §7) in the encoded octets, in which
/// every line ends with CRLF and stuffing makes no line blank.
struct Top {
    in_body: bool,
    /// Whether only CR has followed the last line end.
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

    /// The offset after the last octet of the reply.
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

    /// A maildrop that never exists.
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
    fn frees_most_of_the_buffer_when_nothing_is_left_to_send() {
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

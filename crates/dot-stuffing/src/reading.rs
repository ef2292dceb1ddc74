//! What a reader of one block does between the buffer of its source and its caller,
//! without I/O. The readers in `io.rs` and `poll.rs` share it.

use std::io;

use crate::{Complete, Config, DecodeError, ErrorKind, MultilineDecoder, Span};

#[derive(Debug)]
pub(crate) struct Reading {
    decoder: MultilineDecoder,
    /// Octets at the front of the buffer to return.
    data: usize,
    /// Octets after those that are consumed too.
    skip: usize,
    /// Whether to return a CR that is no longer in the buffer.
    cr: bool,
    /// Whether there is nothing more to return, also after an error.
    ended: bool,
}

impl Reading {
    pub(crate) const fn new(config: Config) -> Self {
        Self {
            decoder: MultilineDecoder::with_config(config),
            data: 0,
            skip: 0,
            cr: false,
            ended: false,
        }
    }

    pub(crate) const fn finish(&self) -> Result<Complete, DecodeError> {
        self.decoder.finish()
    }

    /// Whether [`decode`](Self::decode) needs the buffer before there is something
    /// to return.
    #[inline]
    pub(crate) const fn needs_input(&self) -> bool {
        self.data == 0 && !self.cr && !self.ended
    }

    /// Whether the next octets are the rest of a stuffed line, or of the terminator.
    #[inline]
    pub(crate) fn is_after_dot(&self) -> bool {
        self.needs_input() && self.decoder.is_after_dot()
    }

    /// Decodes a short stuffed line at the front of the buffer, after a dot. Returns
    /// whether there is one.
    #[inline]
    pub(crate) fn stuffed_line(&mut self, buffer: &[u8]) -> bool {
        let line = self.decoder.stuffed_line(buffer);
        if let Some(octets) = line {
            (self.data, self.skip) = (octets, 1);
        }
        line.is_some()
    }

    /// Decodes the buffer, which is empty at the end of input. Returns the number of
    /// octets to consume. After an error, the reader is at its end.
    pub(crate) fn decode(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        let consumed = self.step(buffer);
        self.ended |= consumed.is_err();
        consumed
    }

    fn step(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        if buffer.is_empty() {
            return Err(self.decoder.truncate());
        }
        let step = self.decoder.decode_span(buffer)?;
        match step.event {
            Some(Span::Data(range)) => {
                self.data = range.len();
                self.skip = step.consumed - range.end;
                Ok(range.start)
            }
            event => {
                self.cr = event == Some(Span::Cr);
                self.ended = event == Some(Span::End);
                Ok(step.consumed)
            }
        }
    }

    /// The octets to return that are in no buffer, or `None` if they are in it.
    #[inline]
    pub(crate) const fn constant(&self) -> Option<&'static [u8]> {
        match (self.cr, self.data) {
            (true, _) => Some(b"\r"),
            (false, 0) => Some(b""),
            _ => None,
        }
    }

    /// The octets of the buffer to return.
    ///
    /// # Errors
    ///
    /// The source shows less than before, and so has lost octets.
    #[inline]
    pub(crate) fn data<'a>(&mut self, buffer: &'a [u8]) -> io::Result<&'a [u8]> {
        if buffer.is_empty() {
            self.abandon();
            self.ended = true;
            return Err(self.decoder.truncate().into());
        }
        Ok(&buffer[..self.data.min(buffer.len())])
    }

    /// Returns the number of octets of the buffer to consume where the caller has
    /// consumed `octets`.
    #[inline]
    pub(crate) fn consume(&mut self, octets: usize) -> usize {
        if octets < self.data {
            self.data -= octets;
            octets
        } else if self.data > 0 {
            self.abandon()
        } else {
            self.cr &= octets == 0;
            0
        }
    }

    /// Gives up what is still to be returned. Returns the number of octets of the
    /// buffer to consume.
    #[inline]
    pub(crate) fn abandon(&mut self) -> usize {
        self.cr = false;
        core::mem::take(&mut self.data) + core::mem::take(&mut self.skip)
    }

    /// Whether the end of the block was passed, even if it was refused.
    pub(crate) fn is_past_the_end(&mut self) -> bool {
        self.decoder.skip_to_end(&mut &[][..])
    }

    /// Skips octets of the buffer, which is empty at the end of input. Returns the
    /// number of octets to consume.
    pub(crate) fn skip(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        self.ended = true;
        if buffer.is_empty() {
            self.decoder.truncate();
            let octets = self.decoder.wire_octets();
            return Err(DecodeError::new(ErrorKind::Truncated, octets));
        }
        let mut rest = buffer;
        // `is_past_the_end` says whether this was the end.
        let _ = self.decoder.skip_to_end(&mut rest);
        Ok(buffer.len() - rest.len())
    }
}

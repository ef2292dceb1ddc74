//! What a reader of one block does between the buffer of its source and its caller,
//! without I/O. The readers in `io.rs` and `poll.rs` share it.

use std::io;

use crate::{Complete, Config, DecodeError, ErrorKind, MultilineDecoder, Span};

#[derive(Debug)]
pub(crate) struct Reading {
    decoder: MultilineDecoder,
    next: Next,
}

/// What to return next.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// What the buffer decodes to.
    Decode,
    /// Octets at the front of the buffer. After those, `skip` octets are consumed too.
    Data { octets: usize, skip: usize },
    /// A CR that is no longer in the buffer.
    Cr,
    /// The end of the block, after all octets before it are skipped. The first
    /// `decoded` octets of the buffer are decoded already.
    Skip { decoded: usize },
    /// Nothing, also after an error.
    End,
}

impl Reading {
    pub(crate) const fn new(config: Config) -> Self {
        Self {
            decoder: MultilineDecoder::with_config(config),
            next: Next::Decode,
        }
    }

    pub(crate) const fn finish(&self) -> Result<Complete, DecodeError> {
        self.decoder.finish()
    }

    pub(crate) const fn wire_octets(&self) -> u64 {
        self.decoder.wire_octets()
    }

    /// Whether [`decode`](Self::decode) needs the buffer before there is something
    /// to return.
    #[inline]
    pub(crate) const fn needs_input(&self) -> bool {
        matches!(self.next, Next::Decode | Next::Skip { .. })
    }

    /// Whether the next octets are the rest of a stuffed line, or of the terminator.
    #[inline]
    pub(crate) fn is_after_dot(&self) -> bool {
        matches!(self.next, Next::Decode) && self.decoder.is_after_dot()
    }

    /// Decodes a short stuffed line at the front of the buffer, after a dot. Returns
    /// whether there is one.
    #[inline]
    pub(crate) fn stuffed_line(&mut self, buffer: &[u8]) -> bool {
        let line = self.decoder.stuffed_line(buffer);
        if let Some(octets) = line {
            self.next = Next::Data { octets, skip: 1 };
        }
        line.is_some()
    }

    /// Decodes the buffer, which is empty at the end of input. Returns the number of
    /// octets to consume. After an error, the reader is at its end.
    pub(crate) fn decode(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        if let Next::Skip { .. } = self.next {
            return self.skip(buffer);
        }
        let consumed = self.step(buffer);
        if consumed.is_err() {
            self.next = Next::End;
        }
        consumed
    }

    fn step(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        if buffer.is_empty() {
            return Err(self.decoder.truncate());
        }
        let step = self.decoder.decode_span(buffer)?;
        let mut consumed = step.consumed;
        self.next = match step.event {
            Some(Span::Data(range)) => {
                let skip = consumed - range.end;
                consumed = range.start;
                Next::Data {
                    octets: range.len(),
                    skip,
                }
            }
            Some(Span::Cr) => Next::Cr,
            Some(Span::End) => Next::End,
            None => Next::Decode,
        };
        Ok(consumed)
    }

    /// The octets to return that are in no buffer, or `None` if they are in it.
    #[inline]
    pub(crate) const fn constant(&self) -> Option<&'static [u8]> {
        match self.next {
            Next::Data { .. } => None,
            Next::Cr => Some(b"\r"),
            Next::Decode | Next::Skip { .. } | Next::End => Some(b""),
        }
    }

    /// The octets of the buffer to return.
    ///
    /// # Errors
    ///
    /// The source shows less than before, and so has lost octets.
    #[inline]
    pub(crate) fn data<'a>(&mut self, buffer: &'a [u8]) -> io::Result<&'a [u8]> {
        match self.next {
            Next::Data { octets, skip } if octets + skip <= buffer.len() => Ok(&buffer[..octets]),
            Next::Data { octets, .. } => {
                // Keep an octet back, so that what to skip is consumed with it.
                let shown = buffer.len().min(octets.saturating_sub(1));
                match shown {
                    0 => Err(self.truncate()),
                    _ => Ok(&buffer[..shown]),
                }
            }
            _ => Err(self.truncate()),
        }
    }

    #[cold]
    fn truncate(&mut self) -> io::Error {
        self.next = Next::End;
        self.decoder.truncate().into()
    }

    /// Returns the number of octets of the buffer to consume where the caller has
    /// consumed `octets`.
    #[inline]
    pub(crate) fn consume(&mut self, octets: usize) -> usize {
        match &mut self.next {
            Next::Data { octets: left, .. } if octets < *left => {
                *left -= octets;
                octets
            }
            &mut Next::Data { octets: left, skip } => {
                self.next = Next::Decode;
                left + skip
            }
            Next::Cr if octets > 0 => {
                self.next = Next::Decode;
                0
            }
            Next::Cr | Next::Decode | Next::Skip { .. } | Next::End => 0,
        }
    }

    /// Starts to [`skip`](Self::skip), unless it has started. Returns whether the end of
    /// the block was passed, even if it was refused.
    pub(crate) fn skips_to_end(&mut self) -> bool {
        self.skip_in(&mut &[][..], self.decoded())
    }

    /// Skips octets that are not decoded yet, where `decoded` others come before them.
    /// Returns whether this was the end.
    fn skip_in(&mut self, rest: &mut &[u8], decoded: usize) -> bool {
        let ended = decoded == 0 && self.decoder.skip_to_end(rest);
        self.next = match ended {
            true => Next::End,
            false => Next::Skip { decoded },
        };
        ended
    }

    /// The number of octets of the buffer that are decoded already.
    const fn decoded(&self) -> usize {
        match self.next {
            Next::Data { octets, skip } => octets + skip,
            Next::Skip { decoded } => decoded,
            Next::Cr | Next::Decode | Next::End => 0,
        }
    }

    /// Skips octets of the buffer, which is empty at the end of input. Returns the
    /// number of octets to consume. If this was not yet the end of the block,
    /// [`decode`](Self::decode) goes on skipping.
    pub(crate) fn skip(&mut self, buffer: &[u8]) -> Result<usize, DecodeError> {
        if buffer.is_empty() {
            self.next = Next::End;
            self.decoder.truncate();
            let octets = self.decoder.wire_octets();
            return Err(DecodeError::new(ErrorKind::Truncated, octets));
        }
        // The buffer may show less than before.
        let now = self.decoded().min(buffer.len());
        let decoded = self.decoded() - now;
        let mut rest = &buffer[now..];
        self.skip_in(&mut rest, decoded);
        Ok(buffer.len() - rest.len())
    }
}

//! What a writer of one block does between its caller and its sink, without I/O. The
//! writers in `io.rs` and `poll_writer.rs` share it.

use std::{io, vec::Vec};

use crate::{BareNewline, EncodeError, MultilineEncoder};

#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) encoder: MultilineEncoder,
    /// Octets to send.
    pub(crate) buffer: Vec<u8>,
    failed: bool,
}

impl Writing {
    pub(crate) const fn new(newline: BareNewline) -> Self {
        Self {
            encoder: MultilineEncoder::new(newline),
            buffer: Vec::new(),
            failed: false,
        }
    }

    /// Fails if anything has failed before.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.failed {
            true => Err(io::Error::other(
                "an earlier write failed; it is unknown how much of the block was sent",
            )),
            false => Ok(()),
        }
    }

    /// Remembers whether this failed.
    pub(crate) fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.failed = true;
        }
        result
    }

    /// Adds a part of the message to the octets to send.
    pub(crate) fn collect(&mut self, message: &[u8]) -> Result<(), EncodeError> {
        for octets in self.encoder.encode(message) {
            self.buffer.extend_from_slice(octets?);
        }
        Ok(())
    }

    /// Adds the terminator to the octets to send.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if let Some(refused) = self.encoder.refusal() {
            return Err(refused.into());
        }
        self.check()?;
        self.buffer.extend_from_slice(self.encoder.end()?);
        Ok(())
    }
}

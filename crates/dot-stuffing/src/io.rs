//! A reader and a writer of one block for blocking streams.

use std::{
    io::{self, BufRead, IoSlice, Read, Write},
    vec::Vec,
};

use crate::{BareNewline, Complete, Config, DecodeError, MultilineDecoder, MultilineEncoder, Span};

/// Reads one multi-line block from a [`BufRead`]: returns the message without the
/// stuffed dots, then end of file.
///
/// [`fill_buf`](BufRead::fill_buf) returns slices of the inner buffer, so nothing
/// is copied unless [`Read`] is used. Octets after the block stay in the inner
/// reader. If the input ends before the block, every further read fails with
/// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), so a truncated message never
/// looks like a short one.
///
/// ```
/// use std::io::{BufRead, Read};
/// use dot_stuffing::MultilineReader;
///
/// let mut stream = &b"a\r\n..b\r\n.\r\n+OK next\r\n"[..];
/// let mut message = Vec::new();
/// MultilineReader::new(&mut stream).read_to_end(&mut message)?;
/// assert_eq!(message, b"a\r\n.b\r\n");
/// assert_eq!(stream, b"+OK next\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineReader<R> {
    inner: R,
    decoder: MultilineDecoder,
    /// Octets at the front of the inner buffer to return.
    data: usize,
    /// Octets after those that are consumed too.
    skip: usize,
    /// Whether to return a CR that is no longer in the buffer.
    cr: bool,
    ended: bool,
}

impl<R: BufRead> MultilineReader<R> {
    /// Reads a block that begins at the next octet of `inner`.
    pub const fn new(inner: R) -> Self {
        Self::with_config(inner, Config::new())
    }

    /// Reads a block that begins at the next octet of `inner`, with policies and
    /// limits.
    ///
    /// ```
    /// use std::io::{ErrorKind, Read};
    /// use dot_stuffing::{Config, MultilineReader};
    ///
    /// let config = Config::new().max_octets(3);
    /// let mut reader = MultilineReader::with_config(&b"12345\r\n.\r\n"[..], config);
    /// let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidData);
    /// ```
    pub const fn with_config(inner: R, config: Config) -> Self {
        Self {
            inner,
            decoder: MultilineDecoder::with_config(config),
            data: 0,
            skip: 0,
            cr: false,
            ended: false,
        }
    }

    /// Returns the proof that the block was read to its end.
    ///
    /// # Errors
    ///
    /// As [`MultilineDecoder::finish`]; also `Truncated` if the block is not yet
    /// read to its end.
    ///
    /// ```
    /// use std::io::Read;
    /// use dot_stuffing::MultilineReader;
    ///
    /// let mut reader = MultilineReader::new(&b"a\r\n.\r\n"[..]);
    /// assert!(reader.finish().is_err());
    /// reader.read_to_end(&mut Vec::new())?;
    /// assert_eq!(reader.finish()?.octets, 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn finish(&self) -> Result<Complete, DecodeError> {
        self.decoder.finish()
    }

    /// Returns the inner reader. If the block was read to its end, the next octet
    /// is the one after it; otherwise it is somewhere in the block.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Decodes the next part of the block, unless it has ended.
    #[inline(never)]
    fn decode(&mut self) -> io::Result<()> {
        while self.data == 0 && !self.cr && !self.ended {
            let input = self.inner.fill_buf()?;
            if input.is_empty() {
                self.decoder.finish()?;
            }
            let step = self.decoder.decode_span(input)?;
            match step.event {
                Some(Span::Data(range)) => {
                    self.inner.consume(range.start);
                    self.data = range.len();
                    self.skip = step.consumed - range.end;
                }
                event => {
                    self.inner.consume(step.consumed);
                    self.cr = event == Some(Span::Cr);
                    self.ended = event == Some(Span::End);
                }
            }
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for MultilineReader<R> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.data == 0 {
            let line = match self.decoder.is_after_dot() {
                true => self.decoder.stuffed_line(self.inner.fill_buf()?),
                false => None,
            };
            match line {
                Some(octets) => (self.data, self.skip) = (octets, 1),
                None => self.decode()?,
            }
        }
        if self.data == 0 {
            return Ok(if self.cr { b"\r" } else { &[] });
        }
        Ok(&self.inner.fill_buf()?[..self.data])
    }

    #[inline]
    fn consume(&mut self, octets: usize) {
        if octets < self.data {
            self.data -= octets;
            self.inner.consume(octets);
        } else if self.data > 0 {
            self.inner.consume(self.data + self.skip);
            self.data = 0;
        } else if octets > 0 {
            self.cr = false;
        }
    }
}

impl<R: BufRead> Read for MultilineReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let data = self.fill_buf()?;
        let octets = data.len().min(into.len());
        into[..octets].copy_from_slice(&data[..octets]);
        self.consume(octets);
        Ok(octets)
    }

    // The default implementation grows the vector in steps and copies through it.
    fn read_to_end(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let before = into.len();
        loop {
            let data = match self.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                data => data?,
            };
            if data.is_empty() {
                return Ok(into.len() - before);
            }
            into.extend_from_slice(data);
            let octets = data.len();
            self.consume(octets);
        }
    }
}

/// Writes one message as a multi-line block.
///
/// Each write is passed on completely and at once, in vectored writes. After an
/// error of the inner writer it is unknown how much was sent, so all further writes
/// and [`finish`](Self::finish) fail. Without `finish` there is no terminator, and
/// the reader sees a truncated message.
///
/// Use it with blocking writers: `WouldBlock` counts as an error.
///
/// ```
/// use std::io::Write;
/// use dot_stuffing::{BareNewline, MultilineWriter};
///
/// let mut block = MultilineWriter::new(Vec::new(), BareNewline::Canonicalize);
/// block.write_all(b".signature\n")?;
/// assert_eq!(block.finish()?, b"..signature\r\n.\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineWriter<W> {
    inner: W,
    encoder: MultilineEncoder,
    failed: bool,
}

/// The most slices in one vectored write.
const SLICES: usize = 64;

impl<W: Write> MultilineWriter<W> {
    /// Writes a block to `inner`.
    pub const fn new(inner: W, newline: BareNewline) -> Self {
        Self {
            inner,
            encoder: MultilineEncoder::new(newline),
            failed: false,
        }
    }

    /// Writes the terminator, flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// Those of the inner writer and of [`MultilineEncoder::finish`], and any error
    /// of an earlier write. Then the terminator is not sent.
    pub fn finish(mut self) -> io::Result<W> {
        self.check()?;
        let terminator = self.encoder.finish()?;
        self.inner.write_all(terminator)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn check(&self) -> io::Result<()> {
        match self.failed {
            true => Err(io::Error::other(
                "an earlier write failed; it is unknown how much of the block was sent",
            )),
            false => Ok(()),
        }
    }

    fn encode(&mut self, message: &[u8]) -> io::Result<()> {
        let mut octets = self.encoder.encode(message);
        loop {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut filled = 0;
            while filled < SLICES
                && let Some(slice) = octets.next()
            {
                slices[filled] = IoSlice::new(slice?);
                filled += 1;
            }
            if filled == 0 {
                return Ok(());
            }
            write_all_vectored(&mut self.inner, &mut slices[..filled])?;
        }
    }
}

impl<W: Write> Write for MultilineWriter<W> {
    /// Encodes and sends all of `message`.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.check()?;
        let sent = self.encode(message);
        self.failed = sent.is_err();
        sent.map(|()| message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write_all_vectored(to: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match to.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(octets) => IoSlice::advance_slices(&mut slices, octets),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

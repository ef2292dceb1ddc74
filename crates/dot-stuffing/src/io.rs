//! A reader and a writer of one block for blocking streams.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead, IoSlice, Read, Write},
    vec::Vec,
};

use crate::{BareNewline, Complete, Config, DecodeError, reading::Reading, writing::Writing};

/// Reads one multi-line block from a [`BufRead`]: returns the message without the
/// stuffed dots, then end of file.
///
/// [`fill_buf`](BufRead::fill_buf) returns slices of the inner buffer, so
/// nothing is copied unless [`Read`] is used. When this reader returns end of
/// file, and no error before, the next octet of the inner reader is the one after
/// the block. If you stop earlier, for example after `take(n)` or `read_exact`, call
/// [`skip_to_end`](Self::skip_to_end) before you use the inner reader again.
///
/// # Errors
///
/// An error of the decoder is returned once; then the reader is at its end, so that
/// loops such as `.lines()` end, and [`finish`](Self::finish) repeats it. It is the
/// [`DecodeError`] in the [`io::Error`]: if the input ended before the block, its
/// kind is [`ErrorKind::Truncated`](crate::ErrorKind::Truncated). An `UnexpectedEof`
/// without it is not about the block: `read_exact` wanted more than the message has.
///
/// ```
/// use std::io::{BufRead, Read};
/// use dot_stuffing::{DecodeError, ErrorKind, MultilineReader};
///
/// let mut stream = &b"a\r\n..b\r\n.\r\n+OK next\r\n"[..];
/// let mut message = Vec::new();
/// MultilineReader::new(&mut stream).read_to_end(&mut message)?;
/// assert_eq!(message, b"a\r\n.b\r\n");
/// assert_eq!(stream, b"+OK next\r\n");
///
/// let mut truncated = MultilineReader::new(&b"a\r\nb"[..]);
/// let mut lines: Vec<_> = truncated.by_ref().lines().collect();
/// let error = lines.pop().unwrap().unwrap_err().downcast::<DecodeError>()?;
/// assert_eq!(error.kind(), ErrorKind::Truncated);
/// assert_eq!(truncated.finish(), Err(error));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineReader<R> {
    inner: R,
    reading: Reading,
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
            reading: Reading::new(config),
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
    ///
    /// [`MultilineDecoder::finish`]: crate::MultilineDecoder::finish
    pub const fn finish(&self) -> Result<Complete, DecodeError> {
        self.reading.finish()
    }

    /// Reads and drops the rest of the block, even after an error of the decoder, so
    /// that the next octet of the inner reader is the one after the block.
    ///
    /// See [`MultilineDecoder::skip_to_end`]. [`finish`](Self::finish) then returns
    /// the error, if there was one.
    ///
    /// It reads as long as the sender sends: limit the time yourself. After an error of
    /// the inner reader, such as a timeout, call this again; other methods that read
    /// also first skip the rest.
    ///
    /// # Errors
    ///
    /// Those of the inner reader, and `UnexpectedEof` if the input ends before the
    /// block.
    ///
    /// A mail that is too long is refused, and the session goes on:
    ///
    /// ```
    /// use std::io::Read;
    /// use dot_stuffing::{Config, DecodeError, ErrorKind, MultilineReader};
    ///
    /// let mut stream = &b"a mail that is too long\r\n.\r\nQUIT\r\n"[..];
    /// let mut reader = MultilineReader::with_config(&mut stream, Config::smtp().max_octets(10));
    /// let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    /// if error.get_ref().is_some_and(|inner| inner.is::<DecodeError>()) {
    ///     reader.skip_to_end()?;
    /// }
    /// let reply = match reader.finish() {
    ///     Ok(_) => "250 OK",
    ///     Err(error) if error.kind() == ErrorKind::TooLong => "552 too long",
    ///     Err(_) => "554 not a mail",
    /// };
    /// assert_eq!((reply, stream), ("552 too long", &b"QUIT\r\n"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// A part of a mail is read:
    ///
    /// ```
    /// use std::io::Read;
    /// use dot_stuffing::MultilineReader;
    ///
    /// let mut stream = &b"Subject: a\r\n\r\n..b\r\n.\r\n+OK next\r\n"[..];
    /// let mut reader = MultilineReader::new(&mut stream);
    /// let mut start = String::new();
    /// reader.by_ref().take(10).read_to_string(&mut start)?;
    /// reader.skip_to_end()?;
    /// assert_eq!(reader.finish()?.octets, 18);
    /// assert_eq!((&start[..], stream), ("Subject: a", &b"+OK next\r\n"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// [`MultilineDecoder::skip_to_end`]: crate::MultilineDecoder::skip_to_end
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        while !self.reading.skips_to_end() {
            let buffer = match self.inner.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let skipped = self.reading.skip(buffer)?;
            self.inner.consume(skipped);
        }
        Ok(())
    }

    /// The octets of the block decoded or skipped so far, on the wire.
    pub const fn wire_octets(&self) -> u64 {
        self.reading.wire_octets()
    }

    /// Returns the inner reader. Octets read from it are missing in the block.
    pub const fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Returns the inner reader. Octets read from it are missing in the block.
    pub const fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the inner reader. If the block was read to its end, the next octet
    /// is the one after it; otherwise it is somewhere in the block.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Decodes until there is something to return, or the block has ended.
    #[inline(never)]
    fn decode(&mut self) -> io::Result<()> {
        while self.reading.needs_input() {
            let consumed = self.reading.decode(self.inner.fill_buf()?)?;
            self.inner.consume(consumed);
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for MultilineReader<R> {
    // Where stuffed lines are short, a function call would cost as much as they do.
    #[inline(always)]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !(self.reading.is_after_dot() && self.reading.stuffed_line(self.inner.fill_buf()?)) {
            self.decode()?;
        }
        match self.reading.constant() {
            Some(octets) => Ok(octets),
            None => self.reading.data(self.inner.fill_buf()?),
        }
    }

    #[inline]
    fn consume(&mut self, octets: usize) {
        let consumed = self.reading.consume(octets);
        self.inner.consume(consumed);
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
/// Small writes, such as those of `write!`, are collected up to 8 KiB, and sent by a
/// later write, [`flush`](Write::flush) or [`finish`](Self::finish). Larger ones are
/// sent at once, in vectored writes without a copy. So the inner writer needs no
/// buffer.
///
/// After an error of the inner writer it is unknown how much was sent, so all further
/// writes and `finish` fail. Without `finish` there is no terminator, and the reader
/// sees a truncated message.
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
    writing: Writing,
}

/// The most slices in one vectored write.
const SLICES: usize = 64;

/// Messages from this length on are sent at once.
const LARGE: usize = 8 * 1024;

impl<W: Write> MultilineWriter<W> {
    /// Writes a block to `inner`.
    pub const fn new(inner: W, newline: BareNewline) -> Self {
        Self {
            inner,
            writing: Writing::new(newline),
        }
    }

    /// Writes the terminator, flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// Those of the inner writer and of
    /// [`MultilineEncoder::finish`](crate::MultilineEncoder::finish), and one that says
    /// that an earlier write or flush failed, with the inner writer. Then the block has
    /// no terminator, or it is unknown whether it has one: close the connection. Small
    /// writes that were collected may not be sent.
    ///
    /// ```
    /// use std::io::Write;
    /// use dot_stuffing::{BareNewline, MultilineWriter};
    ///
    /// let mut block = MultilineWriter::new(Vec::new(), BareNewline::Reject);
    /// block.write_all(b"bare\r")?;
    /// let wire = match block.finish() {
    ///     Ok(wire) => wire,
    ///     Err(error) => {
    ///         assert_eq!(error.error().kind(), std::io::ErrorKind::InvalidData);
    ///         error.into_inner()
    ///     }
    /// };
    /// assert!(!wire.ends_with(b"\r\n.\r\n"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn finish(mut self) -> Result<W, FinishError<W>> {
        match self.end() {
            Ok(()) => Ok(self.inner),
            Err(error) => Err(FinishError::new(self.inner, error)),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.writing.end()?;
        self.send_buffer()?;
        self.inner.flush()
    }

    /// Returns the inner writer.
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Returns the inner writer. Octets written to it become part of the block, and
    /// precede those that are not flushed.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        if self.writing.buffer.len() + message.len() > LARGE {
            self.send_buffer()?;
        }
        if message.len() >= LARGE {
            return self.send_large(message);
        }
        Ok(self.writing.collect(message)?)
    }

    fn send_buffer(&mut self) -> io::Result<()> {
        self.inner.write_all(&self.writing.buffer)?;
        self.writing.buffer.clear();
        Ok(())
    }

    fn send_large(&mut self, message: &[u8]) -> io::Result<()> {
        let mut octets = self.writing.encoder.encode(message);
        loop {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut filled = 0;
            for (into, slice) in slices.iter_mut().zip(octets.by_ref()) {
                *into = IoSlice::new(slice?);
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
    /// Encodes all of `message`.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.writing.check()?;
        let sent = self.send(message);
        self.writing.note(sent)?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writing.check()?;
        let flushed = self.send_buffer().and_then(|()| self.inner.flush());
        self.writing.note(flushed)
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

/// A block that could not be ended, with the writer. Returned by
/// [`MultilineWriter::finish`] and its asynchronous forms.
///
/// As a part of `?` it becomes its [`io::Error`].
pub struct FinishError<W> {
    inner: W,
    error: io::Error,
}

impl<W> FinishError<W> {
    pub(crate) const fn new(inner: W, error: io::Error) -> Self {
        Self { inner, error }
    }

    /// Returns the error.
    pub const fn error(&self) -> &io::Error {
        &self.error
    }

    /// Returns the inner writer.
    pub fn into_inner(self) -> W {
        self.inner
    }

    /// Returns the error and the inner writer.
    pub fn into_parts(self) -> (io::Error, W) {
        (self.error, self.inner)
    }
}

impl<W> From<FinishError<W>> for io::Error {
    fn from(error: FinishError<W>) -> Self {
        error.error
    }
}

impl<W> fmt::Debug for FinishError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<W> fmt::Display for FinishError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<W> Error for FinishError<W> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

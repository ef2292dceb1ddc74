//! The encoder: adds a dot to each line that begins with one, and canonicalizes,
//! rejects or passes newlines other than CRLF.

use core::iter::FusedIterator;

use crate::{
    EncodeError, EncodeErrorKind,
    scan::{self, DotSearch, Tail},
};

/// What a [`MultilineEncoder`] does with a bare CR or bare LF.
///
/// ```
/// use dot_stuffing::{BareNewline, MultilineEncoder};
///
/// let encode = |newline| {
///     let mut encoder = MultilineEncoder::new(newline);
///     let slices: Result<Vec<&[u8]>, _> = encoder.encode(b"a\n.b").collect();
///     slices.map(|slices| slices.concat())
/// };
/// assert_eq!(encode(BareNewline::Canonicalize)?, b"a\r\n..b");
/// assert_eq!(encode(BareNewline::Verbatim)?, b"a\n.b");
/// assert!(encode(BareNewline::Reject).is_err());
/// # Ok::<(), dot_stuffing::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BareNewline {
    /// Replaces it with CRLF, so that the block means the same to every reader: a
    /// reader that ends lines at LF or CR finds only CRLF, and after it no dot that
    /// is not doubled. Use it for text, and for mail from unknown senders.
    Canonicalize,
    /// Rejects the message with an [`EncodeError`].
    Reject,
    /// Keeps it: a reader that follows RFC 1939 §3 receives the message octet by
    /// octet. A reader that ends lines at a bare LF may see a terminator that the
    /// message forged.
    Verbatim,
}

/// Encodes one multi-line block: doubles the dot at the start of each line that
/// begins with one, and ends the block.
///
/// The encoder is sans-IO and zero-copy: give it a message in pieces of any size,
/// send the slices that it returns, and then what [`finish`](Self::finish) returns.
/// How the message is cut never changes the octets sent. A message of n octets
/// gives at most 2n + 5. RFC 1939 §3, RFC 5321 §4.5.2, RFC 3977 §3.1.1.
///
/// A line begins at the first octet and after every CRLF. Only `finish` returns the
/// terminator, preceded by CRLF if the message does not end with one. The encoder
/// never panics or allocates.
///
/// ```
/// use dot_stuffing::{BareNewline, MultilineEncoder};
///
/// let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
/// let mut wire = Vec::new();
/// for message in [&b".first\n."[..], b"second"] {
///     for octets in encoder.encode(message) {
///         wire.extend_from_slice(octets?);
///     }
/// }
/// wire.extend_from_slice(encoder.finish()?);
/// assert_eq!(wire, b"..first\r\n..second\r\n.\r\n");
/// # Ok::<(), dot_stuffing::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultilineEncoder {
    newline: BareNewline,
    state: State,
    /// Octets of the message consumed.
    offset: u64,
    /// Octets of the message given to `encode` and `encode_buf`. They are more than
    /// `offset` while a part is not encoded to its end, and if it never is.
    given: u64,
    stuffed_lines: u64,
    search: DotSearch,
}

#[derive(Clone, Copy, Debug)]
enum State {
    LineStart,
    Text,
    TextCr,
    /// The next octet is an LF that needs a CR.
    BareLf,
    Failed(EncodeError),
}

impl MultilineEncoder {
    /// An encoder at the start of a message.
    #[must_use]
    pub const fn new(newline: BareNewline) -> Self {
        Self {
            newline,
            state: State::LineStart,
            offset: 0,
            given: 0,
            stuffed_lines: 0,
            search: DotSearch::new(),
        }
    }

    /// Iterates over the octets to send for the next part of the message: slices of
    /// `message`, and constant octets between them.
    ///
    /// Iterate to the end. If the iterator is dropped early, the block would lack
    /// octets, so the encoder fails with [`EncodeErrorKind::Unfinished`], and there
    /// is no terminator.
    ///
    /// ```
    /// use dot_stuffing::{BareNewline, EncodeErrorKind, MultilineEncoder};
    ///
    /// let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    /// let first = encoder.encode(b"line\r\n.second").next();
    /// assert_eq!(first, Some(Ok(&b"line\r\n"[..])));
    /// let error = encoder.finish().unwrap_err();
    /// assert_eq!((error.kind(), error.offset()), (EncodeErrorKind::Unfinished, 6));
    /// ```
    #[inline]
    pub const fn encode<'e, 'a>(&'e mut self, message: &'a [u8]) -> Stuffed<'e, 'a> {
        self.begin(message.len());
        self.stuffed(message)
    }

    /// Begins a part of the message with `octets` octets.
    pub(crate) const fn begin(&mut self, octets: usize) {
        self.check_finished();
        self.given += octets as u64;
    }

    /// Encodes octets of the part that has begun.
    pub(crate) const fn stuffed<'e, 'a>(&'e mut self, message: &'a [u8]) -> Stuffed<'e, 'a> {
        Stuffed {
            encoder: self,
            rest: message,
        }
    }

    /// The number of dots added so far: one for each line of the message that begins
    /// with a dot. A decoder counts the same lines as
    /// [`Complete::stuffed_lines`](crate::Complete::stuffed_lines).
    ///
    /// The size of a message that POP3 lists does not include them (RFC 1939 §11):
    ///
    /// ```
    /// use dot_stuffing::{BareNewline, MultilineEncoder};
    ///
    /// let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
    /// let sent: usize = encoder.encode(b".a\n.b\n").flatten().map(<[u8]>::len).sum();
    /// assert_eq!((sent, encoder.stuffed_lines()), (10, 2));
    /// ```
    #[must_use]
    pub const fn stuffed_lines(&self) -> u64 {
        self.stuffed_lines
    }

    /// Ends the block. Returns the last octets to send, at most five.
    ///
    /// # Errors
    ///
    /// [`EncodeErrorKind::Unfinished`] if an iterator of [`encode`](Self::encode), or
    /// what `encode_buf` returned, was dropped before its end. Under
    /// [`BareNewline::Reject`], the error that `encode` returned, or the one for a
    /// message that ends with a bare CR. Then there is no terminator: close the
    /// connection, so that the reader sees a truncated message. Otherwise this never
    /// fails.
    ///
    /// ```
    /// use dot_stuffing::{BareNewline, MultilineEncoder};
    ///
    /// let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    /// assert_eq!(encoder.clone().finish()?, b".\r\n");
    /// encoder.encode(b"no final newline").for_each(drop);
    /// assert_eq!(encoder.finish()?, b"\r\n.\r\n");
    /// # Ok::<(), dot_stuffing::EncodeError>(())
    /// ```
    pub const fn finish(mut self) -> Result<&'static [u8], EncodeError> {
        self.end()
    }

    /// Ends the block. Then the encoder is ready for the next message, or has failed
    /// for good.
    pub(crate) const fn end(&mut self) -> Result<&'static [u8], EncodeError> {
        self.check_finished();
        let end = self.terminator();
        match end {
            Ok(_) => *self = Self::new(self.newline),
            Err(error) => self.state = State::Failed(error),
        }
        end
    }

    /// Fails if the last part was not encoded to its end.
    const fn check_finished(&mut self) {
        if self.offset != self.given && !matches!(self.state, State::Failed(_)) {
            self.fail(EncodeErrorKind::Unfinished, self.offset);
        }
    }

    const fn terminator(&self) -> Result<&'static [u8], EncodeError> {
        match (self.state, self.newline) {
            (State::Failed(error), _) => Err(error),
            (State::LineStart, _) => Ok(b".\r\n"),
            (State::TextCr, BareNewline::Canonicalize) => Ok(b"\n.\r\n"),
            (State::TextCr, BareNewline::Reject) => {
                Err(EncodeError::new(EncodeErrorKind::BareCr, self.offset - 1))
            }
            (State::Text | State::TextCr | State::BareLf, _) => Ok(b"\r\n.\r\n"),
        }
    }

    /// The error with which the encoder has failed.
    #[cfg(any(feature = "std", feature = "bytes"))]
    pub(crate) const fn refusal(&self) -> Option<EncodeError> {
        match self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    const fn fail(&mut self, kind: EncodeErrorKind, offset: u64) {
        self.state = State::Failed(EncodeError::new(kind, offset));
    }
}

/// The octets to send for one part of a message. Made by
/// [`MultilineEncoder::encode`].
///
/// Ends at the end of that part, or after one error; each further `encode` of an octet
/// then returns only the same error. Dropping it before its end is an error too.
#[derive(Debug)]
#[must_use = "a message is encoded only as the iterator is driven"]
pub struct Stuffed<'e, 'a> {
    encoder: &'e mut MultilineEncoder,
    rest: &'a [u8],
}

impl<'a> Stuffed<'_, 'a> {
    /// The part of the message that is not yet encoded; empty after an error.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, octets: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(octets);
        self.rest = rest;
        self.encoder.offset += octets as u64;
        taken
    }

    /// The number of octets that can be sent unchanged.
    fn run(&mut self) -> usize {
        let text = &self.rest[..self.rest.len().min(scan::RUN)];
        match self.encoder.newline {
            BareNewline::Verbatim => {
                let found = self.encoder.search.crlf_dot(text);
                found.map_or(text.len(), |found| found + 2)
            }
            BareNewline::Canonicalize | BareNewline::Reject => scan::canonical_run(text),
        }
    }

    /// A shortcut for messages in which many lines are stuffed: returns the rest of
    /// a stuffed line, and the dot to add to the next. That dot is also the first
    /// octet of `rest`.
    #[inline(always)]
    fn stuffed_line(&mut self) -> Option<&'a [u8]> {
        if !matches!(self.encoder.state, State::Text) || *self.rest.first()? != b'.' {
            return None;
        }
        let run = match self.encoder.newline {
            BareNewline::Verbatim => scan::near_stuffed_line(self.rest),
            BareNewline::Canonicalize | BareNewline::Reject => scan::near_canonical_line(self.rest),
        }?;
        let line = self.rest.get(..=run)?;
        self.rest = &self.rest[run..];
        self.encoder.offset += run as u64;
        self.encoder.stuffed_lines += 1;
        Some(line)
    }

    fn next_any(&mut self) -> Option<Result<&'a [u8], EncodeError>> {
        loop {
            let octet = *self.rest.first()?;
            match (self.encoder.state, self.encoder.newline) {
                (State::LineStart, _) => {
                    self.encoder.state = State::Text;
                    if octet == b'.' {
                        self.encoder.stuffed_lines += 1;
                        return Some(Ok(b"."));
                    }
                }
                (State::Text, newline) => {
                    let run = self.run();
                    let mends = newline != BareNewline::Verbatim;
                    self.encoder.state = match scan::tail(&self.rest[..run]) {
                        Tail::Cr => State::TextCr,
                        _ if mends && self.rest.get(run) == Some(&b'\n') => State::BareLf,
                        Tail::Crlf => State::LineStart,
                        Tail::Text => State::Text,
                    };
                    if run > 0 {
                        return Some(Ok(self.take(run)));
                    }
                }
                (State::TextCr, _) if octet == b'\n' => {
                    self.encoder.state = State::LineStart;
                    return Some(Ok(self.take(1)));
                }
                (State::TextCr, BareNewline::Verbatim) => self.encoder.state = State::Text,
                (State::TextCr, BareNewline::Canonicalize) => {
                    self.encoder.state = State::LineStart;
                    return Some(Ok(b"\n"));
                }
                (State::TextCr, BareNewline::Reject) => {
                    let offset = self.encoder.offset - 1;
                    self.encoder.fail(EncodeErrorKind::BareCr, offset);
                }
                (State::BareLf, BareNewline::Reject) => {
                    let offset = self.encoder.offset;
                    self.encoder.fail(EncodeErrorKind::BareLf, offset);
                }
                (State::BareLf, _) => {
                    self.take(1);
                    self.encoder.state = State::LineStart;
                    return Some(Ok(b"\r\n"));
                }
                (State::Failed(error), _) => {
                    self.rest = &[];
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<'a> Iterator for Stuffed<'_, 'a> {
    type Item = Result<&'a [u8], EncodeError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        match self.stuffed_line() {
            Some(line) => Some(Ok(line)),
            None => self.next_any(),
        }
    }
}

impl FusedIterator for Stuffed<'_, '_> {}

//! The decoder: one small state and no buffer.
//!
//! At the end of an input, the decoder may have to keep only one octet: the CR of
//! CRLF-dot-CR, because LF makes it part of the terminator and any other octet
//! makes it data. It is always a CR, so a state represents it. The start of the
//! stream *is* the start of a line, and is the first state.
//!
//! ```text
//!              .                CR               LF
//! LineStart ───────▶ Dot ───────────▶ DotCr ───────────▶ End
//!     ▲ │ other       │ other (dot dropped) │ other (dot dropped, CR is data)
//!     │ ▼             ▼                     ▼
//!     │ Text ◀──────────────────────────── TextCr
//!     │   └──────────── CR ────────────────▶ │ ▲ CR
//!     └──────────────── LF ──────────────────┘ ┘
//!
//! With Config::dot_line_ends, a dot leads from LineStart to EndLine, which
//! drops octets and leads through EndLineCr to End at CRLF. Errors lead to
//! Failed; only reset() leaves it. In Failed, `resume` is the state at the first
//! octet that was not consumed, from which skip_to_end() finds the end of the
//! block.
//! ```
//!
//! # ADVICE
//!
//! To add a policy, for example for NUL:
//!
//! 1. `config.rs`: add a field and a setter to [`Config`], or to
//!    [`LineEndings`](crate::LineEndings) if it is about line ends. Extend
//!    `Config::shortcut` (and `LineEndings::only_crlf_matters` and
//!    `only_crlf_passes`), or the fast paths skip the octets that the policy is
//!    about. If it changes where a block ends, `Config::without_refusals` must keep
//!    it.
//! 2. `error.rs`: add an [`ErrorKind`] and its text, if the policy can reject.
//! 3. `MultilineDecoder::advance`: handle it in each state in which the octet can
//!    occur. Call `fail` with the offset of the first rejected octet, and keep in
//!    mind that `DotCr` has consumed a CR that is not returned yet. `LineDecoder`
//!    in `line.rs` has its own arms for [`LineEndings`](crate::LineEndings).
//! 4. `dot-stuffing-testkit/src/oracle/block.rs`: add it to `Rules` and to the model
//!    first, from the text of the RFC. `Rules::combined` gives a bit to it, and moves
//!    the limits in `drawn`; `policies` doubles. `Rules::framing` gives it to
//!    `tests/exhaustive.rs`, which needs a test for it; `view/decode.rs` maps `Rules`
//!    to [`Config`].
//! 5. `pop3-cli/src/decode.rs`: add an option to `Policies`, and a case to
//!    `refusal`.
//!
//! Do not add a buffer, and do not let an event depend on where the input is cut:
//! `tests/exhaustive.rs` cuts every short block in every way.

use core::{iter::FusedIterator, ops::Range};

use crate::{
    Chunk, Complete, Config, DecodeError, Decoded, ErrorKind, Policy, Span,
    config::Shortcut,
    scan::{self, DotSearch, Tail},
};

/// Decodes one multi-line block: finds its end, and removes the dots that the
/// sender added to lines that begin with one.
///
/// The decoder is sans-IO and zero-copy: give it input in pieces of any size, and
/// it returns parts of that input. How the input is cut never changes the returned
/// octets, the end, or the error. RFC 1939 §3, RFC 5321 §4.5.2, RFC 3977 §3.1.1,
/// MS-STANOPOP3 V0002.
///
/// It never panics, allocates, or keeps octets of the input. Every call consumes
/// input or returns one [`Span::Cr`], so a loop around it always ends.
///
/// ```
/// use dot_stuffing::MultilineDecoder;
///
/// let mut decoder = MultilineDecoder::new();
/// let mut message = Vec::new();
/// let mut rest = &b""[..];
/// for read in [&b"Hello\r\n."[..], b".dot\r\n.", b"\r\n+OK next"] {
///     rest = read;
///     for data in decoder.feed(&mut rest) {
///         message.extend_from_slice(data?);
///     }
///     if decoder.is_complete() {
///         break;
///     }
/// }
/// let complete = decoder.finish()?;
/// assert_eq!(message, b"Hello\r\n.dot\r\n");
/// assert_eq!(complete.octets, 13);
/// assert_eq!(rest, b"+OK next");
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultilineDecoder {
    config: Config,
    shortcut: Shortcut,
    state: State,
    /// After a refusal: the state at the first octet that is not consumed.
    resume: State,
    /// Octets of input consumed.
    wire: u64,
    /// Octets returned.
    octets: u64,
    stuffed_lines: u64,
    line: Line,
    search: DotSearch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    Text,
    TextCr,
    Dot,
    DotCr,
    EndLine,
    EndLineCr,
    End,
    Failed(DecodeError),
}

/// The current line; tracked only if there is a line limit.
#[derive(Clone, Copy, Debug)]
struct Line {
    octets: u64,
    after_cr: bool,
}

impl MultilineDecoder {
    /// A decoder for RFC 1939 §3: only CRLF-dot-CRLF ends the block, and all octets
    /// except stuffed dots pass unchanged.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_config(Config::new())
    }

    /// A decoder with policies and limits.
    #[must_use]
    pub const fn with_config(config: Config) -> Self {
        Self {
            config,
            shortcut: config.shortcut(),
            state: State::LineStart,
            resume: State::LineStart,
            wire: 0,
            octets: 0,
            stuffed_lines: 0,
            line: Line {
                octets: 0,
                after_cr: false,
            },
            search: DotSearch::new(),
        }
    }

    /// Decodes the next part of the block as offsets into `input`.
    ///
    /// # Errors
    ///
    /// Fails for what the [`Config`] rejects, and for input after the end. Octets
    /// before the rejected one have been returned earlier. Each further call
    /// repeats the error. [`skip_to_end`](Self::skip_to_end) finds the end of a
    /// block that was rejected.
    ///
    /// ```
    /// use dot_stuffing::{Decoded, MultilineDecoder, Span};
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// let input = b"a\r\n..b";
    /// let step = decoder.decode_span(input)?;
    /// assert_eq!(step, Decoded { consumed: 4, event: Some(Span::Data(0..3)) });
    /// let step = decoder.decode_span(&input[4..])?;
    /// assert_eq!(step, Decoded { consumed: 2, event: Some(Span::Data(0..2)) });
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[inline]
    pub fn decode_span(&mut self, input: &[u8]) -> Result<Decoded<Span>, DecodeError> {
        match self.stuffed_line(input) {
            Some(run) => data(0..run, run + 1),
            None => self.decode_any(input),
        }
    }

    /// Whether the last octet was a dot at the start of a line.
    #[cfg(feature = "std")]
    pub(crate) fn is_after_dot(&self) -> bool {
        self.state == State::Dot
    }

    /// A shortcut for blocks in which many lines are stuffed: returns the number of
    /// octets up to the next dot that begins a line, and removes that dot too.
    #[inline(always)]
    pub(crate) fn stuffed_line(&mut self, input: &[u8]) -> Option<usize> {
        if self.state != State::Dot {
            return None;
        }
        let run = match self.shortcut {
            Shortcut::CrlfDot => scan::near_stuffed_line(input),
            Shortcut::OnlyCrlf => scan::near_strict_line(input),
            Shortcut::None => None,
        }?;
        // If the run exceeds the limit, `decode_any` handles it.
        (self.config.max_octets - self.octets).checked_sub(run as u64)?;
        self.octets += run as u64;
        self.wire += run as u64 + 1;
        self.stuffed_lines += 1;
        Some(run)
    }

    fn decode_any(&mut self, input: &[u8]) -> Result<Decoded<Span>, DecodeError> {
        let before = self.state;
        let step = self.limited(input);
        if let State::Failed(_) = self.state {
            self.keep_place(before, input, &step);
        }
        step
    }

    /// Decodes the next part within the limits.
    #[inline(always)]
    fn limited(&mut self, input: &[u8]) -> Result<Decoded<Span>, DecodeError> {
        let mut step = self.advance(input)?;
        match &mut step.event {
            Some(Span::Data(range)) => {
                let run = &input[range.clone()];
                let admitted = self.admit(run, self.wire + range.start as u64)?;
                if admitted < run.len() {
                    range.end = range.start + admitted;
                    step.consumed = range.end;
                }
            }
            Some(Span::Cr) => {
                // The CR is the last octet consumed on the wire.
                self.admit(b"\r", self.wire - 1)?;
            }
            Some(Span::End) | None => {}
        }
        self.wire += step.consumed as u64;
        Ok(step)
    }

    /// Decodes the next part of the block as a slice of `input`. Even if there is
    /// data, `consumed` may be 0: the data is then a CR of an earlier input.
    ///
    /// # Errors
    ///
    /// As [`decode_span`](Self::decode_span).
    ///
    /// ```
    /// use dot_stuffing::{Chunk, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// let step = decoder.decode(b".\r\n+OK")?;
    /// assert_eq!((step.consumed, step.event), (3, Some(Chunk::End)));
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[inline]
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Chunk<'a>>, DecodeError> {
        let step = self.decode_span(input)?;
        Ok(Decoded {
            consumed: step.consumed,
            event: step.event.map(|span| match span {
                Span::Cr => Chunk::Data(b"\r"),
                Span::Data(range) => Chunk::Data(&input[range]),
                Span::End => Chunk::End,
            }),
        })
    }

    /// Iterates over the parts of the message in `input`, up to the end of the
    /// input or of the block, and removes the decoded octets from the front of
    /// `input`.
    ///
    /// What is left in `input` is not decoded: the octets after the end of the
    /// block, the remaining ones if the iterator is dropped early, or after an error
    /// those for [`skip_to_end`](Self::skip_to_end), which may begin near the rejected
    /// one.
    ///
    /// ```
    /// use dot_stuffing::MultilineDecoder;
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// let mut input = &b"a\r\n.\r\n+OK 2 messages\r\n"[..];
    /// for data in decoder.feed(&mut input) {
    ///     assert_eq!(data?, b"a\r\n");
    /// }
    /// assert!(decoder.is_complete());
    /// assert_eq!(input, b"+OK 2 messages\r\n");
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[inline]
    pub const fn feed<'d, 'i, 'a>(&'d mut self, input: &'i mut &'a [u8]) -> Feed<'d, 'i, 'a> {
        Feed {
            decoder: self,
            input,
            done: false,
        }
    }

    /// Reads on to the end of the block without returning data, even after an
    /// error, and removes the octets read from the front of `input`. Returns whether
    /// the end was reached.
    ///
    /// Use it to refuse a message and keep the connection. After an error, go on
    /// with the octets that the failed call did not consume. Policies that reject
    /// and limits no longer apply then: the block ends where a decoder without them
    /// would end it (RFC 1939 §3, RFC 5321 §4.5.2, RFC 3977 §3.1.1), so the rest of
    /// a rejected message is never taken for commands. The first error stays, and
    /// there is no [`Complete`].
    ///
    /// If there was no error, octets are decoded and counted as always, and only
    /// not returned: then [`finish`](Self::finish) returns the proof. After the end,
    /// further calls consume nothing and return `true`, until [`reset`](Self::reset).
    ///
    /// ```
    /// use dot_stuffing::{Config, ErrorKind, MultilineDecoder};
    ///
    /// let mut decoder = MultilineDecoder::with_config(Config::smtp().max_octets(4));
    /// let mut input = &b"too long\r\n.\n\r\n.\r\nQUIT\r\n"[..];
    /// assert!(decoder.feed(&mut input).any(|data| data.is_err()));
    /// assert!(decoder.skip_to_end(&mut input));
    /// assert_eq!(input, b"QUIT\r\n");
    /// assert_eq!(decoder.wire_octets(), 17);
    /// assert_eq!(decoder.finish().unwrap_err().kind(), ErrorKind::TooLong);
    /// decoder.reset(); // for the next message
    /// ```
    #[must_use = "the end may be in the next input"]
    pub fn skip_to_end(&mut self, input: &mut &[u8]) -> bool {
        loop {
            match self.state {
                State::End => return true,
                State::Failed(_) => break,
                _ if input.is_empty() => return false,
                _ => {}
            }
            if let Ok(step) = self.decode_span(input) {
                *input = &input[step.consumed..];
            }
        }
        let (resume, skipped) = self.follow(self.resume, input);
        self.resume = resume;
        self.wire += skipped as u64;
        *input = &input[skipped..];
        self.resume == State::End
    }

    /// Whether the block has ended and is complete, so that
    /// [`finish`](Self::finish) returns the proof.
    ///
    /// ```
    /// use dot_stuffing::MultilineDecoder;
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// decoder.feed(&mut &b".\r\n"[..]).for_each(drop);
    /// assert!(decoder.is_complete());
    /// assert!(decoder.decode(b"one more").is_err());
    /// assert!(!decoder.is_complete());
    /// ```
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// The octets of the block consumed so far, on the wire.
    #[must_use]
    pub const fn wire_octets(&self) -> u64 {
        self.wire
    }

    /// Ends the input, and returns the proof that the block is complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] if the terminator was not seen; or the error with
    /// which the decoder has already failed, also for octets after the end. Until
    /// [`reset`](Self::reset), there is no proof after an error.
    ///
    /// ```
    /// use dot_stuffing::MultilineDecoder;
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// assert!(decoder.finish().is_err());
    /// decoder.feed(&mut &b"..\r\n.\r\n"[..]).for_each(drop);
    /// let complete = decoder.finish()?;
    /// assert_eq!((complete.octets, complete.wire_octets), (3, 7));
    /// assert_eq!(complete.stuffed_lines, 1);
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    pub const fn finish(&self) -> Result<Complete, DecodeError> {
        match self.state {
            State::End => Ok(Complete {
                octets: self.octets,
                wire_octets: self.wire,
                stuffed_lines: self.stuffed_lines,
            }),
            State::Failed(error) => Err(error),
            _ => Err(DecodeError::new(ErrorKind::Truncated, self.wire)),
        }
    }

    /// Ends the input of a reader before the end of the block, for good.
    #[cfg(feature = "std")]
    pub(crate) fn truncate(&mut self) -> DecodeError {
        match self.state {
            State::Failed(error) => error,
            state => {
                let error = DecodeError::new(ErrorKind::Truncated, self.wire);
                self.resume = state;
                self.state = State::Failed(error);
                error
            }
        }
    }

    /// Makes the decoder ready for the next block, with the same [`Config`].
    ///
    /// ```
    /// use dot_stuffing::MultilineDecoder;
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// decoder.feed(&mut &b".\r\n"[..]).for_each(drop);
    /// decoder.reset();
    /// assert!(decoder.finish().is_err());
    /// ```
    pub const fn reset(&mut self) {
        *self = Self::with_config(self.config);
    }

    /// Runs the state machine to the next event. `admit` applies the limits to the
    /// data that it returns; only in `EndLine`, whose octets are dropped, it checks
    /// the line limit itself.
    #[inline]
    fn advance(&mut self, input: &[u8]) -> Result<Decoded<Span>, DecodeError> {
        let line_endings = self.config.line_endings;
        // input[start..at] is the data to return next.
        let mut start = 0;
        let mut at = 0;
        while let Some(&octet) = input.get(at).filter(|_| at < start + scan::RUN) {
            // A run stops at `scan::RUN` octets, however long the input is.
            let text = &input[at..input.len().min(start + scan::RUN)];
            match self.state {
                State::LineStart if octet == b'.' => {
                    self.state = match self.config.dot_line_ends {
                        false => State::Dot,
                        true => State::EndLine,
                    };
                    let run = start..at;
                    at += 1;
                    start = at;
                    if !run.is_empty() {
                        return data(run, at);
                    }
                }
                State::LineStart => self.state = State::Text,
                State::Text if line_endings.only_crlf_matters() => {
                    let found = self.search.crlf_dot(text);
                    at += self.pass(found.map_or(text, |found| &text[..found + 2]));
                }
                State::Text if line_endings.only_crlf_passes() => {
                    let run = scan::canonical_run(text);
                    if run == 0 {
                        return self.fail(ErrorKind::BareLf, at, 0, start);
                    }
                    at += self.pass(&text[..run]);
                }
                State::Text => match memchr::memchr2(b'\r', b'\n', text) {
                    None => at += text.len(),
                    Some(found) => {
                        at += found;
                        if input[at] == b'\r' {
                            self.state = State::TextCr;
                        } else if line_endings.bare_lf == Policy::Reject {
                            return self.fail(ErrorKind::BareLf, at, 0, start);
                        } else if line_endings.lf_terminates {
                            self.state = State::LineStart;
                        }
                        at += 1;
                    }
                },
                State::TextCr if octet == b'\n' => {
                    self.state = State::LineStart;
                    at += 1;
                }
                State::TextCr => {
                    if line_endings.bare_cr == Policy::Reject {
                        return self.fail(ErrorKind::BareCr, at, 1, start);
                    }
                    self.state = State::Text;
                }
                State::Dot if octet == b'\r' => {
                    self.state = State::DotCr;
                    at += 1;
                }
                State::Dot => {
                    if octet == b'\n' && line_endings.bare_lf == Policy::Reject {
                        return self.fail(ErrorKind::BareLf, at, 0, start);
                    }
                    if octet == b'\n' && line_endings.lf_terminates {
                        self.state = State::End;
                        return end(at + 1);
                    }
                    if octet != b'.' && self.config.unstuffed_dot == Policy::Reject {
                        return self.fail(ErrorKind::UnstuffedDot, at, 1, start);
                    }
                    self.stuffed_lines += 1;
                    self.state = State::Text;
                }
                State::DotCr if octet == b'\n' => {
                    self.state = State::End;
                    return end(at + 1);
                }
                State::DotCr => {
                    if line_endings.bare_cr == Policy::Reject {
                        return self.fail(ErrorKind::BareCr, at, 1, at);
                    }
                    if self.config.unstuffed_dot == Policy::Reject {
                        return self.fail(ErrorKind::UnstuffedDot, at, 2, at);
                    }
                    self.stuffed_lines += 1;
                    self.state = State::TextCr;
                    if start == at {
                        return Ok(Decoded {
                            consumed: at,
                            event: Some(Span::Cr),
                        });
                    }
                }
                State::EndLine => {
                    if octet == b'\n' && line_endings.bare_lf == Policy::Reject {
                        return self.fail(ErrorKind::BareLf, at, 0, at);
                    }
                    if octet == b'\n' && line_endings.lf_terminates {
                        self.state = State::End;
                        return end(at + 1);
                    }
                    if octet == b'\r' {
                        self.state = State::EndLineCr;
                    } else if self.line.octets == self.config.max_line_octets {
                        return self.fail(ErrorKind::LineTooLong, at, 0, at);
                    } else {
                        self.line.octets += 1;
                    }
                    at += 1;
                    start = at;
                }
                State::EndLineCr if octet == b'\n' => {
                    self.state = State::End;
                    return end(at + 1);
                }
                State::EndLineCr => {
                    if line_endings.bare_cr == Policy::Reject {
                        return self.fail(ErrorKind::BareCr, at, 1, at);
                    }
                    // The CR is no part of the line end, so it counts.
                    if self.line.octets == self.config.max_line_octets {
                        return self.fail(ErrorKind::LineTooLong, at, 1, at);
                    }
                    self.line.octets += 1;
                    self.state = State::EndLine;
                }
                State::End => return self.fail(ErrorKind::AfterEnd, at, 0, at),
                State::Failed(error) => return Err(error),
            }
        }
        if self.state == State::DotCr {
            start = at;
        }
        match start == at {
            true => self.exhausted(at),
            false => data(start..at, at),
        }
    }

    /// Passes text up to the end of a line, or of the input. Returns its length.
    #[inline(always)]
    fn pass(&mut self, text: &[u8]) -> usize {
        self.state = match scan::tail(text) {
            Tail::Crlf => State::LineStart,
            Tail::Cr => State::TextCr,
            Tail::Text => State::Text,
        };
        text.len()
    }

    /// The result if all input is consumed and there is no data.
    fn exhausted(&self, consumed: usize) -> Result<Decoded<Span>, DecodeError> {
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(Decoded {
                consumed,
                event: None,
            }),
        }
    }

    /// Fails at the octet `back` octets before `at`. Returns the data from `start`
    /// first, if there is any.
    #[cold]
    fn fail(
        &mut self,
        kind: ErrorKind,
        at: usize,
        back: u64,
        start: usize,
    ) -> Result<Decoded<Span>, DecodeError> {
        let error = DecodeError::new(kind, self.wire + at as u64 - back);
        self.state = State::Failed(error);
        match start == at {
            true => Err(error),
            false => data(start..at, at),
        }
    }

    /// Stores the state at the first octet that is not consumed. `before` is the
    /// state before `input`.
    #[cold]
    fn keep_place(
        &mut self,
        before: State,
        input: &[u8],
        step: &Result<Decoded<Span>, DecodeError>,
    ) {
        if let State::Failed(_) = before {
            return;
        }
        let consumed = step.as_ref().map_or(0, |step| step.consumed);
        (self.resume, _) = self.follow(before, &input[..consumed]);
    }

    /// Follows the lines of a rejected block from a state to the end of the input or
    /// of the block. Returns the state there, and the octets passed.
    fn follow(&self, from: State, input: &[u8]) -> (State, usize) {
        let mut lines = Self::with_config(self.config.without_refusals());
        lines.state = from;
        lines.wire = self.wire;
        let mut passed = 0;
        while passed < input.len() && lines.state != State::End {
            match lines.decode_span(&input[passed..]) {
                Ok(step) => passed += step.consumed,
                // It refuses nothing.
                Err(_) => break,
            }
        }
        (lines.state, passed)
    }

    /// Returns the number of octets of `run`, which begins at `offset` on the wire,
    /// that the limits admit. If that is not all, the decoder fails; if there is
    /// none, this returns the error.
    #[inline]
    fn admit(&mut self, run: &[u8], offset: u64) -> Result<usize, DecodeError> {
        let mut admitted = run.len();
        if self.config.max_line_octets != u64::MAX {
            admitted = self.line_limit(run);
        }
        let mut kind = ErrorKind::LineTooLong;
        let room = self.config.max_octets - self.octets;
        if admitted as u64 > room {
            admitted = room as usize;
            kind = ErrorKind::TooLong;
        }
        self.octets += admitted as u64;
        if admitted < run.len() {
            let error = DecodeError::new(kind, offset + admitted as u64);
            self.state = State::Failed(error);
            if admitted == 0 {
                return Err(error);
            }
        }
        Ok(admitted)
    }

    /// Returns the number of octets of `run` before one that makes its line too
    /// long.
    #[cold]
    fn line_limit(&mut self, run: &[u8]) -> usize {
        let mut line_start = 0;
        for lf in memchr::memchr_iter(b'\n', run) {
            let after_cr = match lf {
                0 => self.line.after_cr,
                _ => run[lf - 1] == b'\r',
            };
            if !after_cr && !self.config.line_endings.lf_terminates {
                continue;
            }
            if let Some(cut) = self.line_cut(lf + 1 - line_start) {
                return line_start + cut;
            }
            line_start = lf + 1;
            self.line.octets = 0;
        }
        if let Some(cut) = self.line_cut(run.len() - line_start) {
            return line_start + cut;
        }
        self.line.octets += (run.len() - line_start) as u64;
        self.line.after_cr = run.last() == Some(&b'\r');
        run.len()
    }

    /// The offset within the next `octets` of a line at which the limit is
    /// exceeded.
    fn line_cut(&self, octets: usize) -> Option<usize> {
        let room = self.config.max_line_octets - self.line.octets;
        (octets as u64 > room).then_some(room as usize)
    }
}

impl Default for MultilineDecoder {
    fn default() -> Self {
        Self::new()
    }
}

const fn data(run: Range<usize>, consumed: usize) -> Result<Decoded<Span>, DecodeError> {
    Ok(Decoded {
        consumed,
        event: Some(Span::Data(run)),
    })
}

const fn end(consumed: usize) -> Result<Decoded<Span>, DecodeError> {
    Ok(Decoded {
        consumed,
        event: Some(Span::End),
    })
}

/// The parts of the message in one input. Made by [`MultilineDecoder::feed`].
///
/// Ends at the end of the input, at the end of the block, and after an error.
#[derive(Debug)]
#[must_use = "a feed decodes only as it is iterated"]
pub struct Feed<'d, 'i, 'a> {
    decoder: &'d mut MultilineDecoder,
    input: &'i mut &'a [u8],
    done: bool,
}

impl<'a> Feed<'_, '_, 'a> {
    fn next_any(&mut self) -> Option<Result<&'a [u8], DecodeError>> {
        while !self.done {
            match self.decoder.decode(self.input) {
                Ok(step) => {
                    *self.input = &self.input[step.consumed..];
                    match step.event {
                        Some(Chunk::Data(data)) => return Some(Ok(data)),
                        Some(Chunk::End) => self.done = true,
                        None => self.done = self.input.is_empty(),
                    }
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<'a> Iterator for Feed<'_, '_, 'a> {
    type Item = Result<&'a [u8], DecodeError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(run) = self.decoder.stuffed_line(self.input) {
            let (data, rest) = self.input.split_at(run);
            *self.input = &rest[1..];
            return Some(Ok(data));
        }
        self.next_any()
    }
}

impl FusedIterator for Feed<'_, '_, '_> {}

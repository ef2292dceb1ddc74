//! Lines of bounded length: commands, status lines, listings.

use crate::{DecodeError, Decoded, ErrorKind, LineEndings, Policy};

/// Splits a stream into lines of at most `MAX` octets, including the line end.
///
/// A line that is complete in one input is returned as a slice of it. Only the
/// start of a line that is cut between inputs is copied, into a buffer of `MAX`
/// octets in the decoder. RFC 1939 §3 and RFC 2449 §4 allow 255 octets for a
/// command and 512 for the first line of a reply.
///
/// ```
/// use dot_stuffing::LineDecoder;
///
/// let mut lines = LineDecoder::<255>::new();
/// assert_eq!(lines.decode(b"NO")?.event, None);
/// let step = lines.decode(b"OP\r\nQUIT\r\n")?;
/// assert_eq!((step.consumed, step.event), (4, Some(&b"NOOP"[..])));
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LineDecoder<const MAX: usize> {
    line_endings: LineEndings,
    state: State,
    /// The start of the line, from earlier inputs.
    held: [u8; MAX],
    held_len: usize,
    /// Octets of input consumed.
    wire: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Line,
    Failed(DecodeError),
    /// The rest of a rejected line is being dropped.
    Skip {
        after_cr: bool,
    },
}

/// The end of the next line.
enum Found {
    /// The octets of the line, without and with its line end.
    End {
        line: usize,
        consumed: usize,
    },
    More,
}

impl<const MAX: usize> LineDecoder<MAX> {
    /// A decoder for lines that end with CRLF; a bare CR or LF belongs to the line.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_line_endings(LineEndings::new())
    }

    /// A decoder with other rules for what ends a line.
    ///
    /// ```
    /// use dot_stuffing::{LineDecoder, LineEndings};
    ///
    /// let lenient = LineEndings::new().dangerous_lf_terminates(true);
    /// let mut lines = LineDecoder::<255>::with_line_endings(lenient);
    /// assert_eq!(lines.decode(b"QUIT\n")?.event, Some(&b"QUIT"[..]));
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    #[must_use]
    pub const fn with_line_endings(line_endings: LineEndings) -> Self {
        Self {
            line_endings,
            state: State::Line,
            held: [0; MAX],
            held_len: 0,
            wire: 0,
        }
    }

    /// Decodes at most one line, and returns it without its line end.
    ///
    /// Call it again with the octets that were not consumed, until none are left.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LineTooLong`] as soon as there are `MAX` octets without a line
    /// end, and what the [`LineEndings`] reject. Until
    /// [`skip_line`](Self::skip_line) is called, each further call repeats the
    /// error and consumes none of `input`.
    pub fn decode<'a>(&'a mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, DecodeError> {
        match self.state {
            State::Failed(error) => return Err(error),
            State::Skip { after_cr } => {
                return Ok(Decoded {
                    consumed: self.skip(input, after_cr),
                    event: None,
                });
            }
            State::Line => {}
        }
        match self.find(input) {
            Err(error) => {
                self.state = State::Failed(error);
                Err(error)
            }
            Ok(Found::More) => {
                self.hold(input);
                Ok(Decoded {
                    consumed: input.len(),
                    event: None,
                })
            }
            Ok(Found::End { line, consumed }) => Ok(Decoded {
                consumed,
                event: Some(self.take(input, line, consumed)),
            }),
        }
    }

    /// Skips the line that was rejected: the next calls of
    /// [`decode`](Self::decode), starting with the same input, consume the rest of
    /// that line and return nothing for it. Does nothing unless the decoder has
    /// failed.
    ///
    /// ```
    /// use dot_stuffing::{ErrorKind, LineDecoder};
    ///
    /// let mut lines = LineDecoder::<8>::new();
    /// let input = b"much too long\r\nQUIT\r\n";
    /// assert_eq!(lines.decode(input).unwrap_err().kind(), ErrorKind::LineTooLong);
    /// lines.skip_line();
    /// let skipped = lines.decode(input)?.consumed;
    /// assert_eq!(lines.decode(&input[skipped..])?.event, Some(&b"QUIT"[..]));
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    pub const fn skip_line(&mut self) {
        if let State::Failed(_) = self.state {
            self.state = State::Skip {
                after_cr: self.held_len > 0 && self.held[self.held_len - 1] == b'\r',
            };
            self.held_len = 0;
        }
    }

    /// Ends the input.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] if the input ended within a line, with the number
    /// of octets read; or the error with which the decoder has already failed.
    ///
    /// ```
    /// use dot_stuffing::{ErrorKind, LineDecoder};
    ///
    /// let mut lines = LineDecoder::<255>::new();
    /// assert!(lines.finish().is_ok());
    /// assert_eq!(lines.decode(b"QUI")?.event, None);
    /// assert_eq!(lines.finish().unwrap_err().kind(), ErrorKind::Truncated);
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    pub const fn finish(&self) -> Result<(), DecodeError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Line if self.held_len == 0 => Ok(()),
            State::Line | State::Skip { .. } => {
                Err(DecodeError::new(ErrorKind::Truncated, self.wire))
            }
        }
    }

    /// Ends the input, for good if that is within a line that is not skipped.
    #[cfg(feature = "tokio-util")]
    pub(crate) const fn truncate(&mut self) -> Result<(), DecodeError> {
        let end = self.finish();
        if let (Err(error), State::Line) = (end, self.state) {
            self.state = State::Failed(error);
        }
        end
    }

    /// Returns the line of `line` octets that ends in `input`, joined to its start.
    fn take<'a>(&'a mut self, input: &'a [u8], line: usize, consumed: usize) -> &'a [u8] {
        self.wire += consumed as u64;
        let held = core::mem::take(&mut self.held_len);
        if held == 0 {
            return &input[..line];
        }
        // If the CR of the line end was held, `line` is smaller than `held`.
        if let Some(rest) = line.checked_sub(held) {
            self.held[held..line].copy_from_slice(&input[..rest]);
        }
        &self.held[..line]
    }

    fn find(&self, input: &[u8]) -> Result<Found, DecodeError> {
        let held = self.held_len;
        let line_start = self.wire - held as u64;
        // The part of the input that this line may have.
        let room = &input[..input.len().min(MAX - held)];
        let mut after_cr = held > 0 && self.held[held - 1] == b'\r';
        let mut at = 0;
        while at < room.len() {
            if after_cr && room[at] == b'\n' {
                return Ok(Found::End {
                    line: held + at - 1,
                    consumed: at + 1,
                });
            }
            if after_cr && self.line_endings.bare_cr == Policy::Reject {
                let offset = self.wire + at as u64 - 1;
                return Err(DecodeError::new(ErrorKind::BareCr, offset));
            }
            match memchr::memchr2(b'\r', b'\n', &room[at..]) {
                None => at = room.len(),
                Some(0) if room[at] == b'\n' => {
                    if self.line_endings.bare_lf == Policy::Reject {
                        let offset = self.wire + at as u64;
                        return Err(DecodeError::new(ErrorKind::BareLf, offset));
                    }
                    if self.line_endings.lf_terminates {
                        return Ok(Found::End {
                            line: held + at,
                            consumed: at + 1,
                        });
                    }
                    at += 1;
                }
                // Examine the octet again with the CR state known.
                Some(0) => at += 1,
                Some(found) => at += found,
            }
            after_cr = room[at - 1] == b'\r';
        }
        match held + room.len() == MAX {
            true => Err(DecodeError::new(
                ErrorKind::LineTooLong,
                line_start + MAX as u64,
            )),
            false => Ok(Found::More),
        }
    }

    fn hold(&mut self, input: &[u8]) {
        let end = self.held_len + input.len();
        self.held[self.held_len..end].copy_from_slice(input);
        self.held_len = end;
        self.wire += input.len() as u64;
    }

    /// Drops octets up to the end of the rejected line, or all octets.
    fn skip(&mut self, input: &[u8], mut after_cr: bool) -> usize {
        let mut skipped = input.len();
        for lf in memchr::memchr_iter(b'\n', input) {
            if lf > 0 {
                after_cr = input[lf - 1] == b'\r';
            }
            if after_cr || self.line_endings.lf_ends_lines() {
                skipped = lf + 1;
                self.state = State::Line;
                break;
            }
        }
        if let (State::Skip { after_cr }, Some(last)) = (&mut self.state, input.last()) {
            *after_cr = *last == b'\r';
        }
        self.wire += skipped as u64;
        skipped
    }
}

impl<const MAX: usize> Default for LineDecoder<MAX> {
    fn default() -> Self {
        Self::new()
    }
}

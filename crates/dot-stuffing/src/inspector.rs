//! Finds anomalies in a block, separately from the decoder.
//!
//! Most of a block has neither an anomaly nor its end: whole arrays of octets are
//! checked for that at once (`quiet_octets`), and only the others octet by
//! octet.

use crate::quiet::{QUIET_BLOCK, quiet_octets};

/// Something in a block on which readers disagree, or that no careful sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// An octet after the end of the block. Reported only for the first such octet.
    AfterEnd,
    /// A bare CR directly before or after a dot. Some readers end a line here, and
    /// so perhaps the message.
    BareCrBesideDot,
    /// A bare LF directly before or after a dot, as used in SMTP smuggling.
    BareLfBesideDot,
    /// A NUL. C programs may end a string here.
    Nul,
    /// A line that begins with one dot followed by other octets: this sender may
    /// not stuff dots, and then a line of the message can end the message.
    UnstuffedDot,
}

/// An anomaly and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anomaly {
    /// The kind.
    pub kind: AnomalyKind,
    /// Its offset on the wire, in octets from the start of the block.
    pub offset: u64,
}

/// A line, by its place and length on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineExtent {
    /// The offset of its first octet from the start of the block.
    pub offset: u64,
    /// Its octets, including the line end and a stuffed dot.
    pub octets: u64,
}

/// Examines the octets that a [`MultilineDecoder`](crate::MultilineDecoder) gets,
/// and reports anomalies with regard to RFC 1939 §3.
///
/// It is separate from the decoder, so that it costs nothing unless used and never
/// changes the decoded message. How the input is cut does not change the report,
/// except that a CR is known to be bare only at the next octet.
///
/// ```
/// use dot_stuffing::{Anomaly, AnomalyKind, Inspector};
///
/// let mut inspector = Inspector::new();
/// let mut found = Vec::new();
/// inspector.inspect(b"smuggled?\n.\n\r\n.\r\n", |anomaly| found.push(anomaly));
/// assert_eq!(
///     found,
///     [
///         Anomaly { kind: AnomalyKind::BareLfBesideDot, offset: 9 },
///         Anomaly { kind: AnomalyKind::BareLfBesideDot, offset: 11 },
///     ]
/// );
/// assert_eq!(inspector.longest_line().octets, 14);
/// ```
#[derive(Clone, Debug)]
pub struct Inspector {
    state: State,
    /// The last two octets, older first. The start of a block counts as the start
    /// of a line, as if it followed CRLF.
    last: [u8; 2],
    offset: u64,
    line_start: u64,
    longest: LineExtent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    Text,
    Dot,
    DotCr,
    End,
    AfterEnd,
}

impl Inspector {
    /// An inspector at the start of a block.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::LineStart,
            last: *b"\r\n",
            offset: 0,
            line_start: 0,
            longest: LineExtent {
                offset: 0,
                octets: 0,
            },
        }
    }

    /// Reports the anomalies that `input` completes, in the order in which they
    /// become known.
    pub fn inspect(&mut self, input: &[u8], mut report: impl FnMut(Anomaly)) {
        let mut at = 0;
        while at < input.len() && self.state != State::AfterEnd {
            let quiet = self.pass_quiet(input, at);
            if quiet > 0 {
                at += quiet;
                continue;
            }
            let end = match at {
                0 | 1 => 2,
                _ => at + QUIET_BLOCK,
            };
            let next = &input[at..end.min(input.len())];
            for &octet in next {
                self.step(octet, &mut report);
            }
            at += next.len();
        }
    }

    /// The longest line so far, including the terminator and an unfinished line;
    /// the first one if several are equally long.
    ///
    /// ```
    /// use dot_stuffing::{Inspector, LineExtent};
    ///
    /// let mut inspector = Inspector::new();
    /// inspector.inspect(b"a\r\nlonger\r\n.\r\n", |_| {});
    /// assert_eq!(inspector.longest_line(), LineExtent { offset: 3, octets: 8 });
    /// ```
    #[must_use]
    pub const fn longest_line(&self) -> LineExtent {
        self.longest
    }

    /// Passes the octets from `input[at]` on in which nothing is to report, as far as
    /// it can tell at once, and returns their number.
    fn pass_quiet(&mut self, input: &[u8], at: usize) -> usize {
        let in_line = matches!(self.state, State::LineStart | State::Text | State::Dot);
        // The check includes the last two octets.
        let Some(before) = at.checked_sub(2).filter(|_| in_line) else {
            return 0;
        };
        let octets = quiet_octets(&input[before..]);
        let text = &input[at..at + octets];
        if let [.., first, last] = *text {
            self.measure_lines(text);
            self.offset += octets as u64;
            self.last = [first, last];
            self.state = match self.last {
                [b'\r', b'\n'] => State::LineStart,
                [b'\n', b'.'] => State::Dot,
                _ => State::Text,
            };
        }
        octets
    }

    /// Updates the longest line and the start of the last one. Looks only for lines
    /// that are longer than the longest, so it skips most of the text.
    fn measure_lines(&mut self, text: &[u8]) {
        let after_cr = self.last[1] == b'\r';
        let mut start = 0;
        // The octets of the line that are before text[start].
        let mut before = self.offset - self.line_start;
        // Lines of equal length are common.
        let mut stride = 0;
        loop {
            let line = &text[start..];
            let limit = (line.len() as u64).min(self.longest.octets - before) as usize;
            if stride <= limit && line[..stride].ends_with(b"\r\n") {
                start += stride;
                before = 0;
                continue;
            }
            // All lines up to the last line end here are no longer than the longest.
            let is_end = |lf: &usize| match start + lf {
                0 => after_cr,
                at => text[at - 1] == b'\r',
            };
            if let Some(lf) = memchr::memrchr_iter(b'\n', &line[..limit]).find(is_end) {
                stride = lf + 1;
                start += stride;
                before = 0;
                continue;
            }
            if limit == line.len() {
                self.line_start = self.offset + start as u64 - before;
                return;
            }
            // This line is longer.
            let mut lfs = memchr::memchr_iter(b'\n', &line[limit..]).map(|lf| limit + lf);
            let end = lfs.find(is_end).map_or(line.len(), |lf| lf + 1);
            self.longest = LineExtent {
                offset: self.offset + start as u64 - before,
                octets: before + end as u64,
            };
        }
    }

    fn step(&mut self, octet: u8, report: &mut impl FnMut(Anomaly)) {
        let offset = self.offset;
        let mut found = |kind, offset| report(Anomaly { kind, offset });
        if let State::End | State::AfterEnd = self.state {
            if self.state == State::End {
                found(AnomalyKind::AfterEnd, offset);
                self.state = State::AfterEnd;
            }
            return;
        }

        let [second, first] = self.last;
        match octet {
            0 => found(AnomalyKind::Nul, offset),
            b'\n' if first == b'.' => found(AnomalyKind::BareLfBesideDot, offset),
            // An LF between two dots was already reported.
            b'.' if first == b'\n' && second != b'\r' && second != b'.' => {
                found(AnomalyKind::BareLfBesideDot, offset - 1);
            }
            _ => {}
        }
        if first == b'\r' && octet != b'\n' && (second == b'.' || octet == b'.') {
            found(AnomalyKind::BareCrBesideDot, offset - 1);
        }

        self.state = match self.state {
            State::LineStart if octet == b'.' => State::Dot,
            State::Dot if octet == b'\r' => State::DotCr,
            State::DotCr if octet == b'\n' => State::End,
            State::Dot if octet != b'.' => {
                found(AnomalyKind::UnstuffedDot, offset - 1);
                State::Text
            }
            State::DotCr => {
                found(AnomalyKind::UnstuffedDot, offset - 2);
                State::Text
            }
            _ if first == b'\r' && octet == b'\n' => State::LineStart,
            _ => State::Text,
        };

        self.offset += 1;
        let octets = self.offset - self.line_start;
        if octets > self.longest.octets {
            self.longest = LineExtent {
                offset: self.line_start,
                octets,
            };
        }
        if self.state == State::LineStart {
            self.line_start = self.offset;
        }
        self.last = [first, octet];
    }
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

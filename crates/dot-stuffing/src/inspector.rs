//! Anomalies in a block, found beside the decoder and without touching it.

/// Something in a block that readers disagree about, or that no careful sender
/// writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// The block has ended, and this octet is still in the input. Reported
    /// once, for the first such octet.
    AfterEnd,
    /// A CR without an LF, directly before or after a dot. Some readers end a
    /// line here, and so perhaps the message.
    BareCrBesideDot,
    /// An LF without a CR, directly before or after a dot: the stuff of SMTP
    /// smuggling.
    BareLfBesideDot,
    /// A NUL. C programs end their string here.
    Nul,
    /// A line that begins with one dot and goes on: this sender may not stuff,
    /// and then a line of the message can end it.
    UnstuffedDot,
}

/// One irregularity and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Its octet on the wire, counted from the start of the block.
    pub offset: u64,
}

/// A line, by its place and length on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineExtent {
    /// Where it begins, in octets from the start of the block.
    pub offset: u64,
    /// Its octets, line end and stuffed dot included.
    pub octets: u64,
}

/// Walks the octets that a [`MultilineDecoder`](crate::MultilineDecoder) is
/// given, and reports what is irregular in them by RFC 1939 §3.
///
/// It is apart from the decoder so that it costs nothing unless used, and
/// changes nothing: no octet, no end. How the input is cut never changes the
/// report, except that a CR is known to be bare only at the octet after it.
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
    /// The last two octets, older first. The start of a block is the start of a
    /// line, as if it followed a CRLF.
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
    /// come to light.
    pub fn inspect(&mut self, input: &[u8], mut report: impl FnMut(Anomaly)) {
        for &octet in input {
            self.step(octet, &mut report);
        }
    }

    /// The longest line so far, the terminator and a line not yet ended
    /// counted; the first of equals.
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
            // An LF between two dots was reported when it came.
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

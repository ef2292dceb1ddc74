//! Models a multi-line block under any policy, looking back from each octet.

/// The rules by which a block is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A CR that no LF follows is a fault.
    pub reject_bare_cr: bool,
    /// An LF that no CR precedes is a fault.
    pub reject_bare_lf: bool,
    /// A line that begins with one dot and continues is a fault.
    pub reject_unstuffed_dot: bool,
    /// LF ends a line like CRLF.
    pub lf_terminates: bool,
    /// A line that begins with a dot ends the block.
    pub dot_line_ends: bool,
    /// The maximum number of octets of data.
    pub max_octets: usize,
    /// The maximum number of octets of data in a line, including the line end.
    pub max_line_octets: usize,
}

impl Rules {
    /// RFC 1939 §3.
    pub const RFC1939: Self = Self {
        reject_bare_cr: false,
        reject_bare_lf: false,
        reject_unstuffed_dot: false,
        lf_terminates: false,
        dot_line_ends: false,
        max_octets: usize::MAX,
        max_line_octets: usize::MAX,
    };

    /// RFC 5321 §2.3.8, and RFC 3977 §3.1.1: bare CR and bare LF are faults. No rules
    /// here refuse NUL, which RFC 3977 also forbids.
    pub const SMTP: Self = Self {
        reject_bare_cr: true,
        reject_bare_lf: true,
        ..Self::RFC1939
    };

    /// [`RFC1939`](Self::RFC1939), each policy that changes framing alone, and
    /// [`SMTP`](Self::SMTP).
    #[must_use]
    pub const fn framing() -> [Self; 7] {
        let mut rules = [Self::RFC1939; 7];
        rules[1].reject_bare_cr = true;
        rules[2].reject_bare_lf = true;
        rules[3].reject_unstuffed_dot = true;
        rules[4].lf_terminates = true;
        rules[5].dot_line_ends = true;
        rules[6] = Self::SMTP;
        rules
    }

    /// Every combination of policies, without limits; [`RFC1939`](Self::RFC1939) first.
    #[must_use]
    pub fn policies() -> [Self; 32] {
        std::array::from_fn(|number| Self::combined(number as u64))
    }

    /// Every combination of the policies about bare CR and LF, without limits;
    /// [`RFC1939`](Self::RFC1939) first.
    #[must_use]
    pub fn line_endings() -> [Self; 8] {
        std::array::from_fn(|number| Self::combined(number as u64))
    }

    /// A combination of policies, one for each bit.
    const fn combined(number: u64) -> Self {
        Self {
            reject_bare_cr: number & 1 == 1,
            reject_bare_lf: number >> 1 & 1 == 1,
            lf_terminates: number >> 2 & 1 == 1,
            reject_unstuffed_dot: number >> 3 & 1 == 1,
            dot_line_ends: number >> 4 & 1 == 1,
            ..Self::RFC1939
        }
    }

    /// The same framing, with nothing refused. An LF that was refused ends no line.
    #[must_use]
    pub const fn without_refusals(&self) -> Self {
        Self {
            lf_terminates: self.lf_terminates && !self.reject_bare_lf,
            dot_line_ends: self.dot_line_ends,
            ..Self::RFC1939
        }
    }

    /// Draws a combination of policies and limits from a number.
    #[must_use]
    pub const fn drawn(number: u64) -> Self {
        const fn limit(number: u64) -> usize {
            match number & 3 {
                0 => (number >> 2 & 63) as usize,
                _ => usize::MAX,
            }
        }
        Self {
            max_octets: limit(number >> 5),
            max_line_octets: limit(number >> 13),
            ..Self::combined(number)
        }
    }
}

/// The result of reading a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The octets returned.
    pub data: Vec<u8>,
    /// The end of the block.
    pub outcome: Outcome,
}

/// How the reading of a block ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The input stopped before the terminator, after this many octets.
    Truncated(usize),
    /// The terminator came.
    Ended {
        /// The number of octets up to the end of the terminator.
        consumed: usize,
        /// The number of lines from which a dot was removed.
        stuffed: usize,
    },
    /// The octet at this offset was refused.
    Failed(Fault, usize),
    /// The reader never ends.
    #[default]
    Hung,
}

/// The reason why an octet is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A CR without LF.
    BareCr,
    /// An LF without CR.
    BareLf,
    /// A line over its limit.
    LineTooLong,
    /// A block over its limit.
    TooLong,
    /// A single dot before other octets.
    UnstuffedDot,
}

/// Reads a block.
#[must_use]
pub fn decode(rules: &Rules, wire: &[u8]) -> Transcript {
    let (mut data, mut stuffed) = (Vec::new(), 0);
    let (mut start, mut line_octets) = (0, 0);
    for at in 0..wire.len() {
        let failed = |fault, at| Outcome::Failed(fault, at);
        let line = &wire[start..=at];
        let dropped = rules.dot_line_ends && line[0] == b'.';
        let (octet, before) = (wire[at], wire[at.saturating_sub(1)]);

        if rules.reject_bare_lf && octet == b'\n' && before != b'\r' {
            return Transcript {
                data,
                outcome: failed(Fault::BareLf, at),
            };
        }
        if rules.reject_bare_cr && octet != b'\n' && before == b'\r' && at > 0 {
            return Transcript {
                data,
                outcome: failed(Fault::BareCr, at - 1),
            };
        }
        let ends = line.ends_with(b"\r\n") || rules.lf_terminates && octet == b'\n';
        if ends && (dropped || matches!(line, b".\r\n" | b".\n")) {
            let outcome = Outcome::Ended {
                consumed: at + 1,
                stuffed,
            };
            return Transcript { data, outcome };
        }

        let decided = match line {
            b"." => continue,
            b".\r" if !dropped => continue,
            [b'.', b'\r', _] if !dropped => at - 1..at + 1,
            // The line end of a dropped line does not count.
            [.., b'\r', b'\r'] if dropped => at - 1..at,
            [.., b'\r'] if dropped => continue,
            [.., b'\r', _] if dropped => at - 1..at + 1,
            _ => at..at + 1,
        };
        if line[0] == b'.' && !dropped && decided.start == start + 1 {
            if rules.reject_unstuffed_dot && line[1] != b'.' {
                return Transcript {
                    data,
                    outcome: failed(Fault::UnstuffedDot, start),
                };
            }
            stuffed += 1;
        }
        for at in decided {
            if line_octets == rules.max_line_octets {
                return Transcript {
                    data,
                    outcome: failed(Fault::LineTooLong, at),
                };
            }
            if data.len() == rules.max_octets && !dropped {
                return Transcript {
                    data,
                    outcome: failed(Fault::TooLong, at),
                };
            }
            line_octets += 1;
            data.extend((!dropped).then_some(wire[at]));
        }
        if ends {
            (start, line_octets) = (at + 1, 0);
        }
    }
    Transcript {
        data,
        outcome: Outcome::Truncated(wire.len()),
    }
}

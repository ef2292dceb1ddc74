//! Models the lines of a stream, looking back from each octet.

use super::{Fault, Rules};

/// A line, or the reason why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// A line without its line end.
    Line(Vec<u8>),
    /// A line that was skipped because the octet at this offset was refused.
    Refused(Fault, usize),
}

/// The lines of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The lines in order.
    pub events: Vec<LineEvent>,
    /// Whether the stream stops at the end of a line.
    pub whole: bool,
}

/// Splits a stream into lines of at most `max` octets, including the line end. Only
/// the rules about line endings apply.
#[must_use]
pub fn lines(rules: &Rules, max: usize, wire: &[u8]) -> Lines {
    let mut events = Vec::new();
    let (mut start, mut skipping) = (0, false);
    for at in 0..wire.len() {
        let (octet, before) = (wire[at], wire[at.saturating_sub(1)]);
        let line_end = match wire[start..=at] {
            [.., b'\r', b'\n'] => 2,
            // An LF that was refused ends no line.
            [.., b'\n'] if rules.lf_terminates && !rules.reject_bare_lf => 1,
            _ => 0,
        };
        let fault = match octet {
            _ if skipping => None,
            b'\n' if rules.reject_bare_lf && (before != b'\r' || at == start) => {
                Some((Fault::BareLf, at))
            }
            _ if at > start && before == b'\r' && octet != b'\n' && rules.reject_bare_cr => {
                Some((Fault::BareCr, at - 1))
            }
            _ if line_end == 0 && at + 1 - start == max => Some((Fault::LineTooLong, start + max)),
            _ => None,
        };
        if let Some((fault, offset)) = fault {
            events.push(LineEvent::Refused(fault, offset));
            skipping = true;
        }
        if line_end > 0 {
            if !skipping {
                events.push(LineEvent::Line(wire[start..at + 1 - line_end].to_vec()));
            }
            (start, skipping) = (at + 1, false);
        }
    }
    Lines {
        events,
        whole: start == wire.len(),
    }
}

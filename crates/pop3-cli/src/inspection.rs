//! The output of `pop3 decode --inspect`.

use dot_stuffing::{Anomaly, AnomalyKind, Inspector};
use pop3_proto::Counted;

use crate::exit::say;

/// The number of anomalies of one kind that are shown; further ones are counted.
const SHOWN: u64 = 20;

/// An [`Inspector`] that prints each anomaly when it finds it.
pub(crate) struct Inspection {
    command: &'static str,
    inspector: Inspector,
    octets: u64,
    /// The count of each kind, in the order in which the kinds first occurred.
    counts: Vec<(AnomalyKind, u64)>,
}

impl Inspection {
    pub(crate) const fn new(command: &'static str) -> Self {
        Self {
            command,
            inspector: Inspector::new(),
            octets: 0,
            counts: Vec::new(),
        }
    }

    /// Inspects the next octets of the block.
    pub(crate) fn inspect(&mut self, wire: &[u8]) {
        self.octets += wire.len() as u64;
        let (command, counts) = (self.command, &mut self.counts);
        self.inspector.inspect(wire, |Anomaly { kind, offset }| {
            if count(counts, kind) <= SHOWN {
                let name = name(kind);
                say(command, format_args!("anomaly at octet {offset}: {name}"));
            }
        });
    }

    /// Prints the totals.
    pub(crate) fn summarise(&self) {
        let mut total = 0;
        for &(kind, count) in &self.counts {
            total += count;
            if count > SHOWN {
                let (more, name) = (count - SHOWN, name(kind));
                say(
                    self.command,
                    format_args!("anomalies not shown: {more} more of \"{name}\""),
                );
            }
        }
        let longest = self.inspector.longest_line();
        say(
            self.command,
            format_args!(
                "inspected {}: anomalies {total}, longest line {} at octet {}",
                Counted(self.octets, "octet"),
                Counted(longest.octets, "octet"),
                longest.offset
            ),
        );
    }
}

/// Counts an anomaly, and returns the new count of its kind.
fn count(counts: &mut Vec<(AnomalyKind, u64)>, kind: AnomalyKind) -> u64 {
    for (counted, count) in counts.iter_mut() {
        if *counted == kind {
            *count += 1;
            return *count;
        }
    }
    counts.push((kind, 1));
    1
}

const fn name(kind: AnomalyKind) -> &'static str {
    match kind {
        AnomalyKind::AfterEnd => "an octet after the end of the block",
        AnomalyKind::BareCrBesideDot => "bare CR beside a dot",
        AnomalyKind::BareLfBesideDot => "bare LF beside a dot",
        AnomalyKind::Nul => "NUL",
        AnomalyKind::UnstuffedDot => "unstuffed dot",
        _ => "unnamed anomaly",
    }
}

//! Models the irregularities of a block.

use super::{Outcome, Rules, decode};

/// One irregularity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The first octet after the end.
    AfterEnd,
    /// A bare CR that touches a dot.
    BareCrBesideDot,
    /// A bare LF that touches a dot.
    BareLfBesideDot,
    /// A NUL.
    Nul,
    /// A single dot before other octets.
    UnstuffedDot,
}

/// All irregularities of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The irregularities, by offset.
    pub findings: Vec<(usize, Finding)>,
    /// The offset and the length in octets of the longest line.
    pub longest: (usize, usize),
}

/// Inspects a block.
#[must_use]
pub fn inspect(wire: &[u8]) -> Inspection {
    let mut findings = Vec::new();
    let mut block = wire;
    if let Outcome::Ended { consumed, .. } = decode(&Rules::RFC1939, wire).outcome {
        block = &wire[..consumed];
        if consumed < wire.len() {
            findings.push((consumed, Finding::AfterEnd));
        }
    }
    let octet = |at: usize| block.get(at).copied();
    for (at, &this) in block.iter().enumerate() {
        let before = at.checked_sub(1).and_then(octet);
        let dot = before == Some(b'.') || octet(at + 1) == Some(b'.');
        match this {
            0 => findings.push((at, Finding::Nul)),
            b'\n' if before != Some(b'\r') && dot => findings.push((at, Finding::BareLfBesideDot)),
            b'\r' if octet(at + 1).is_some_and(|next| next != b'\n') && dot => {
                findings.push((at, Finding::BareCrBesideDot));
            }
            _ => {}
        }
    }
    let mut longest = (0, 0);
    let mut start = 0;
    while start < block.len() {
        let end = block[start..].windows(2).position(|pair| pair == b"\r\n");
        let line = &block[start..end.map_or(block.len(), |at| start + at + 2)];
        if line.len() > longest.1 {
            longest = (start, line.len());
        }
        if matches!(line, [b'.', next, ..] if !matches!(next, b'.' | b'\r'))
            || matches!(line, [b'.', b'\r', next, ..] if *next != b'\n')
        {
            findings.push((start, Finding::UnstuffedDot));
        }
        start += line.len();
    }
    findings.sort_unstable();
    Inspection { findings, longest }
}

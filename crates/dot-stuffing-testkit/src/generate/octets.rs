//! Generates octets of messages and blocks.

use arbitrary::{Arbitrary, Unstructured};

use crate::chunk::hash;

/// The octets of a message or a block.
///
/// Fuzz input contains them as they are, so that a captured file is a seed, with
/// one exception: an octet from 0x80 on, if [`EDGES`] has an entry for it,
/// represents a run of `x` as long as the line buffer of some reader. So a few
/// octets reach beyond 8191.
#[derive(Clone, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

/// Line and buffer lengths that software is built around, their neighbours,
/// and our own run limit.
pub const EDGES: [usize; 18] = [
    63, 64, 127, 255, 256, 511, 512, 998, 1023, 1024, 2047, 2048, 4096, 8190, 8191, 8192, 16383,
    16384,
];

/// Runs are expanded while the result is shorter than this.
const LARGEST: usize = 20 * 1024;

impl Octets {
    /// Expands fuzz input into the octets that it represents.
    #[must_use]
    pub fn expand(input: &[u8]) -> Self {
        let mut octets = Vec::with_capacity(input.len());
        for &octet in input {
            let edge = octet
                .checked_sub(0x80)
                .and_then(|at| EDGES.get(usize::from(at)));
            match edge {
                Some(&run) if octets.len() + run <= LARGEST => {
                    octets.resize(octets.len() + run, b'x');
                }
                _ => octets.push(octet),
            }
        }
        Self(octets)
    }
}

impl std::fmt::Debug for Octets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ({} octets)", shown(&self.0), self.0.len())
    }
}

/// Shows octets in readable form: escaped, with a long run as `x{8191}`.
#[must_use]
pub fn shown(octets: &[u8]) -> String {
    let mut shown = String::new();
    for run in octets.chunk_by(|one, next| one == next) {
        let octet = run[0].escape_ascii().to_string();
        match run.len() {
            0..10 => shown.push_str(&octet.repeat(run.len())),
            long => shown.push_str(&format!("{octet}{{{long}}}")),
        }
    }
    shown
}

impl<'a> Arbitrary<'a> for Octets {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let input = u.bytes(u.len())?;
        Ok(Self::expand(input))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::expand(u.take_rest()))
    }
}

const MARKS: [&[u8]; 5] = [b"\r\n", b".", b"\r", b"\n", b"\0"];

const SEQUENCES: [&[u8]; 8] = [
    b"\r\n.\r\n",
    b"\r\n..",
    b"\r\n.",
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r\n\r.\n",
];

const AFTER_EDGE: [&[u8]; 4] = [b".\r\n", b"..", b"\r\n.", b""];

/// Returns octets to test with: pieces that matter to framing, expanded by the same
/// rule as fuzz input. Every fourth ends within a line, at one of [`EDGES`]. They are
/// the same in every run.
pub fn cases(number: u64) -> impl Iterator<Item = Octets> {
    fuzz_cases(number).map(|input| Octets::expand(&input))
}

/// Returns the same octets before they are expanded.
pub fn fuzz_cases(number: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..number).map(|case| {
        let pieces = 1..=hash(&[case]) % 24;
        let mut input: Vec<u8> = pieces.flat_map(|at| piece(hash(&[case, at]))).collect();
        if case.is_multiple_of(4) {
            input.extend([b'\r', b'\n', edge(case / 4)]);
        }
        input
    })
}

/// Draws a piece of fuzz input.
fn piece(draw: u64) -> Vec<u8> {
    let (kind, which) = (draw % 18, draw / 18);
    let select = |pieces: &[&[u8]]| pieces[which as usize % pieces.len()].to_vec();
    match kind {
        0..8 => select(&MARKS),
        8..12 => select(&SEQUENCES),
        12..14 => b"text".to_vec(),
        14..17 => vec![which as u8],
        _ => [&[b'\r', b'\n', edge(which / 4)], &select(&AFTER_EDGE)[..]].concat(),
    }
}

/// Returns the octet of fuzz input for an entry of [`EDGES`].
const fn edge(number: u64) -> u8 {
    0x80 + (number % EDGES.len() as u64) as u8
}

/// Generates octets like [`cases`], for property tests.
#[cfg(feature = "proptest")]
pub fn octets() -> impl proptest::strategy::Strategy<Value = Octets> {
    proptest::strategy::Strategy::prop_map(fuzz_input(), |input| Octets::expand(&input))
}

/// Generates the same octets before they are expanded.
#[cfg(feature = "proptest")]
pub fn fuzz_input() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;

    let pieces = proptest::collection::vec(any::<u64>().prop_map(piece), 0..24);
    pieces.prop_map(|pieces| pieces.concat())
}

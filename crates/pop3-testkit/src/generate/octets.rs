//! Generates octets of messages and blocks.

use arbitrary::{Arbitrary, Unstructured};
use proptest::{collection::vec, prelude::*, sample::select};

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

/// Generates octets for property tests: pieces that matter to framing, expanded by
/// the same rule as fuzz input.
pub fn octets() -> impl Strategy<Value = Octets> {
    fuzz_input().prop_map(|input| Octets::expand(&input))
}

/// Generates the same octets before they are expanded.
pub fn fuzz_input() -> impl Strategy<Value = Vec<u8>> {
    let edge = (0x80..0x80 + EDGES.len() as u8, select(&AFTER_EDGE[..]))
        .prop_map(|(edge, tail)| [&[b'\r', b'\n', edge], tail].concat());
    let piece = prop_oneof![
        8 => select(&MARKS[..]).prop_map(<[u8]>::to_vec),
        4 => select(&SEQUENCES[..]).prop_map(<[u8]>::to_vec),
        2 => Just(b"text".to_vec()),
        3 => any::<u8>().prop_map(|octet| vec![octet]),
        1 => edge,
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

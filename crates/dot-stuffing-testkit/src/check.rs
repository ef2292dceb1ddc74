//! Properties, as plain functions that panic if the property does not hold. Fuzz
//! targets, property tests and corpus tests call the same functions, on
//! dot-stuffing or on a known bug.

mod decode;
mod encode;
mod line;

pub(crate) use decode::forms;
pub use decode::{block, inspection, multiline_decode, multiline_decode_sampled};
pub use encode::{multiline_roundtrip, multiline_roundtrip_sampled};
pub use line::{line, line_sampled};

use crate::{
    differences::{self, Difference},
    view::{Decode, Encode, SplitLines},
};

/// Checks a decoder on all [short and many other inputs](differences).
///
/// # Panics
///
/// If there are [differences](differences::decode()). The message has all of them.
pub fn decode(decoder: &dyn Decode) {
    none(decoder.name(), &differences::decode(decoder));
}

/// Checks an encoder on all [short and many other messages](differences).
///
/// # Panics
///
/// If there are [differences](differences::encode()). The message has all of them.
pub fn encode(encoder: &dyn Encode) {
    none(encoder.name(), &differences::encode(encoder));
}

/// Checks a line splitter on all [short and many other streams](differences).
///
/// # Panics
///
/// If there are [differences](differences::split_lines). The message has all of them.
pub fn split_lines(splitter: &dyn SplitLines) {
    none(splitter.name(), &differences::split_lines(splitter));
}

fn none(name: &str, differences: &[Difference]) {
    let texts: Vec<String> = differences.iter().map(Difference::to_string).collect();
    assert!(texts.is_empty(), "{name}\n- {}", texts.join("\n- "));
}

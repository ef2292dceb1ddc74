//! Properties, as plain functions that panic if the property does not hold. Fuzz
//! targets, property tests and corpus tests call the same functions, on
//! dot-stuffing or on a known bug.

mod decode;
mod encode;
mod line;

pub use decode::{block, inspection, multiline_decode, multiline_decode_sampled};
pub use encode::{multiline_roundtrip, multiline_roundtrip_sampled};
pub use line::{line, line_sampled};

//! Inputs that reach the edges, for fuzzers and property tests alike.

mod octets;
mod syntax;

pub use octets::{EDGES, Octets, fuzz_input, octets, shown};
pub use syntax::{command_lines, reply_lines, responses};

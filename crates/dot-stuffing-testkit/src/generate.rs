//! Generators of input that reaches edge cases, for fuzz targets and property
//! tests.

mod octets;

pub use octets::{EDGES, Octets, cases, fuzz_cases, shown};
#[cfg(feature = "proptest")]
pub use octets::{fuzz_input, octets};

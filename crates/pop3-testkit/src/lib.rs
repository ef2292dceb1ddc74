//! Code that the tests of pop3-rs share: reference models, generators, plans for
//! cutting input, checks, and the known bugs that show that the checks work. It is
//! used by fuzz targets, property tests, exhaustive tests, corpus tests and
//! benchmarks.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
pub mod corpus;
pub mod explore;
pub mod generate;
pub mod joined;
pub mod known_bugs;
/// The notation of traces, which is that of the scenarios of `pop3 audit`.
#[path = "../../pop3-conformance/src/audit/octets.rs"]
pub mod octets;
pub mod oracle;
pub mod store;
pub mod trace;
pub mod view;
pub mod wire;

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

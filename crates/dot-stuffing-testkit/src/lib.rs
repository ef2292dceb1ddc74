//! Tests for codecs of byte-stuffed multi-line blocks.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
pub mod chunk;
pub mod corpus;
pub mod differences;
pub mod generate;
pub mod known_bugs;
pub mod oracle;
pub mod view;

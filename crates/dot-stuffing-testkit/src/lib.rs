//! Tests for any codec of the byte-stuffed multi-line blocks of POP3 (RFC 1939 §3),
//! SMTP (RFC 5321 §4.5.2) and NNTP (RFC 3977 §3.1.1), and for splitters of lines that
//! end with CRLF.
//!
//! To test a decoder, implement [`view::Decode`] for it and call [`check::decode`]. It
//! tries all short strings of the octets that matter, cut in every way, and [many
//! other inputs](differences), compares each result with a [model](oracle), and panics
//! with a list of the kinds of differences, each with the shortest input that was
//! found:
//!
//! ```
//! use dot_stuffing_testkit::{
//!     differences,
//!     oracle::{Outcome, Rules, Transcript},
//!     view::Decode,
//! };
//!
//! /// A decoder that gets the block whole, looks for the terminator and forgets to
//! /// remove dots.
//! struct Naive;
//!
//! impl Decode for Naive {
//!     fn name(&self) -> &'static str {
//!         "naive"
//!     }
//!
//!     /// It has no settings.
//!     fn follows(&self, rules: &Rules) -> bool {
//!         *rules == Rules::RFC1939
//!     }
//!
//!     fn decode(&self, _: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
//!         let wire = chunks.concat();
//!         let end = wire.windows(5).position(|octets| octets == b"\r\n.\r\n");
//!         transcript.data = wire[..end.map_or(wire.len(), |end| end + 2)].to_vec();
//!         transcript.outcome = match end {
//!             Some(end) => Outcome::Ended { consumed: end + 5, stuffed: 0 },
//!             None => Outcome::Truncated(wire.len()),
//!         };
//!     }
//! }
//!
//! let found = differences::decode(&Naive);
//! // The dot of a stuffed line, and the end of an empty block.
//! assert_eq!(found[0].what, "returns other octets than those of the message");
//! assert_eq!(found[1].what, "does not recognize the terminator");
//! assert_eq!(found[1].input, b".\r\n");
//! ```
//!
//! | to test | implement | call |
//! |---|---|---|
//! | a decoder of blocks | [`view::Decode`] | [`check::decode()`], or [`differences::decode()`] for a list |
//! | an encoder of messages | [`view::Encode`] | [`check::encode()`], or [`differences::encode()`] |
//! | a line splitter | [`view::SplitLines`] | [`check::split_lines`], or [`differences::split_lines`] |
//!
//! `examples/other_decoders.rs` does this for smtp-proto and for tokio-util's
//! `LinesCodec`.
//!
//! The models read a whole input at once, look back from each octet, and share no code
//! with any decoder. [`oracle::Rules`] has the policies in which decoders differ: what
//! they do with bare CR and LF, with dots that were not stuffed, and limits. A decoder
//! is checked only by the rules that it [follows](view::Decode::follows), and it must
//! follow one of [`Rules::policies`](oracle::Rules::policies). These have no limits: limits
//! are for tests of your own with [`oracle::decode`].
//!
//! [`known_bugs`] rebuilds bugs of other mail software, to show that the checks find
//! them. The other parts are for tests of your own: [`generate`] makes octets
//! that reach edge cases, also from fuzz input, [`chunk`] cuts them, and [`corpus`]
//! reads inputs from files.
//!
//! # Features
//!
//! - `proptest`: strategies that generate the same octets, for tests with proptest.

#![cfg_attr(docsrs, feature(doc_cfg))]
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

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

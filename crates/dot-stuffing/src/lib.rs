//! A zero-copy streaming codec for byte-stuffed multi-line blocks (also called
//! dot-stuffing): the framing of messages in POP3 (RFC 1939 §3), SMTP (RFC 5321
//! §4.5.2) and NNTP (RFC 3977 §3.1.1).
//!
//! A block is a sequence of lines that end with CRLF, closed by a line that is a
//! single dot. A line of the message that begins with a dot is sent with another
//! dot before it. This crate finds the end, removes and adds the dots, and handles
//! the edge cases: a dot as the first octet, a terminator cut anywhere by reads, a
//! CR that turns out to be data, and an input that ends too early.
//!
//! ```
//! use dot_stuffing::{BareNewline, MultilineDecoder, MultilineEncoder};
//!
//! let mut wire = Vec::new();
//! let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
//! for octets in encoder.encode(b"Hi,\n.hidden files begin with a dot\n") {
//!     wire.extend_from_slice(octets?);
//! }
//! wire.extend_from_slice(encoder.finish()?);
//!
//! let mut message = Vec::new();
//! let mut decoder = MultilineDecoder::new();
//! wire.extend_from_slice(b"QUIT\r\n");
//! let mut input = &wire[..];
//! for octets in decoder.feed(&mut input) {
//!     message.extend_from_slice(octets?);
//! }
//! let complete = decoder.finish()?; // the proof that nothing is missing
//! assert_eq!(message, b"Hi,\r\n.hidden files begin with a dot\r\n");
//! assert_eq!(input, b"QUIT\r\n"); // what follows the block
//! assert_eq!(complete.octets, message.len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which part to use
//!
//! | you have | use |
//! |---|---|
//! | octets from anywhere, and want slices of them | [`MultilineDecoder::feed`], [`decode`](MultilineDecoder::decode) |
//! | the same, as offsets | [`MultilineDecoder::decode_span`] |
//! | a whole block in a buffer | [`decode_in_place`] |
//! | a server for SMTP, or a client or server for NNTP | [`Config::smtp`], [`Config::nntp`]: they refuse bare CR and LF |
//! | a message to refuse, and a connection to keep | [`MultilineDecoder::skip_to_end`] |
//! | a `BufRead` | `MultilineReader` (feature `std`, on by default) |
//! | a `tokio::io::AsyncBufRead` | `tokio::MultilineReader` (feature `tokio`) |
//! | a `futures_io::AsyncBufRead` | `futures::MultilineReader` (feature `futures-io`) |
//! | a `BytesMut` | `MultilineDecoder::decode_bytes` (feature `bytes`) |
//! | any `Buf` and `BufMut` | `decode_buf` and `encode_buf` (feature `bytes`) |
//! | `tokio_util::codec::Framed` | `MultilineCodec` (feature `tokio-util`) |
//! | a message to send | [`MultilineEncoder`], or `MultilineWriter` (feature `std`) |
//! | a message for a `tokio::io::AsyncWrite` | `tokio::MultilineWriter` (feature `tokio`) |
//! | a message for a `futures_io::AsyncWrite` | `futures::MultilineWriter` (feature `futures-io`) |
//! | commands or status lines | [`LineDecoder`], or `LineCodec` (feature `tokio-util`) |
//! | doubts about a sender | [`Inspector`] |
//!
//! # Promises
//!
//! - No panic, no loop without progress, no `unsafe`. [`MultilineDecoder`],
//!   [`MultilineEncoder`], [`LineDecoder`] and [`Inspector`] never allocate, and
//!   without features the crate needs `core` alone.
//! - How the input is cut changes nothing: the octets, the end and the error are
//!   the same for one input and octet by octet.
//! - The end of input is never a success: [`MultilineDecoder::finish`] returns a
//!   [`Complete`] only after the terminator, and never after an error.
//! - If you drop an iterator early, nothing is lost silently:
//!   [`feed`](MultilineDecoder::feed) leaves in its input what it has not decoded, and
//!   an encoder fails instead of ending a shorter message.
//!
//! # Features
//!
//! They only add API. Leniency and strictness are values of [`Config`].
//!
//! - `std`, on by default: the reader and the writer for blocking streams, and a faster
//!   search on processors with wide vectors.
//! - `bytes`: frames from `BytesMut`, and any `Buf` and `BufMut`. Needs `alloc`.
//! - `tokio`: the reader and the writer for tokio's traits; turns on `std`.
//! - `futures-io`: the same for the traits of futures-io; turns on `std`.
//! - `tokio-util`: codecs for `Framed`; turns on `std` and `bytes`.
//!
//! # Differences from RFC 1939
//!
//! By default there are no differences in what is accepted as a block. This is how
//! the crate handles choices that the RFC leaves, and cases that it does not cover:
//!
//! 1. Octets are octets. Bare CR, bare LF, NUL and 8-bit octets pass unchanged, and
//!    lines may have any length. The RFC speaks of lines of printable text.
//! 2. A line `.x`, whose dot was not doubled, loses that dot, exactly as §3 says
//!    and MS-STANOPOP3 V0002 repeats. Many readers keep it.
//!    [`Config::unstuffed_dot`] can reject it.
//! 3. CRLF-dot-CR-CRLF does not end a block: the dot is removed, and CR CR LF is
//!    data.
//! 4. [`Config::dot_line_ends`] ends a block at any line that begins with a dot, as
//!    Outlook reads LIST, UIDL and CAPA.
//! 5. [`LineEndings::dangerous_lf_terminates`] lets a bare LF end a line. It is off
//!    by default, because it lets the author of a mail forge its end.
//! 6. The encoder sends bare CR and LF, which SMTP forbids, under
//!    [`BareNewline::Verbatim`], but never under [`BareNewline::Canonicalize`].
//! 7. A message that does not end with CRLF gets one, because a block always ends
//!    with CRLF. An empty message is `.` CRLF.
//!
//! # States
//!
//! This is what the decoder does at each octet, by default. "drop" means that
//! the octet is consumed but not returned; "hold" means that the next octet
//! decides whether it is returned.
//!
//! | state | `.` | CR | LF | other |
//! |---|---|---|---|---|
//! | line start (first) | drop → dot | → text, CR | → text | → text |
//! | text | → text | → text, CR | → text | → text |
//! | text, CR | → text | → text, CR | → line start | → text |
//! | dot | → text | hold → dot, CR | → text | → text |
//! | dot, CR | → text | → text, CR | drop both → **end** | → text |
//!
//! ```text
//!              .               CR                LF
//! line start ─────▶ dot ───────────▶ dot, CR ───────────▶ end
//!   ▲  │ other       │ other            │ other: the held CR is data
//!   │  ▼             ▼                  ▼
//!   │  text ◀──────────────────────── text, CR
//!   │    └───────────── CR ───────────────▶│
//!   └────────────────── LF ────────────────┘
//! ```

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "bytes")]
mod buf;
mod config;
mod decoder;
mod encoder;
mod error;
#[cfg(feature = "futures-io")]
pub mod futures;
mod in_place;
mod inspector;
#[cfg(feature = "std")]
mod io;
mod line;
#[cfg(feature = "tokio-util")]
mod line_codec;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod poll;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod poll_writer;
mod quiet;
#[cfg(feature = "std")]
mod reading;
mod scan;
mod span;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tokio-util")]
mod tokio_codec;
#[cfg(feature = "std")]
mod writing;

#[cfg(feature = "bytes")]
pub use buf::{Frame, StuffedBuf};
pub use config::{Config, LineEndings, Policy};
pub use decoder::{Feed, MultilineDecoder};
pub use encoder::{BareNewline, MultilineEncoder, Stuffed};
pub use error::{DecodeError, EncodeError, EncodeErrorKind, ErrorKind};
pub use in_place::decode_in_place;
pub use inspector::{Anomaly, AnomalyKind, Inspector, LineExtent};
#[cfg(feature = "std")]
pub use io::{FinishError, MultilineReader, MultilineWriter};
pub use line::LineDecoder;
#[cfg(feature = "tokio-util")]
pub use line_codec::LineCodec;
pub use span::{Chunk, Complete, Decoded, Span};
#[cfg(feature = "tokio-util")]
pub use tokio_codec::MultilineCodec;

/// Runs the example of the README.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;

//! A zero-copy streaming codec for byte-stuffed multi-line blocks (also called
//! dot-stuffing): the framing that carries every mail over POP3 (RFC 1939 §3),
//! SMTP (RFC 5321 §4.5.2) and NNTP (RFC 3977 §3.1.1).
//!
//! A block is lines that end with CRLF, closed by a line that is a dot alone.
//! A line of the message that begins with a dot travels with one more. This
//! crate finds the end, removes and adds the dots, and gets the edges right: a
//! dot that is the first octet, a terminator cut anywhere by reads, a CR that
//! turns out to be data, an input that stops too soon.
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
//! for read in wire.chunks(5) {
//!     for octets in decoder.feed(read) {
//!         message.extend_from_slice(octets?);
//!     }
//! }
//! let complete = decoder.finish()?; // the proof that nothing is missing
//! assert_eq!(message, b"Hi,\r\n.hidden files begin with a dot\r\n");
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
//! | a `BufRead` | `MultilineReader` (feature `std`, on by default) |
//! | a `BytesMut` | `MultilineDecoder::decode_bytes` (feature `bytes`) |
//! | `tokio_util::codec::Framed` | `MultilineCodec` (feature `tokio-util`) |
//! | a message to send | [`MultilineEncoder`], or `MultilineWriter` (feature `std`) |
//! | commands or status lines | [`LineDecoder`] |
//! | doubts about a sender | [`Inspector`] |
//!
//! # Promises
//!
//! - No panic, no loop without progress, no allocation, no `unsafe`. The core
//!   is `no_std` and needs no allocator.
//! - How the input is cut changes nothing: the same octets, end and error come
//!   out whole or octet by octet.
//! - The end of input is never success: only [`MultilineDecoder::finish`] after
//!   the terminator gives a [`Complete`].
//! - Features add API; none changes behaviour. Leniency and strictness are
//!   values of [`Config`].
//!
//! # Differences from RFC 1939
//!
//! By default there are none in what is accepted as a block. Where the RFC
//! leaves a choice, or senders do what it does not foresee:
//!
//! 1. Octets are octets. Bare CR, bare LF, NUL and 8-bit pass untouched; lines
//!    may have any length. The RFC speaks of lines of printable text.
//! 2. A line `.x`, whose dot was not doubled, loses that dot, as §3 says to the
//!    letter and MS-STANOPOP3 V0002 repeats. Many readers keep it.
//!    [`Config::unstuffed_dot`] can refuse it.
//! 3. CRLF-dot-CR-CRLF ends nothing: the dot is removed and CR CR LF is data.
//! 4. [`Config::dot_line_ends`] ends a block at any line that begins with a dot,
//!    as Outlook reads LIST, UIDL and CAPA.
//! 5. [`LineEndings::dangerous_lf_terminates`] lets an LF end a line. It is off
//!    because it lets the author of a mail forge the end of it.
//! 6. The encoder, under [`BareNewline::Verbatim`], sends bare CR and LF, which
//!    SMTP forbids; under [`BareNewline::Canonicalize`] it never does.
//! 7. A message that does not end with CRLF gets one, since a block cannot say
//!    otherwise. An empty message is `.` CRLF.
//!
//! # States
//!
//! What the decoder does at each octet, by default. "drop" means that the octet
//! is consumed and not handed out, "hold" that the next octet decides.
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
mod inspector;
#[cfg(feature = "std")]
mod io;
mod line;
mod scan;
mod span;
#[cfg(feature = "tokio-util")]
mod tokio_codec;

#[cfg(feature = "bytes")]
pub use buf::Frame;
pub use config::{Config, LineEndings, Policy};
pub use decoder::{Feed, MultilineDecoder};
pub use encoder::{BareNewline, MultilineEncoder, Stuffed};
pub use error::{DecodeError, EncodeError, EncodeErrorKind, ErrorKind};
pub use inspector::{Anomaly, AnomalyKind, Inspector, LineExtent};
#[cfg(feature = "std")]
pub use io::{MultilineReader, MultilineWriter};
pub use line::LineDecoder;
pub use span::{Chunk, Complete, Decoded, Span};
#[cfg(feature = "tokio-util")]
pub use tokio_codec::MultilineCodec;

//! The POP3 protocol without I/O: no socket, no clock, no runtime.
//!
//! - The syntax of both sides: [`Command`]s, built from types that cannot contain
//!   what must not be sent, and parsed with the same grammar; the first lines of
//!   replies; listings; capabilities; and [`ResponseDecoder`], which splits a
//!   stream into the replies that a client expects.
//! - [`client::Session`] and [`server::Session`], which decide what to send and
//!   interpret what was received. Time is a parameter.
//! - [`Profile`]s: the behaviour of RFC 1939 and of each release of Outlook, as
//!   data.
//!
//! It follows RFC 1939, 2449, 2595, 3206, 5034 and 6856, and MS-STANOPOP3 for the
//! differences of Outlook.
//!
//! ```
//! use pop3_proto::{Command, FieldRule, MessageNumber, ScanListing};
//!
//! let mut line = Vec::new();
//! Command::List(Some(MessageNumber::FIRST)).encode(&mut line)?;
//! assert_eq!(line, b"LIST 1\r\n");
//!
//! let listing = ScanListing::parse(b"1 120", FieldRule::RFC1939)?;
//! assert_eq!(listing.octets, 120);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod argument;
mod capability;
pub mod client;
mod command;
mod counted;
mod escaped;
mod first_line;
mod listing;
mod listing_line;
mod profile;
mod response;
pub mod server;
mod status;

pub use argument::{
    Argument, ArgumentError, ArgumentErrorKind, LanguageRange, Mechanism, MessageNumber, Secret,
    UniqueId,
};
pub use capability::{Capability, CapabilityError, Expiry};
pub use command::{Command, CommandError, CommandErrorKind};
pub use counted::Counted;
pub use escaped::Escaped;
pub use listing::{
    DropListing, FieldRule, ListingError, ListingErrorKind, ScanListing, UniqueIdListing,
};
pub use profile::{AfterSync, EqualUniqueIds, NeverSends, Profile};
pub use response::{MAX_SASL_LINE, ReplyError, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder};
pub use status::{Indicator, IndicatorRule, ResponseCode, StatusError, StatusLine, apop_timestamp};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

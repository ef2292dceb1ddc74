//! The POP3 protocol without I/O: no socket, no clock, no runtime.
//!
//! Today the syntax of both sides: [`Command`]s, built from types that cannot
//! hold what must not be sent and parsed by the same grammar; the first line of
//! replies; listings; capabilities; and [`ResponseDecoder`], which splits a
//! stream into the replies that a client expects. RFC 1939, 2449, 2595, 3206,
//! 5034, 6856; MS-STANOPOP3 for what Outlook reads differently.
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
mod command;
mod listing;
mod response;
mod status;

pub use argument::{
    Argument, ArgumentError, ArgumentErrorKind, LanguageRange, Mechanism, MessageNumber, Secret,
    UniqueId,
};
pub use capability::{Capability, CapabilityError, Expiry};
pub use command::{Command, CommandError, CommandErrorKind};
pub use listing::{
    DropListing, FieldRule, ListingError, ListingErrorKind, ScanListing, UniqueIdListing,
};
pub use response::{ReplyError, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder};
pub use status::{Indicator, IndicatorRule, ResponseCode, StatusError, StatusLine, apop_timestamp};

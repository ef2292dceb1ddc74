//! The drivers of [`pop3_proto`]'s sessions: they own the socket, TLS and the
//! clock, and hold no rule of the protocol.
//!
//! # Features
//!
//! All are on by default.
//!
//! - `client`: the [client].
//! - `server`: the [server].
//! - `maildir`: maildrops of the server in Maildirs, on Unix.
//! - `aws-lc-rs`: the cryptography of TLS where the caller names no other, in
//!   [`TlsSettings::provider`](client::TlsSettings::provider) or in the
//!   [`ServerConfig`](rustls::ServerConfig) of a server.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "client")]
pub mod client;
#[cfg(any(feature = "client", feature = "server"))]
mod hashing;
#[cfg(any(feature = "client", feature = "server"))]
mod sasl;
#[cfg(feature = "server")]
pub mod server;
#[cfg(any(feature = "client", feature = "server"))]
pub mod tls;
#[cfg(any(feature = "client", feature = "server"))]
mod tls_words;

pub use dot_stuffing::{self, Complete};
pub use pop3_proto::{
    self, Capability, DropListing, Expiry, LanguageRange, MessageNumber, Profile, ScanListing,
    UniqueId, UniqueIdListing,
};
pub use tokio_rustls::rustls;

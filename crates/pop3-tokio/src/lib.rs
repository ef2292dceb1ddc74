//! A POP3 client and server on tokio: drivers for the sessions of [`pop3_proto`].
//!
//! The drivers own the socket, TLS and the clock; all rules of the protocol are in
//! [`pop3_proto`].
//!
//! # Features
//!
//! All are on by default.
//!
//! - `client`: the [client].
//! - `server`: the [server].
//! - `maildir`: Maildirs as maildrops of the server, on Unix.
//! - `aws-lc-rs`: the cryptography of TLS if the caller names no other, in
//!   [`TlsSettings::provider`](client::TlsSettings::provider) or in the
//!   [`ServerConfig`](rustls::ServerConfig) of a server.

#![cfg_attr(docsrs, feature(doc_cfg))]
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

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

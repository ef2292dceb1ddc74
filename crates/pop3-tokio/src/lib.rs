//! A POP3 client and server on tokio: drivers for the sessions of [`pop3_proto`].
//!
//! The drivers own the socket, TLS and the clock; all rules of the protocol are in
//! [`pop3_proto`].

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod client;
mod hashing;
mod sasl;
pub mod server;
pub mod tls;
mod tls_words;

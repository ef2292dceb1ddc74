//! The drivers of [`pop3_proto`]'s sessions: they own the socket, TLS and the
//! clock, and hold no rule of the protocol.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod client;
mod hashing;
mod sasl;
pub mod server;
pub mod tls;
mod tls_words;

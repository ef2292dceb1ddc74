//! Servers and clients from Debian against ours.

#![cfg(unix)]

mod audit;
mod checks;
mod clients;
mod imports;
mod lmtp;
mod served;
mod servers;

/// How long a child may run: much longer than a working one takes.
pub(crate) const CHILD_LIMIT: std::time::Duration = std::time::Duration::from_secs(900);

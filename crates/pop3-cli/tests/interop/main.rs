//! Real servers and clients from Debian against ours.

#![cfg(unix)]

mod checks;
mod clients;
mod served;
mod servers;

//! Real servers and clients from Debian against ours.

#![cfg(unix)]

mod audit;
mod checks;
mod clients;
mod served;
mod servers;

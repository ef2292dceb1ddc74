//! Simulates whole fetches from faulty servers, in one process.
//!
//! The real plan, session, journal and delivery run against a server that is made
//! from a [`Scenario`]: a maildrop, a way to count sizes, and faults. The network,
//! the journal's database and the disk are in memory. The clock moves only for a
//! timeout, and the disk forgets what was not synced. A scenario is run until it
//! settles. After each run, an oracle checks five rules:
//!
//! 1. Each message that the server ever held is still there, or is stored exactly
//!    once, with exactly its octets.
//! 2. Nothing else is stored.
//! 3. A run succeeds only if it has fetched every message that it should fetch.
//! 4. Every message that the faults leave whole is fetched in the end.
//! 5. If a rule sorts messages into two Maildirs, each is in the one that its header
//!    chooses.

#![cfg(unix)]

mod disk;
pub mod known_bugs;
mod mail;
mod scenario;
mod server;
mod world;

pub use disk::Forgets;
pub use scenario::{Counting, Fault, Medium, Mishap, MishapKind, Rules, Scenario};
pub use world::{Client, Sound, check};

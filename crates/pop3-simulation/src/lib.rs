//! Whole fetches from servers that err, in one process.
//!
//! The real plan, session, journal and delivery run against a server that is made
//! from a [`Scenario`]: a maildrop, a way to count sizes, and faults. The network
//! is in memory, the clock stands still but for a timeout, the journal is a
//! database in memory, and so is the disk, which forgets what was not synced. A
//! scenario is run until it settles, and an oracle looks after each run:
//!
//! 1. Each message that the server ever held is still there, or stored exactly
//!    once, with exactly its octets.
//! 2. Nothing else is stored.
//! 3. A run is a success only if all that was to be fetched is.
//! 4. What the faults leave whole is fetched in the end.

#![cfg(unix)]

mod disk;
pub mod known_bugs;
mod mail;
mod scenario;
mod server;
mod world;

pub use disk::Forgets;
pub use scenario::{Counting, Fault, Medium, Mishap, MishapKind, Scenario};
pub use world::{Client, Sound, check};

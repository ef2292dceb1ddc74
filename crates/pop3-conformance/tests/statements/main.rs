//! `pop3-proto` held to MS-STANOPOP3: a test, or more, for each statement,
//! named after it. A statement that binds the peer is tested as what we do when
//! the peer complies, and what we do when it does not.
//!
//! `coverage.rs` has the statements that no test names so far.

mod authorization;
mod basic_operation;
mod connection;
mod coverage;
mod reading;
#[path = "../../examples/conformance/report.rs"]
mod report;
mod server;
mod sessions;
mod table;
mod top;
mod transaction;
mod uidl;
mod unique_ids;
mod user;
mod writing;

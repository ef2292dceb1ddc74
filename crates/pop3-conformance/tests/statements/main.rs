//! The statements of MS-STANOPOP3 on both sides that they bind: checks that
//! `pop3-proto` must pass, and faults that show that the checks can fail.
//!
//! A check runs as a test on our own session and on each fault. A fault is our
//! session with one statement broken: it fails the checks of that statement and
//! passes all others.

#[macro_use]
mod checking;

#[path = "../check/faults/mod.rs"]
#[allow(dead_code, reason = "`check` has more use for it")]
mod check_faults;
mod client;
mod coverage;
mod faults;
#[path = "../../../pop3-cli/tests/statements/fetch.rs"]
#[allow(dead_code, reason = "listed here, run there")]
mod fetch;
#[path = "../check/mock.rs"]
#[allow(dead_code, reason = "`check` has more use for it")]
mod mock;
mod other_side;
mod oxpop3;
mod page;
mod server;
mod table;

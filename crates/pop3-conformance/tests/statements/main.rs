//! The statements of MS-STANOPOP3 on both sides that they bind: checks that hold
//! `pop3-proto` to each, and faults that show that the checks bite.
//!
//! A check runs as a test on our own session, and on each fault: a session of
//! ours that breaks one statement fails the checks of that statement and passes
//! all others.

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

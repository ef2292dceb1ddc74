//! The statements of MS-STANOPOP3 on the command: those that bind servers on
//! `pop3 serve` over TCP, by the checks that hold `pop3-proto` to them, and those
//! on whole synchronizations on `pop3 fetch`. Most faults are shown in memory, and
//! those here that need a connection.

#![cfg(unix)]

#[macro_use]
#[path = "../../../pop3-conformance/tests/statements/checking.rs"]
#[allow(dead_code, reason = "CONFORMANCE.md is made elsewhere")]
mod checking;

/// How long a child may run: much longer than any that works.
pub(crate) const CHILD_LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

mod faults;
mod fetch;
mod fetched;
#[path = "../../../pop3-conformance/tests/statements/server/mod.rs"]
#[allow(
    dead_code,
    reason = "CONFORMANCE.md lists the checks, and is made elsewhere"
)]
mod server;
mod wire;

//! The statements of MS-STANOPOP3 on the command. Those that bind servers are
//! checked on `pop3 serve` over TCP, by the checks that `pop3-proto` must pass,
//! and those on whole synchronizations on `pop3 fetch`. Most faults are shown
//! in memory; those here need a connection.

#![cfg(unix)]

#[macro_use]
#[path = "../../../pop3-conformance/tests/statements/checking.rs"]
#[allow(dead_code, reason = "CONFORMANCE.md is made elsewhere")]
mod checking;

/// How long a child may run: much longer than a working one takes.
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

//! Peers for tests and benchmarks: real mail servers from Debian, which run on
//! loopback, `pop3 serve` as a process, and a mock client with chosen flaws, which
//! `pop3 audit` must catch.
//!
//! `cargo xtask peers` installs the programs; CI does that first. If a program
//! is absent, its tests print one line and are skipped. If the variable `CI` is
//! set, they fail instead.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(unix)]
mod limit;
#[cfg(unix)]
mod listening;
mod messages;
pub mod mock;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod servers;

#[cfg(unix)]
pub use limit::limit_children;
#[cfg(unix)]
pub use listening::{Listening, make_maildir};
pub use messages::{messages, with_crlf};
#[cfg(unix)]
pub use program::find;
#[cfg(unix)]
pub use servers::{
    COURIER, CYRUS, DAEMONS, DOVECOT, Daemon, Identity, LIBRARIES, LMTPD, Lmtp, MAILUTILS, MPOPD,
    NOBODY, Obstacle, PASSWORD, POPA3D, RECIPIENTS, SOLID, Server, TWISTED, UNPACKED, USER,
    WILDDUCK, give_away,
};

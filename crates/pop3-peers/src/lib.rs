//! Peers for tests and benchmarks: real mail servers from Debian, which run on
//! loopback, and a mock client with chosen flaws, which `pop3 audit` must catch.
//!
//! `cargo xtask peers` installs the programs; CI does that first. If a program
//! is absent, its tests print one line and are skipped. If the variable `CI` is
//! set, they fail instead.

#![cfg(unix)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::{env, path::PathBuf};

mod limit;
mod messages;
pub mod mock;
mod servers;

pub use limit::limit_children;
pub use messages::{messages, with_crlf};
pub use servers::{
    COURIER, CYRUS, DAEMONS, DOVECOT, Daemon, Identity, LIBRARIES, LMTPD, Lmtp, MAILUTILS, MPOPD,
    NOBODY, Obstacle, PASSWORD, POPA3D, RECIPIENTS, SOLID, Server, TWISTED, UNPACKED, USER,
    WILDDUCK, give_away,
};

/// Returns the path of a program. If it is absent, prints which package has it.
///
/// # Panics
///
/// If it is absent and the variable `CI` is set.
#[must_use]
pub fn find(program: &str, package: &str) -> Option<PathBuf> {
    let found = on_path(program);
    if found.is_none() {
        skip(&Obstacle::NotInstalled { program, package }.to_string());
    }
    found
}

/// Prints why something is skipped.
///
/// # Panics
///
/// If the variable `CI` is set.
fn skip(why: &str) {
    assert!(
        env::var_os("CI").is_none(),
        "{why}: run `cargo xtask peers`"
    );
    eprintln!("skipped: {why}");
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are often only on root's PATH.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

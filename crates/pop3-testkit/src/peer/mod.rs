//! Real mail software from Debian, run on loopback for the tests and
//! benchmarks that compare ours with it.
//!
//! `cargo xtask peers` installs it, and CI does so first. Where a program is
//! absent its tests say so in a line and are skipped; where `CI` is set they
//! fail.

use std::{env, path::PathBuf};

mod messages;
mod server;

pub use messages::{messages, with_crlf};
pub use server::{Identity, NOBODY, PASSWORD, Server, USER, dovecot, give_away, mpopd};

/// The path of a program; else says which package has it.
///
/// # Panics
///
/// If it is absent and the variable `CI` is set.
#[must_use]
pub fn find(program: &str, package: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are where only root's PATH leads.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            env::var_os("CI").is_none(),
            "{program} is not installed: run `cargo xtask peers`"
        );
        eprintln!("skipped: {program} is not installed (Debian package {package})");
    }
    found
}

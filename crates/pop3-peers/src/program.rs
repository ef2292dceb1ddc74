//! Finds the programs of the peers.

use std::{env, path::PathBuf};

use crate::servers::Obstacle;

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
pub(crate) fn skip(why: &str) {
    assert!(
        env::var_os("CI").is_none(),
        "{why}: run `cargo xtask peers`"
    );
    eprintln!("skipped: {why}");
}

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are often only on root's PATH.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

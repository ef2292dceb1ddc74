//! The files under `corpus/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Returns the corpus directory of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// Returns every input for a fuzz target, with its file name: the seeds, and the
/// inputs that once showed a bug.
///
/// # Panics
///
/// If a directory or file cannot be read.
#[must_use]
pub fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let directories = [root().join(target), root().join("regressions").join(target)];
    let mut inputs = Vec::new();
    for directory in directories.iter().filter(|directory| directory.exists()) {
        for entry in fs::read_dir(directory).expect("a corpus directory can be listed") {
            let path = entry.expect("a corpus directory can be listed").path();
            let octets = fs::read(&path).expect("a corpus file can be read");
            inputs.push((path.display().to_string(), octets));
        }
    }
    inputs.sort();
    inputs
}

//! Inputs kept in files.

use std::{fs, path::Path};

/// Returns every input for a fuzz target, with its file name: the seeds in the
/// directory `target`, and the inputs that once showed a bug in
/// `regressions/target`.
///
/// # Panics
///
/// If a directory or file cannot be read.
#[must_use]
pub fn inputs(corpus: &Path, target: &str) -> Vec<(String, Vec<u8>)> {
    let directories = [corpus.join(target), corpus.join("regressions").join(target)];
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

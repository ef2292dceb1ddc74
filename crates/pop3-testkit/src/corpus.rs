//! The files under `corpus/`.

use std::path::{Path, PathBuf};

/// Returns the corpus directory of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// Returns every input for a fuzz target, with its file name: the seeds, and the
/// inputs that once showed a bug.
#[must_use]
pub fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    dot_stuffing_testkit::corpus::inputs(&root(), target)
}

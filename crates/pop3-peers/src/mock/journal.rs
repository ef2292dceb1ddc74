//! What the client remembers between runs: unique-ids in a file.

use std::{fs, io::Write as _, path::PathBuf};

use super::Failure;

/// The unique-ids that earlier runs have added.
pub(super) struct Journal {
    path: PathBuf,
    ids: Vec<String>,
}

impl Journal {
    /// The file, which may not exist yet.
    pub(super) fn open(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let ids = text.lines().map(str::to_owned).collect();
        Self { path, ids }
    }

    /// How often earlier runs have added it. A message without a unique-id is
    /// never known.
    pub(super) fn count(&self, id: Option<&Vec<u8>>) -> usize {
        let Some(id) = id.map(|id| id.escape_ascii().to_string()) else {
            return 0;
        };
        self.ids.iter().filter(|known| **known == id).count()
    }

    /// Adds a unique-id for later runs.
    pub(super) fn add(&self, id: Option<&Vec<u8>>) -> Result<(), Failure> {
        if let Some(id) = id.map(|id| id.escape_ascii().to_string()) {
            let mut options = fs::OpenOptions::new();
            let mut file = options.append(true).create(true).open(&self.path)?;
            writeln!(file, "{id}")?;
        }
        Ok(())
    }
}

//! VERIFICATION.md: each measure writes the part that it has there.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use crate::{
    shell::{command, output, root},
    table::with_part,
};

fn path() -> PathBuf {
    root().join("VERIFICATION.md")
}

/// The page.
pub(crate) fn read() -> anyhow::Result<String> {
    fs::read_to_string(path()).context("VERIFICATION.md cannot be read")
}

/// Replaces a part of the page, and says when it was measured.
pub(crate) fn write(name: &str, part: &str) -> anyhow::Result<()> {
    let page = read()?;
    let date = output(&mut command("date -u +%Y-%m-%d"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = format!("\n{part}\n{}, {cores} cores.\n\n", date.trim());
    fs::write(path(), with_part(&page, name, &part)?)?;
    eprintln!("written: VERIFICATION.md, {name}");
    Ok(())
}

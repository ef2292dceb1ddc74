//! `cargo xtask api`

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::{
    shell::{command, output},
    tool,
};

/// Compare the public API of each crate with its api.txt, which is committed
#[derive(clap::Args)]
pub(crate) struct Api {
    /// Write the files anew
    #[arg(long)]
    update: bool,
}

impl Api {
    pub(crate) const fn compare() -> Self {
        Self { update: false }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::PUBLIC_API.install()?;
        for package in published_libraries()? {
            let listing = listing(&package.name)?;
            let path = package.manifest_path.with_file_name("api.txt");
            if self.update {
                fs::write(&path, &listing)?;
                continue;
            }
            let committed = fs::read_to_string(&path).unwrap_or_default();
            let changes = changes(&committed, &listing);
            ensure!(
                changes.is_empty(),
                "the public API of {} is not what {} says (`cargo xtask api --update`):\n{}",
                package.name,
                path.display(),
                changes.join("\n")
            );
        }
        Ok(())
    }
}

/// The public items of a crate with all its features, one a line.
fn listing(package: &str) -> anyhow::Result<String> {
    let list = format!("cargo public-api -p {package} --all-features -sss");
    // rustdoc writes JSON for nightly only, and this variable lets a stable one.
    output(command(&list).env("RUSTC_BOOTSTRAP", "1"))
}

/// The lines that went, and those that came.
fn changes(committed: &str, listing: &str) -> Vec<String> {
    let without = |one: &str, other: &str, sign: char| -> Vec<String> {
        let lines = one
            .lines()
            .filter(|line| !other.lines().any(|there| there == *line));
        lines.map(|line| format!("{sign} {line}")).collect()
    };
    let mut changes = without(committed, listing, '-');
    changes.extend(without(listing, committed, '+'));
    changes
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    publish: Option<Vec<String>>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

fn published_libraries() -> anyhow::Result<Vec<Package>> {
    let metadata = output(&mut command(
        "cargo metadata --locked --no-deps --format-version 1",
    ))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cargo metadata")?;
    let is_library = |target: &Target| target.kind.iter().any(|kind| kind == "lib");
    let is_wanted =
        |package: &Package| package.publish.is_none() && package.targets.iter().any(is_library);
    let packages: Vec<_> = metadata.packages.into_iter().filter(is_wanted).collect();
    match packages.is_empty() {
        true => bail!("no crate is published"),
        false => Ok(packages),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_went_and_what_came_is_told() {
        let changes = super::changes("pub fn a\npub fn b\n", "pub fn b\npub fn c\n");
        assert_eq!(changes, ["- pub fn a", "+ pub fn c"]);
    }
}

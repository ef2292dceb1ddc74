//! `cargo xtask mutants`

use std::fs;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::{
    shell::{command, root, run},
    table::Table,
    tool, verification,
};

/// Change the source of a crate in each way that cargo-mutants knows, and see
/// that the tests fail; the settings are in .cargo/mutants.toml
#[derive(clap::Args)]
pub(crate) struct Mutants {
    /// The crate
    #[arg(default_value = "dot-stuffing")]
    package: String,
    /// Some of its files only, as a pattern: `**/scan.rs`
    #[arg(long)]
    file: Vec<String>,
    /// Go on where the last run ended
    #[arg(long)]
    iterate: bool,
}

impl Mutants {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::MUTANTS.install()?;
        let folder = root().join("target/mutants");
        fs::create_dir_all(&folder)?;
        let mut mutants = command(&format!("cargo mutants -p {}", self.package));
        mutants
            .arg("--output")
            .arg(&folder)
            // Or each mutant that survives so far would take minutes.
            .env("POP3_EXHAUSTIVE_LENGTH", "5")
            .env("POP3_EXHAUSTIVE_FURTHER", "-1");
        for file in &self.file {
            mutants.arg("--file").arg(file);
        }
        if self.iterate {
            mutants.arg("--iterate");
        }
        let outcome = run(&mut mutants);
        let outcomes = fs::read_to_string(folder.join("mutants.out/outcomes.json"))
            .context("cargo-mutants has left no outcomes")?;
        let outcomes: Outcomes = serde_json::from_str(&outcomes)?;
        let mut table = Table::new(
            &["crate"],
            &["mutants", "caught", "timeout", "unviable", "missed"],
        );
        let mut row = vec![self.package.clone()];
        let Outcomes {
            total_mutants,
            caught,
            timeout,
            unviable,
            missed,
        } = outcomes;
        row.extend([total_mutants, caught, timeout, unviable, missed].map(|n| n.to_string()));
        table.rows.push(row);
        println!("{table}");
        if self.file.is_empty() && !self.iterate {
            verification::write(&format!("mutants {}", self.package), &table.to_string())?;
        }
        ensure!(missed == 0, "{missed} mutant(s) missed");
        outcome
    }
}

/// What cargo-mutants writes.
#[derive(Deserialize)]
struct Outcomes {
    total_mutants: u32,
    caught: u32,
    timeout: u32,
    unviable: u32,
    missed: u32,
}

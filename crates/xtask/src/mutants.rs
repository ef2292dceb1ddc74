//! `cargo xtask mutants`

use std::{fs, io::ErrorKind, path::PathBuf, process::Command};

use anyhow::{Context as _, ensure};

use crate::{
    shell::{command, output, root},
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
    /// Try only those that the last run did not try or catch
    #[arg(long)]
    iterate: bool,
    /// How many at once; each has a copy of the workspace's build, of 2 GB
    #[arg(long, default_value_t = 1)]
    jobs: u32,
}

impl Mutants {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::MUTANTS.install()?;
        let directory = root().join("target/mutants").join(&self.package);
        fs::create_dir_all(&directory)?;
        let mut mutants = self.selection("cargo mutants");
        mutants
            .arg("--jobs")
            .arg(self.jobs.to_string())
            .arg("--output")
            .arg(&directory)
            // Or each mutant that survives so far would take minutes.
            .env("POP3_EXHAUSTIVE_LENGTH", "5")
            .env("POP3_EXHAUSTIVE_FURTHER", "-1")
            // That a property fails is enough.
            .env("PROPTEST_MAX_SHRINK_ITERS", "0");
        let result = Names(directory.join("mutants.out"));
        if self.iterate {
            // What runs out of time is caught, and need not do so again.
            result.count_timeouts_as_caught()?;
            mutants.arg("--iterate");
        }
        // 2 and 3: some were missed, or ran out of time.
        let status = mutants.status().context("cannot start cargo mutants")?;
        ensure!(
            matches!(status.code(), Some(0 | 2 | 3)),
            "cargo mutants did not come to its end: {status}"
        );
        // All were tried, in this run or in those that it goes on from.
        let missed = result.of("missed")?;
        let list = output(&mut self.selection("cargo mutants --list"))?;
        let all = list.lines().count();
        let mut table = Table::new(&["crate"], &["mutants", "caught or not compiled", "missed"]);
        let mut row = vec![self.package.clone()];
        let counts = [all, all - missed.len(), missed.len()];
        row.extend(counts.map(|count| count.to_string()));
        table.rows.push(row);
        println!("{table}");
        if self.file.is_empty() {
            verification::write(&format!("mutants {}", self.package), &table.to_string())?;
        }
        ensure!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
        Ok(())
    }

    /// A command of cargo-mutants, for the mutants that were asked for.
    fn selection(&self, line: &str) -> Command {
        let mut mutants = command(line);
        mutants.args(["-p", &self.package]);
        for file in &self.file {
            mutants.arg("--file").arg(file);
        }
        mutants
    }
}

/// The names of mutants that cargo-mutants writes into its directory, a file for
/// each outcome.
struct Names(PathBuf);

impl Names {
    fn of(&self, outcome: &str) -> anyhow::Result<Vec<String>> {
        let path = self.0.join(outcome).with_extension("txt");
        match fs::read_to_string(&path) {
            Ok(names) => Ok(names.lines().map(str::to_owned).collect()),
            // There was no run before.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    fn count_timeouts_as_caught(&self) -> anyhow::Result<()> {
        let timeouts = self.of("timeout")?;
        if timeouts.is_empty() {
            return Ok(());
        }
        let names = [self.of("caught")?, timeouts].concat().join("\n") + "\n";
        let path = self.0.join("caught.txt");
        fs::write(&path, names).with_context(|| path.display().to_string())
    }
}

//! The project's jobs as commands: `cargo xtask --help`. CI calls only these.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use clap::Parser;

mod bench;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The jobs of pop3-rs")]
enum Job {
    Bench(bench::Bench),
}

fn main() -> anyhow::Result<()> {
    match Job::parse() {
        Job::Bench(job) => job.run(),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a command in the workspace folder, showing what it runs.
fn run(command: &mut Command) -> anyhow::Result<()> {
    command.current_dir(root());
    eprintln!("+ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

//! The fuzz targets: which there are, what they replay, how they are built.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{
    shell::{command, output, root},
    tool,
};

/// The statuses that libFuzzer exits with when an input takes too long or too much memory, or
/// fails.
const VIOLATIONS: [i32; 3] = [70, 71, 77];

/// The names of all targets.
pub(crate) fn targets() -> anyhow::Result<Vec<String>> {
    tool::cargo(tool::FUZZ)?;
    let list = output(&mut command("cargo fuzz list"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// Where the inputs of a target are that once showed a bug.
pub(crate) fn regressions(target: &str) -> PathBuf {
    root().join("corpus/regressions").join(target)
}

/// What else a target looks for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Sanitizer {
    None,
    Address,
}

impl Sanitizer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Address => "address",
        }
    }

    /// One for each, or each build would undo the other.
    pub(crate) fn target_dir(self) -> PathBuf {
        match self {
            Self::None => root().join("fuzz/target"),
            Self::Address => root().join("fuzz/target/address"),
        }
    }

    /// A command of cargo-fuzz. The sanitizer flag of rustc is unstable, and this variable lets a
    /// stable rustc take it.
    pub(crate) fn cargo_fuzz(self, line: &str) -> anyhow::Result<Command> {
        tool::cargo(tool::FUZZ)?;
        let mut command = command(&format!("cargo fuzz {line} --sanitizer {}", self.name()));
        command.arg("--target-dir").arg(self.target_dir());
        if let Self::Address = self {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        Ok(command)
    }

    /// The program of a target that `cargo fuzz build` has made.
    pub(crate) fn program(self, target: &str) -> anyhow::Result<PathBuf> {
        let version = output(&mut command("rustc -vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc -vV names no host")?;
        Ok(self.target_dir().join(host).join("release").join(target))
    }
}

/// Whether an input, or one that a fuzzer finds in its time, violates the check.
pub(crate) fn is_violated(program: &mut Command) -> anyhow::Result<bool> {
    let status = program
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {:?}", program.get_program()))?;
    match status.code() {
        Some(0) => Ok(false),
        Some(code) if VIOLATIONS.contains(&code) => Ok(true),
        _ => bail!("the fuzz target neither held nor was violated: {status}"),
    }
}

/// A flag of libFuzzer whose value is a path.
pub(crate) fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// How many files are in a directory; none if it is absent.
pub(crate) fn count_files(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

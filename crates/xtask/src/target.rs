//! The fuzz targets: their names, the inputs that they replay, and how to build them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{
    shell::{command, output, root},
    tool,
};

/// The exit statuses of libFuzzer when an input takes too much time or memory, or fails.
const VIOLATIONS: [i32; 3] = [70, 71, 77];

/// The names of all targets.
pub(crate) fn targets() -> anyhow::Result<Vec<String>> {
    tool::cargo(tool::FUZZ)?;
    let list = output(&mut command("cargo fuzz list"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// The directory of the inputs of a target that once showed a bug.
pub(crate) fn regressions(target: &str) -> PathBuf {
    root().join("corpus/regressions").join(target)
}

/// What a target is built to find besides violations.
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

    /// The build directory: separate for each, because builds would overwrite each other.
    pub(crate) fn target_dir(self) -> PathBuf {
        match self {
            Self::None => root().join("fuzz/target"),
            Self::Address => root().join("fuzz/target/address"),
        }
    }

    /// A cargo-fuzz command. The sanitizer flag of rustc is unstable, and this variable makes a
    /// stable rustc accept it.
    pub(crate) fn cargo_fuzz(self, line: &str) -> anyhow::Result<Command> {
        tool::cargo(tool::FUZZ)?;
        let mut command = command(&format!("cargo fuzz {line} --sanitizer {}", self.name()));
        command.arg("--target-dir").arg(self.target_dir());
        if let Self::Address = self {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        Ok(command)
    }

    /// The program of a target that `cargo fuzz build` has built.
    pub(crate) fn program(self, target: &str) -> anyhow::Result<PathBuf> {
        let version = output(&mut command("rustc -vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc -vV names no host")?;
        Ok(self.target_dir().join(host).join("release").join(target))
    }
}

/// Whether an input violates the check, or one that a fuzzer finds in its time.
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

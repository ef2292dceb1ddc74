//! The fuzz targets: which there are, what they replay, how they are built.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use crate::{
    shell::{command, host, program, root, run},
    tool,
};

/// The longest fuzz input. Runs of octets are written short (see
/// pop3-testkit's `Octets`), so this is long.
pub(crate) const MAX_LEN: u32 = 256;

/// The statuses that libFuzzer exits with when an input takes too long or too
/// much memory, or fails.
const VIOLATIONS: [i32; 3] = [70, 71, 77];

/// A fuzz target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Sanitizer {
    None,
    Address,
}

/// What a target makes of an input, or of all that it found in its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Violated,
}

impl Target {
    /// All of them, by name: the files in `fuzz/fuzz_targets`.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let name = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        let files = files(&root().join("fuzz/fuzz_targets"))?;
        let mut names: Vec<_> = files.iter().filter_map(name).collect();
        names.sort();
        Ok(names.into_iter().map(|name| Self { name }).collect())
    }

    /// The one with this name, or all.
    pub(crate) fn chosen(name: Option<&str>) -> anyhow::Result<Vec<Self>> {
        let all = Self::all()?;
        let is_chosen = |target: &&Self| name.is_none_or(|name| target.name == name);
        let chosen: Vec<_> = all.iter().filter(is_chosen).cloned().collect();
        let names: Vec<_> = all.iter().map(|target| &target.name[..]).collect();
        ensure!(
            !chosen.is_empty(),
            "there is no target {}: {}",
            name.unwrap_or_default(),
            names.join(", ")
        );
        Ok(chosen)
    }

    /// The directories of inputs that people have chosen: committed, and replayed
    /// by the tests.
    pub(crate) fn seeds(&self) -> Vec<PathBuf> {
        let seeds = root().join("corpus").join(&self.name);
        there(vec![seeds, self.regressions()])
    }

    /// The directories of committed inputs.
    pub(crate) fn corpora(&self) -> Vec<PathBuf> {
        let mut directories = self.seeds();
        directories.extend(there(vec![self.kept()]));
        directories
    }

    /// All committed inputs.
    pub(crate) fn inputs(&self) -> anyhow::Result<Vec<PathBuf>> {
        let directories = self.corpora();
        let inputs = directories.iter().map(|directory| files(directory));
        Ok(inputs.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Where inputs that once showed a bug are kept.
    pub(crate) fn regressions(&self) -> PathBuf {
        root().join("corpus/regressions").join(&self.name)
    }

    /// Where the inputs are committed that campaigns have found to reach more.
    pub(crate) fn kept(&self) -> PathBuf {
        root().join("corpus/found").join(&self.name)
    }

    /// Where those are that a fuzzer has found on this machine.
    pub(crate) fn found(&self) -> PathBuf {
        root().join("fuzz/found").join(&self.name)
    }

    /// The program that [`Sanitizer::build`] has made.
    pub(crate) fn program(&self, sanitizer: Sanitizer) -> anyhow::Result<PathBuf> {
        let directory = sanitizer.target_dir().join(host()?).join("release");
        Ok(directory.join(&self.name))
    }

    /// The program as it fuzzes: directories and further flags are to be added.
    pub(crate) fn fuzzer(&self, mut program: Command) -> Command {
        program
            .arg(flag("-dict=", &root().join("corpus/pop3.dict")))
            .args(match &*self.name {
                // A scenario has six octets of settings, and four for each mishap:
                // libFuzzer would stay below that for minutes.
                "fetch" => vec![String::from("-max_len=24"), String::from("-len_control=0")],
                _ => vec![format!("-max_len={MAX_LEN}")],
            });
        program
    }

    /// What the target makes of inputs, or finds with these flags of libFuzzer.
    pub(crate) fn verdict(&self, program: &mut Command) -> anyhow::Result<Verdict> {
        let status = program
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {}", self.name))?;
        verdict(status).with_context(|| format!("{}: {status}", self.name))
    }

    /// Makes an input that fails small: the smallest that still fails.
    pub(crate) fn minimize(&self, sanitizer: Sanitizer, crash: &Path) -> anyhow::Result<Vec<u8>> {
        eprintln!("{} fails on {}; minimizing it", self.name, crash.display());
        let scratch = tempfile::tempdir()?;
        let mut smallest = fs::read(crash)?;
        let exact = scratch.path().join("smallest");
        let status = program(&self.program(sanitizer)?)
            .args(["-minimize_crash=1", "-runs=20000", "-max_total_time=60"])
            .arg(flag("-exact_artifact_path=", &exact))
            .arg(crash)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        // libFuzzer says neither by its status nor by its file alone that it
        // got anywhere; whether the file fails does.
        if exact.exists() {
            let mut again = program(&self.program(sanitizer)?);
            if self.verdict(again.arg(&exact))? == Verdict::Violated {
                smallest = fs::read(&exact)?;
            }
        }
        eprintln!("= {} octets, {status}", smallest.len());
        Ok(smallest)
    }
}

impl Sanitizer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Address => "address",
        }
    }

    /// A cargo-fuzz command. The sanitizer flag of rustc is unstable, and this
    /// variable lets a stable rustc take it.
    pub(crate) fn cargo_fuzz(self, line: &str) -> Command {
        let mut command = command(&format!("cargo fuzz {line} --sanitizer {}", self.name()));
        command.arg("--target-dir").arg(self.target_dir());
        if let Self::Address = self {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// Builds all targets.
    pub(crate) fn build(self) -> anyhow::Result<()> {
        tool::FUZZ.install()?;
        run(&mut self.cargo_fuzz("build"))
    }

    /// One for each, or each build would undo the other.
    pub(crate) fn target_dir(self) -> PathBuf {
        match self {
            Self::None => root().join("fuzz/target"),
            Self::Address => root().join("fuzz/target/address"),
        }
    }
}

fn verdict(status: ExitStatus) -> anyhow::Result<Verdict> {
    match status.code() {
        Some(0) => Ok(Verdict::Holds),
        Some(code) if VIOLATIONS.contains(&code) => Ok(Verdict::Violated),
        _ => bail!("it neither held nor was violated"),
    }
}

/// A flag of libFuzzer whose value is a path.
pub(crate) fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// Those of the directories that exist.
fn there(mut directories: Vec<PathBuf>) -> Vec<PathBuf> {
    directories.retain(|directory| directory.exists());
    directories
}

/// The files of a directory; none if there is no such directory.
pub(crate) fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths
        .filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir()))
        .collect()
}

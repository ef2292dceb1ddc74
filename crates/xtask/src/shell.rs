//! Running other programs, in the open.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// A command to be run in the workspace directory. Nothing that it starts may
/// fetch a toolchain.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = program(Path::new(words.next().unwrap_or_default()));
    command.args(words);
    command
}

/// The same for a program whose path may have blanks in it.
pub(crate) fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command
        .current_dir(root())
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:9")
        .env("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:9");
    command
}

/// The same on one core, so that a time means something; where the program
/// that pins is missing, the machine decides.
pub(crate) fn pinned(path: &Path) -> Command {
    let pins = command("taskset --version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if pins.is_ok_and(|status| status.success()) {
        let mut command = command("taskset -c 0");
        command.arg(path);
        return command;
    }
    program(path)
}

/// The triple of this machine.
pub(crate) fn host() -> anyhow::Result<String> {
    let version = output(&mut command("rustc -vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

/// Runs a command and says which one.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    eprintln!("+ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and gives what it prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

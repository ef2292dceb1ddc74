//! Runs other programs and prints their command lines.

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

/// A command to run in the workspace directory; blanks separate its words. No program that it
/// starts may fetch a toolchain.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command
        .args(words)
        .current_dir(root())
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:9")
        .env("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:9");
    command
}

/// A bash script that stops at the first command that fails, to run in the same way.
pub(crate) fn bash(script: &str) -> Command {
    let mut command = command("bash -euo pipefail -c");
    command.arg(script);
    command
}

/// The same command pinned to one core, so that times are comparable. Without taskset, the
/// scheduler chooses the core.
pub(crate) fn pinned(line: &str) -> Command {
    let pins = command("taskset -c 0 true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    match pins {
        true => command(&format!("taskset -c 0 {line}")),
        false => command(line),
    }
}

/// Prints a command and runs it.
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

/// Runs a command and returns its output.
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

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

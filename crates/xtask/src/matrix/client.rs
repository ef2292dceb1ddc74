//! Clients, as the recipes start them.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use pop3_conformance::audit::{Recipe, recipes};

use crate::shell::root;

use super::{
    subject::{Kind, Subject},
    timed,
};

/// The recipe of our own.
pub(super) const OURS: &str = "pop3";

/// All of them, ours first.
pub(super) fn names() -> Vec<&'static str> {
    let others = recipes().iter().map(Recipe::name);
    let others = others.filter(|name| *name != OURS);
    [OURS].into_iter().chain(others).collect()
}

/// Audits one.
pub(super) fn audit(name: &str, limit: Duration) -> anyhow::Result<Subject> {
    let recipe = recipes()
        .iter()
        .find(|recipe| recipe.name() == name)
        .with_context(|| format!("no recipe {name}"))?;
    let version = match recipe.package() {
        Some(package) => format!("Debian {package} {}", debian_version(package)?),
        None if name != OURS => format!("npm {name} {}", npm_version(recipe)),
        None => format!("pop3-rs {}", env!("CARGO_PKG_VERSION")),
    };
    if name != OURS && recipe.program().is_none() {
        let why = "it is not installed".to_owned();
        return Ok(Subject::not_run(Kind::Client, name, version, why));
    }
    let mut command = Command::new(program()?);
    command.args(["audit", "--format", "json", "--recipe", name]);
    let ended = timed::run(&mut command, limit)?;
    Subject::read(Kind::Client, name, version, &ended)
}

/// The version of a module of npm, whose program is its `package.json`.
fn npm_version(recipe: &Recipe) -> String {
    let text = recipe
        .program()
        .and_then(|path| fs::read_to_string(path).ok());
    let package = text.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let version = package
        .as_ref()
        .and_then(|package| package["version"].as_str());
    version.unwrap_or_default().to_owned()
}

/// The command that all is done with.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    let program = root().join("target/release/pop3");
    ensure!(program.is_file(), "{} is not built", program.display());
    Ok(program)
}

/// The version of an installed package; nothing if it is not.
fn debian_version(package: &str) -> anyhow::Result<String> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", package])
        .output()
        .context("only Debian's packages are asked for their version")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Clients, started by their recipes.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};
use pop3_conformance::audit::{Recipe, recipes};
use serde_json::Value;

use super::subject::{Kind, Subject};

/// The recipe of our client.
pub(super) const OURS: &str = "pop3";

/// All recipes, ours first.
pub(super) fn names() -> Vec<&'static str> {
    let others = recipes().iter().map(Recipe::name);
    let others = others.filter(|name| *name != OURS);
    [OURS].into_iter().chain(others).collect()
}

/// Audits a client.
pub(super) fn audit(name: &str, minutes: u64) -> anyhow::Result<Subject> {
    let recipe = recipes().iter().find(|recipe| recipe.name() == name);
    let recipe = recipe.with_context(|| format!("no recipe {name}"))?;
    let version = match recipe.package() {
        Some(package) => format!("Debian {package} {}", debian_version(package)?),
        None if name != OURS => format!("npm {name} {}", npm_version(recipe)),
        None => format!("pop3-rs {}", env!("CARGO_PKG_VERSION")),
    };
    ensure!(
        name == OURS || recipe.program().is_some(),
        "it is not installed"
    );
    Subject::of(Kind::Client, name, version, minutes, |pop3| {
        pop3.args(["audit", "--format", "json", "--recipe", name]);
    })
}

/// The version of an npm module, from its `package.json`.
fn npm_version(recipe: &Recipe) -> String {
    let text = recipe
        .program()
        .and_then(|path| fs::read_to_string(path).ok());
    let package = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let version = package
        .as_ref()
        .and_then(|package| package["version"].as_str());
    version.unwrap_or_default().to_owned()
}

/// The version of an installed package; `None` if it is not installed.
fn debian_version(package: &str) -> anyhow::Result<String> {
    let mut query = Command::new("dpkg-query");
    let output = query.args(["-W", "-f", "${Version}", package]).output();
    let output = output.context("only Debian's packages are asked for their version")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Installs the missing programs that jobs need.

use std::{io::ErrorKind, process::Stdio};

use anyhow::{Context as _, bail};

use crate::shell::{command, output, run};

pub(crate) const FUZZ: &str = "cargo-fuzz@0.13.2";
pub(crate) const PUBLIC_API: &str = "cargo-public-api@0.52.0";
pub(crate) const HACK: &str = "cargo-hack@0.6.46";
pub(crate) const DENY: &str = "cargo-deny@0.20.2";

/// Installs a subcommand of cargo, in the version that the jobs were written for, unless it is
/// installed. A debug build is ready sooner and fast enough.
pub(crate) fn cargo(tool: &str) -> anyhow::Result<()> {
    let name = tool.split('@').next().unwrap_or_default();
    let subcommand = name.trim_start_matches("cargo-");
    let version = command(&format!("cargo {subcommand} --version"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match version.success() {
        true => Ok(()),
        false => run(&mut command(&format!(
            "cargo install --quiet --locked --debug {tool}"
        ))),
    }
}

/// Installs the missing ones of these Debian packages.
pub(crate) fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let query = command("dpkg-query -W -f ${db:Status-Status}_${Package}\\n")
        .args(packages)
        .stderr(Stdio::null())
        .output();
    let installed = match query {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "not a Debian system: install {} by other means",
            packages.join(", ")
        ),
        // It fails if it does not know a package, and still lists the others.
        query => String::from_utf8(query?.stdout)?,
    };
    let is_missing = |package: &&&str| {
        let line = format!("installed_{package}");
        !installed.lines().any(|found| found == line)
    };
    let missing: Vec<_> = packages.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output(&mut command("id -u"))?.trim() == "0";
    let apt = match is_root {
        true => "env DEBIAN_FRONTEND=noninteractive apt-get",
        false => "sudo -n DEBIAN_FRONTEND=noninteractive apt-get",
    };
    run(&mut command(&format!("{apt} update -qq")))?;
    let install = format!("{apt} install -y -qq --no-install-recommends --no-upgrade");
    run(command(&install).args(missing)).context("installing packages needs root")
}

//! The programs that jobs need, installed where they are missing.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use crate::shell::{command, output, program, root, run};

/// A subcommand of cargo, in the version that the jobs were written for.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    version: &'static str,
}

pub(crate) const FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};
pub(crate) const LLVM_COV: Tool = Tool {
    name: "cargo-llvm-cov",
    version: "0.9.1",
};
pub(crate) const MUTANTS: Tool = Tool {
    name: "cargo-mutants",
    version: "27.1.0",
};
pub(crate) const PUBLIC_API: Tool = Tool {
    name: "cargo-public-api",
    version: "0.52.0",
};
pub(crate) const HACK: Tool = Tool {
    name: "cargo-hack",
    version: "0.6.46",
};
pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};

impl Tool {
    /// Installs the tool unless it is there. A debug build is ready sooner and
    /// fast enough.
    pub(crate) fn install(&self) -> anyhow::Result<()> {
        let subcommand = self.name.trim_start_matches("cargo-");
        let there = command(&format!("cargo {subcommand} --version"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?
            .success();
        if there {
            return Ok(());
        }
        let Self { name, version } = self;
        run(&mut command(&format!(
            "cargo install --quiet --locked --debug {name}@{version}"
        )))
    }
}

/// Installs packages of Debian, or of what descends from it.
pub(crate) fn debian(packages: &[&str]) -> anyhow::Result<()> {
    ensure!(
        Path::new("/usr/bin/apt-get").exists(),
        "not a Debian system: install {} by other means",
        packages.join(", ")
    );
    let is_root = output(&mut command("id -u"))?.trim() == "0";
    let apt = match is_root {
        true => "apt-get",
        false => "sudo -n DEBIAN_FRONTEND=noninteractive apt-get",
    };
    run(&mut command(&format!("{apt} update -qq")))?;
    let install = format!("{apt} install -y -qq --no-install-recommends");
    run(command(&install)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
    .context("installing packages needs root")
}

/// A program of a Python package, in a directory of its own.
pub(crate) fn python(package: &str, version: &str) -> anyhow::Result<PathBuf> {
    let directory = root().join("target/tools").join(package);
    let path = directory.join("bin").join(package);
    let shown = program(&path)
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    if shown.is_ok_and(|shown| String::from_utf8_lossy(&shown.stdout).contains(version)) {
        return Ok(path);
    }
    run(command("python3 -m venv").arg(&directory))?;
    let pip = "install --quiet --disable-pip-version-check";
    run(program(&directory.join("bin/pip"))
        .args(pip.split(' '))
        .arg(format!("{package}=={version}")))?;
    Ok(path)
}

/// The directory of a package of Node's.
pub(crate) fn node(package: &str, version: &str) -> anyhow::Result<PathBuf> {
    let directory = root().join("target/tools").join(package);
    let path = directory.join("node_modules").join(package);
    let manifest = std::fs::read_to_string(path.join("package.json")).unwrap_or_default();
    if !manifest.contains(&format!("\"version\": \"{version}\"")) {
        let install = "npm install --silent --no-audit --no-fund --ignore-scripts --prefix";
        run(command(install)
            .arg(&directory)
            .arg(format!("{package}@{version}")))?;
    }
    Ok(path)
}

//! The cargo subcommands that jobs need, installed where they are missing.

use std::process::Stdio;

use crate::shell::{command, run};

/// A subcommand of cargo, in the version that the jobs were written for.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    version: &'static str,
}

pub(crate) const FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
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

//! Releases of Debian, each in its own directory; suite.sh installs and enters them.

use std::{path::PathBuf, process::Command};

use crate::shell::{command, root, run};

/// A release of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    /// The packages that are installed on this machine
    Machine,
    /// Debian 13
    Stable,
    /// Debian unstable, as of today
    Unstable,
}

impl Suite {
    pub(super) const ALL: [Self; 3] = [Self::Machine, Self::Stable, Self::Unstable];

    /// The directory of its last results.
    pub(super) fn kept(self) -> PathBuf {
        let kept = root().join("target/matrix");
        match self {
            Self::Machine => kept,
            _ => kept.join(self.name()),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Stable => "stable",
            Self::Unstable => "unstable",
        }
    }

    /// Installs its programs into its directory unless that exists; remove it to get newer
    /// programs.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        run(&mut self.command("install"))
    }

    /// Runs suite.sh on it, for example to enter it.
    pub(super) fn command(self, what: &str) -> Command {
        let script = "bash crates/xtask/src/matrix/suite.sh";
        command(&format!("{script} {what} {}", self.name()))
    }
}

//! Releases of Debian in directories of their own, beside the one of the machine.
//!
//! What runs in a suite runs in a mount namespace in which `/usr`, `/etc` and
//! `/var` are those of its directory: programs, libraries and the packages' versions
//! are of that release, while all else is the machine's. Peers make their sandboxes
//! inside as they do outside.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use pop3_peers::UNPACKED;

use crate::shell::{self, command, root, run};

/// Where the directories of the suites are.
const DIRECTORIES: &str = "/opt/pop3-suites";

/// Where results are kept.
const KEPT: &str = "target/matrix";

/// A release of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    /// What is installed on this machine
    Machine,
    /// Debian 13
    Stable,
    /// Debian unstable, today
    Unstable,
}

/// Clients, and the interpreters of those that are scripts. A release that lacks
/// one goes without.
const PACKAGES: [&str; 16] = [
    "curl",
    "fdm",
    "fetchmail",
    "getmail6",
    "golang-go",
    "mpop",
    "mutt",
    "neomutt",
    "nmh",
    "nodejs",
    "perl",
    "python3",
    "python3-twisted",
    "ruby",
    "s-nail",
    "dovecot-pop3d",
];

/// Servers that exclude each other, with what they need that is not a library:
/// they are unpacked, and only their libraries installed.
const SERVERS: [(&str, &[&str]); 4] = [
    (
        "courier-pop",
        &["courier-base", "courier-authlib", "courier-authdaemon"],
    ),
    ("cyrus-pop3d", &["cyrus-common", "sasl2-bin"]),
    ("mailutils-pop3d", &["mailutils-common"]),
    ("popa3d", &[]),
];

/// What comes from npm, for `node` of the suite.
const NPM: [&str; 2] = ["node-pop3", "wildduck"];

impl Suite {
    pub(super) const ALL: [Self; 3] = [Self::Machine, Self::Stable, Self::Unstable];

    /// Where its last results are.
    pub(super) fn kept(self) -> PathBuf {
        let kept = root().join(KEPT);
        match self {
            Self::Machine => kept,
            _ => kept.join(self.name()),
        }
    }

    /// Its directory; `None` if it is the machine's own.
    fn directory(self) -> Option<PathBuf> {
        (self != Self::Machine).then(|| Path::new(DIRECTORIES).join(self.name()))
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Stable => "stable",
            Self::Unstable => "unstable",
        }
    }

    /// The name by which Debian knows it.
    const fn release(self) -> &'static str {
        match self {
            Self::Unstable => "sid",
            Self::Stable | Self::Machine => "trixie",
        }
    }

    /// Installs its programs into its directory, unless that is there: to have newer
    /// ones, remove it.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        let Some(directory) = self.directory() else {
            return Ok(());
        };
        if directory.exists() {
            return Ok(());
        }
        let partly = directory.with_extension("partly");
        if partly.exists() {
            fs::remove_dir_all(&partly)?;
        }
        fs::create_dir_all(DIRECTORIES).context("a suite needs root")?;
        run(
            command("apt-get install -y -qq --no-install-recommends --no-upgrade debootstrap")
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
        run(command("debootstrap --variant=minbase")
            .arg(self.release())
            .arg(&partly))?;
        run(command("unshare --mount --pid --fork --kill-child sh -c")
            .arg(fill(&partly))
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C"))?;
        // Without its modules a suite is only poorer.
        let npm = run(command(
            "npm install --global --ignore-scripts --omit=dev --no-audit --no-fund",
        )
        .arg("--prefix")
        .arg(partly.join("usr/local"))
        .args(NPM));
        if let Err(error) = npm {
            eprintln!("without WildDuck and node-pop3: {error}");
        }
        fs::rename(partly, directory)?;
        Ok(())
    }

    /// A program of this project, run in the suite.
    pub(super) fn command(self, program: &Path) -> anyhow::Result<Command> {
        let Some(directory) = self.directory() else {
            return Ok(shell::program(program));
        };
        ensure!(
            directory.is_dir(),
            "{} is not there: run `cargo xtask peers --suite {}`",
            directory.display(),
            self.name()
        );
        fs::create_dir_all(UNPACKED).context("a suite needs root")?;
        let script = format!(
            "set -e
mount --bind '{directory}{UNPACKED}' {UNPACKED}
for part in etc var usr; do
    mount --bind '{directory}/'$part /$part
done
exec \"$@\"",
            directory = directory.display()
        );
        let mut command = command("unshare --mount sh -c");
        command.arg(script).arg("sh").arg(program);
        Ok(command)
    }
}

/// What installs programs into a directory that has a bare system.
fn fill(directory: &Path) -> String {
    let mut lines = format!(
        "set -e
cd '{directory}'
printf '#!/bin/sh\\nexit 101\\n' > usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
mkdir -p .{UNPACKED}
echo force-unsafe-io > etc/dpkg/dpkg.cfg.d/unsafe-io
mount -t proc proc proc
inside() {{ chroot . \"$@\"; }}
install() {{ inside apt-get install -y -qq --no-install-recommends \"$@\"; }}
inside apt-get update -qq
known() {{
    for package; do
        inside apt-cache show $package > var/tmp/known 2>&1 && echo $package ||
            echo \"without $package\" >&2
    done
}}
install libsasl2-modules $(known {packages})
",
        directory = directory.display(),
        packages = PACKAGES.join(" ")
    );
    // So that a run of its client does not compile all that it uses.
    lines += "mkdir -p var/tmp/pop3-audit-go
inside env HOME=/root GOCACHE=/var/tmp/pop3-audit-go GO111MODULE=off \
    go build -trimpath fmt log net/textproto os strings || echo 'without Go' >&2
";
    for (server, others) in SERVERS {
        lines += &format!(
            "install $(inside apt-get install -s --no-install-recommends {server} |
    sed -n 's/^Inst \\(lib[^ ]*\\) .*/\\1/p')
for package in {server} {others}; do
    inside sh -c \"cd /var/tmp && apt-get download -qq $package\" &&
        dpkg-deb --raw-extract var/tmp/${{package}}_*.deb .{UNPACKED}/$package ||
        echo \"without $package\" >&2
done
",
            others = others.join(" ")
        );
    }
    lines
}

/// The release of Debian that this process sees, such as `12` or `unstable`.
pub(super) fn seen() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut lines = text.lines();
    let version = lines.find_map(|line| line.strip_prefix("VERSION_ID="));
    version.map_or_else(
        || "unstable".to_owned(),
        |version| version.trim_matches('"').to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_installs_a_suite_is_a_script() {
        let script = fill(Path::new("/nonexistent/directory of a suite"));
        let status = Command::new("sh").args(["-n", "-c", &script]).status();
        assert!(status.is_ok_and(|status| status.success()), "{script}");
        for package in PACKAGES.iter().chain(SERVERS.map(|(name, _)| name).iter()) {
            assert!(script.contains(package), "{package}");
        }
    }
}

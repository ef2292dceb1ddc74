//! `cargo xtask peers`

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::shell::{command, run};

/// Install the mail software from Debian that tests compare with, where it is
/// missing
#[derive(clap::Args)]
pub(crate) struct Peers {}

/// A file of each package, and the package.
const PACKAGES: [(&str, &str); 6] = [
    ("/usr/lib/dovecot/pop3", "dovecot-pop3d"),
    ("/usr/bin/mpopd", "mpop"),
    ("/usr/bin/fetchmail", "fetchmail"),
    ("/usr/bin/getmail", "getmail6"),
    ("/usr/bin/curl", "curl"),
    ("/usr/bin/python3", "python3"),
];

impl Peers {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let missing: Vec<_> = PACKAGES
            .iter()
            .filter(|(file, _)| !Path::new(file).exists())
            .map(|(_, package)| *package)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(
            Path::new("/usr/bin/apt-get").exists(),
            "not a Debian system: install {} by other means",
            missing.join(", ")
        );
        run(&mut command("apt-get update -qq"))?;
        run(command("apt-get install -y -qq --no-install-recommends")
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"))
        .context("installing packages needs root")
    }
}

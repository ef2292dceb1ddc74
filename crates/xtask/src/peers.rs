//! `cargo xtask peers`

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use pop3_peers::{DAEMONS, UNPACKED};
use tempfile::TempDir;

use crate::{
    matrix::Suite,
    shell::{command, run},
};

/// Install the mail software from Debian that tests compare with, where it is
/// missing
#[derive(clap::Args)]
pub(crate) struct Peers {
    /// Install them for this suite of the matrix, into a directory of its own
    #[arg(long, value_enum, default_value_t = Suite::Machine)]
    suite: Suite,
}

/// Clients, and what installs beside everything.
const CLIENTS: [&str; 4] = ["fetchmail", "getmail6", "curl", "python3"];

impl Peers {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self.suite {
            Suite::Machine => Self::install(),
            suite => suite.install(),
        }
    }

    fn install() -> anyhow::Result<()> {
        let to_install = missing()?;
        let to_unpack: Vec<_> = DAEMONS
            .iter()
            .flat_map(|daemon| daemon.unpacked)
            .filter(|package| !unpacked(package).exists())
            .collect();
        if to_install.is_empty() && to_unpack.is_empty() {
            return Ok(());
        }
        run(&mut command("apt-get update -qq"))?;
        if !to_install.is_empty() {
            run(
                command("apt-get install -y -qq --no-install-recommends --no-upgrade")
                    .args(&to_install)
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            )
            .context("installing packages needs root")?;
        }
        if !to_unpack.is_empty() {
            let directory = TempDir::with_prefix("pop3-packages-")?;
            run(command("apt-get download -qq")
                .args(&to_unpack)
                .current_dir(directory.path()))?;
            for entry in fs::read_dir(directory.path())? {
                unpack(&entry?.path())?;
            }
        }
        Ok(())
    }
}

/// The packages that are to be installed and are not.
fn missing() -> anyhow::Result<Vec<&'static str>> {
    let mut wanted = CLIENTS.to_vec();
    for daemon in DAEMONS {
        wanted.extend(daemon.libraries);
        if daemon.unpacked.is_empty() {
            wanted.push(daemon.package);
        }
    }
    let installed = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Package}\n"])
        .args(&wanted)
        .output();
    let installed = match installed {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            anyhow::bail!(
                "not a Debian system: install {} by other means",
                wanted.join(", ")
            )
        }
        // It fails where it knows nothing of a package, and lists the others.
        output => String::from_utf8(output?.stdout)?,
    };
    wanted.retain(|package| {
        let line = format!("installed {package}");
        !installed.lines().any(|found| found == line)
    });
    wanted.dedup();
    Ok(wanted)
}

fn unpacked(package: &str) -> PathBuf {
    Path::new(UNPACKED).join(package)
}

/// Unpacks a package into the directory of its name. Nothing of it is run, and
/// the directory is there only when it is whole.
fn unpack(package: &Path) -> anyhow::Result<()> {
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('_').next().unwrap_or_default();
    fs::create_dir_all(UNPACKED).context("unpacking packages needs root")?;
    let partly = unpacked(&format!("{name}.partly"));
    if partly.exists() {
        fs::remove_dir_all(&partly)?;
    }
    run(command("dpkg-deb --raw-extract").arg(package).arg(&partly))?;
    fs::rename(partly, unpacked(name))?;
    Ok(())
}

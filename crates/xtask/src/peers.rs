//! `cargo xtask peers`

use std::path::Path;

use anyhow::Context as _;
use pop3_peers::{DAEMONS, LMTPD, UNPACKED};

use crate::{
    matrix::Suite,
    shell::{bash, run},
    tool,
};

/// Install the missing Debian mail software that tests compare with
#[derive(clap::Args)]
pub(crate) struct Peers {
    /// Install it for this suite of the matrix, into a separate directory
    #[arg(long, value_enum, default_value_t = Suite::Machine)]
    suite: Suite,
}

/// Packages of clients, which can be installed beside any server.
const CLIENTS: [&str; 4] = ["fetchmail", "getmail6", "curl", "python3"];

impl Peers {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if self.suite != Suite::Machine {
            return self.suite.install();
        }
        let mut to_install = CLIENTS.to_vec();
        for daemon in DAEMONS {
            to_install.extend(daemon.libraries);
            if daemon.unpacked.is_empty() {
                to_install.push(daemon.package);
            }
        }
        tool::debian(&to_install)?;
        let daemons = DAEMONS.iter().flat_map(|daemon| daemon.unpacked);
        let mut to_unpack: Vec<_> = daemons.chain([&LMTPD]).collect();
        to_unpack.retain(|package| !Path::new(UNPACKED).join(package).exists());
        if to_unpack.is_empty() {
            return Ok(());
        }
        // Nothing in a package is run, and its directory appears only when it is complete.
        let unpack = "cd \"$(mktemp -d)\"
apt-get update -qq
for package; do
    apt-get download -qq \"$package\"
    rm -rf \"$0/$package.partly\" && mkdir -p \"$0\"
    dpkg-deb --raw-extract \"$package\"_*.deb \"$0/$package.partly\"
    mv \"$0/$package.partly\" \"$0/$package\"
    rm \"$package\"_*.deb
done";
        run(bash(unpack).arg(UNPACKED).args(to_unpack)).context("unpacking packages needs root")
    }
}

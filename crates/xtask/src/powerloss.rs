//! `cargo xtask powerloss`

use std::path::Path;

use crate::{
    shell::{command, output, program, root, run, shown},
    tool, verification,
};

/// What makes file systems and skips syncs: a program, and its package of Debian.
const PROGRAMS: [(&str, &str); 6] = [
    ("/usr/sbin/mkfs.ext4", "e2fsprogs"),
    ("/usr/sbin/mkfs.xfs", "xfsprogs"),
    ("/usr/sbin/mkfs.btrfs", "btrfs-progs"),
    ("/usr/bin/bindfs", "bindfs"),
    ("/usr/bin/mergerfs", "mergerfs"),
    ("/usr/bin/strace", "strace"),
];

/// Test what is on the disk after a loss of power: the real program on real
/// file systems; needs root
#[derive(clap::Args)]
pub(crate) struct Powerloss {
    /// Write the results into VERIFICATION.md
    #[arg(long)]
    write: bool,
    /// Options of pop3-powerloss, such as --seconds 600 --file-system ext4;
    /// `cargo xtask powerloss -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Powerloss {
    /// What each commit gets.
    pub(crate) fn briefly() -> Self {
        Self {
            write: false,
            // Few states of each recording, so that all kinds have their turn.
            options: vec![String::from("--seconds=120"), String::from("--each=16")],
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        install()?;
        run(&mut command(
            "cargo build --release --locked -p pop3-cli -p pop3-powerloss",
        ))?;
        let release = root().join("target/release");
        let mut test = program(&release.join("pop3-powerloss"));
        test.arg("--pop3")
            .arg(release.join("pop3"))
            .args(&self.options);
        if !self.write {
            return run(&mut test);
        }
        eprintln!("+ {}", shown(&test));
        verification::write("powerloss", output(&mut test)?.trim_start())
    }
}

/// Installs what is missing, where that is possible. The test says what it has to
/// do without.
fn install() -> anyhow::Result<()> {
    let missing = PROGRAMS
        .iter()
        .filter(|(path, _)| !Path::new(path).exists());
    let missing: Vec<_> = missing.map(|(_, package)| *package).collect();
    let is_root = output(&mut command("id -u"))?.trim() == "0";
    match is_root && Path::new("/usr/bin/apt-get").exists() && !missing.is_empty() {
        true => tool::debian(&missing),
        false => Ok(()),
    }
}

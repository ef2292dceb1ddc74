//! `cargo xtask powerloss`

use crate::{
    shell::{command, output, root, run},
    table, tool,
};

/// The programs that make file systems and skip syncs.
const PACKAGES: [&str; 6] = [
    "e2fsprogs",
    "xfsprogs",
    "btrfs-progs",
    "bindfs",
    "mergerfs",
    "strace",
];

/// Test what is on the disk after a loss of power, with the real program on real file systems;
/// needs root
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
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        // The test reports what is missing.
        if let Err(error) = tool::debian(&PACKAGES) {
            eprintln!("{error:#}");
        }
        run(&mut command(
            "cargo build --release --locked -p pop3-cli -p pop3-powerloss",
        ))?;
        let release = root().join("target/release");
        let mut test = command("env");
        test.arg(release.join("pop3-powerloss"))
            .arg("--pop3")
            .arg(release.join("pop3"))
            .args(&self.options);
        match self.write {
            false => run(&mut test),
            true => table::write(
                "VERIFICATION.md",
                "powerloss",
                output(&mut test)?.trim_start(),
            ),
        }
    }
}

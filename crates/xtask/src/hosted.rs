//! Jobs that need what only a hosted runner has: the network, or miri.

use crate::{
    shell::{command, run},
    tool,
};

/// Ask the RustSec database about all dependencies; needs the network
#[derive(clap::Args)]
pub(crate) struct Advisories {}

impl Advisories {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::DENY.install()?;
        run(&mut command("cargo deny --workspace check advisories"))
    }
}

/// Replay the corpora of the codec and the protocol under miri; needs a nightly
/// toolchain with miri and rust-src
#[derive(clap::Args)]
pub(crate) struct Miri {}

impl Miri {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        for tests in [
            "-p dot-stuffing --test corpus",
            "-p pop3-proto --test checks corpus",
        ] {
            // The corpora are files.
            run(command(&format!("cargo +nightly miri test {tests}"))
                .env("MIRIFLAGS", "-Zmiri-disable-isolation"))?;
        }
        Ok(())
    }
}

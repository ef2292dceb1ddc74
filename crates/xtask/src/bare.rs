//! `cargo xtask bare`

use std::path::Path;

use crate::{
    shell::{command, output, root, run},
    tool,
};

/// Check the codec, and its std-less features, for machines without an
/// operating system
#[derive(clap::Args)]
pub(crate) struct Bare {}

const TARGETS: [&str; 2] = ["thumbv7em-none-eabi", "wasm32-unknown-unknown"];

/// A rustc with the sources of core, as Debian has it.
const DEBIAN: [&str; 2] = ["/usr/bin/rustc", "/usr/lib/rustlib/src/rust/library"];

impl Bare {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let sysroot = output(&mut command("rustc --print sysroot"))?;
        let installed = Path::new(sysroot.trim()).join("lib/rustlib");
        for target in TARGETS {
            let check = format!(
                "cargo check --locked -p dot-stuffing --no-default-features --target {target}"
            );
            if installed.join(target).exists() {
                run(&mut command(&check))?;
                continue;
            }
            // Not from the toolchain at hand: core is built, from Debian's sources.
            if !DEBIAN.iter().all(|path| Path::new(path).exists()) {
                tool::debian(&["rustc-web", "rust-web-src"])?;
            }
            let mut check = command(&format!("{check} -Zbuild-std=core --target-dir"));
            run(check
                .arg(root().join("target/bare"))
                .env("RUSTC", DEBIAN[0])
                .env("RUSTC_BOOTSTRAP", "1"))?;
        }
        Ok(())
    }
}

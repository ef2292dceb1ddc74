//! `cargo xtask ci`

use std::time::Instant;

use crate::{
    api::Api,
    engine::Engine,
    fuzz::{Fuzz, replay::Replay},
    powerloss::Powerloss,
    shell::{command, root, run},
    tool,
    workflows::Workflows,
};

/// Everything that must hold of each commit, beside `cargo test`
#[derive(clap::Args)]
pub(crate) struct Ci {
    /// How long to fuzz each target
    #[arg(long, default_value_t = 10)]
    fuzz_seconds: u32,
}

type Step = fn(&Ci) -> anyhow::Result<()>;

const FUZZ: &str = "--manifest-path fuzz/Cargo.toml";
const NO_STD: &str = "--manifest-path crates/dot-stuffing/tests/no-std/Cargo.toml";

impl Ci {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let steps: [(&str, Step); 12] = [
            ("format", Self::format),
            ("workflows", Self::workflows),
            ("lints", Self::lints),
            ("documentation", Self::documentation),
            ("public API", Self::public_api),
            ("features", Self::features),
            ("dependencies", Self::dependencies),
            ("replay", Self::replay),
            ("benches", Self::benches),
            ("fuzz", Self::fuzz),
            ("engine", Self::engine),
            ("power loss", Self::powerloss),
        ];
        for (name, step) in steps {
            let start = Instant::now();
            step(self)?;
            eprintln!("= {name}: passed in {:.0} s", start.elapsed().as_secs_f64());
        }
        Ok(())
    }

    fn format(&self) -> anyhow::Result<()> {
        run(&mut command("cargo fmt --all --check"))?;
        run(&mut command(&format!("cargo fmt {FUZZ} --check")))?;
        run(&mut command(&format!("cargo fmt {NO_STD} --check")))
    }

    fn lints(&self) -> anyhow::Result<()> {
        run(&mut command(
            "cargo clippy --locked --workspace --all-targets --all-features -- -D warnings",
        ))?;
        run(&mut command(&format!(
            "cargo clippy --locked {FUZZ} --all-targets -- -D warnings"
        )))
    }

    fn workflows(&self) -> anyhow::Result<()> {
        Workflows {}.run()
    }

    fn documentation(&self) -> anyhow::Result<()> {
        let mut doc = command("cargo doc --locked --workspace --no-deps --all-features");
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    }

    fn public_api(&self) -> anyhow::Result<()> {
        Api::compare().run()
    }

    /// Each set of features compiles without a warning, and without std.
    fn features(&self) -> anyhow::Result<()> {
        tool::HACK.install()?;
        run(&mut command(
            "cargo hack clippy --locked -p dot-stuffing -p pop3-conformance -p pop3-tokio --lib --feature-powerset -- -D warnings",
        ))?;
        let target = root().join("target/no-std");
        run(command(&format!("cargo build --locked {NO_STD} --target-dir")).arg(target))
    }

    fn dependencies(&self) -> anyhow::Result<()> {
        tool::DENY.install()?;
        run(&mut command(
            "cargo deny --offline --workspace check bans licenses sources",
        ))
    }

    /// The fuzz targets build on stable, and replay what is committed.
    fn replay(&self) -> anyhow::Result<()> {
        Replay::plain().run()
    }

    fn benches(&self) -> anyhow::Result<()> {
        run(&mut command("cargo bench --locked -p benches -- --test"))
    }

    fn fuzz(&self) -> anyhow::Result<()> {
        Fuzz::briefly(self.fuzz_seconds).run()
    }

    /// What the script for OSS-Fuzz builds starts.
    fn engine(&self) -> anyhow::Result<()> {
        Engine::plain().run()
    }

    /// For two minutes, where there is root.
    fn powerloss(&self) -> anyhow::Result<()> {
        Powerloss::briefly().run()
    }
}

//! `cargo xtask ci`

use std::time::Instant;

use crate::{
    fuzz::{self, Fuzz},
    shell::{command, root, run},
    tool,
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
        let steps: [(&str, Step); 8] = [
            ("format", Self::format),
            ("lints", Self::lints),
            ("documentation", Self::documentation),
            ("features", Self::features),
            ("dependencies", Self::dependencies),
            ("replay", Self::replay),
            ("benches", Self::benches),
            ("fuzz", Self::fuzz),
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

    fn documentation(&self) -> anyhow::Result<()> {
        let mut doc = command("cargo doc --locked --workspace --no-deps --all-features");
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    }

    /// Each set of features compiles without a warning, and without std.
    fn features(&self) -> anyhow::Result<()> {
        tool::HACK.install()?;
        run(&mut command(
            "cargo hack clippy --locked -p dot-stuffing --lib --feature-powerset -- -D warnings",
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
        run(&mut command(&format!("cargo build --locked {FUZZ}")))?;
        for target in fuzz::targets()? {
            let program = format!("fuzz/target/debug/{target}");
            let mut replay = command(&program);
            for folder in fuzz::corpora(&target) {
                replay.args(fuzz::files(&folder)?);
            }
            eprintln!("+ {program} (its corpus)");
            let output = replay.output()?;
            let log = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(
                output.status.success(),
                "{program} fails on its corpus:\n{log}"
            );
        }
        Ok(())
    }

    fn benches(&self) -> anyhow::Result<()> {
        run(&mut command("cargo bench --locked -p benches -- --test"))
    }

    fn fuzz(&self) -> anyhow::Result<()> {
        Fuzz::briefly(self.fuzz_seconds).run()
    }
}

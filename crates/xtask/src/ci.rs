//! `cargo xtask ci`

use std::time::Instant;

use crate::{
    shell::{bash, run},
    target::targets,
    tool,
};

/// Run all checks of a commit except `cargo test`
#[derive(clap::Args)]
pub(crate) struct Ci {
    /// How long to fuzz each target
    #[arg(long, default_value_t = 10)]
    fuzz_seconds: u32,
}

/// The steps, as shell commands in the workspace directory. Some are jobs of xtask, which can also
/// be run alone.
const STEPS: [(&str, &str); 12] = [
    (
        "format",
        "cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
cargo fmt --manifest-path crates/dot-stuffing/tests/no-std/Cargo.toml --check",
    ),
    ("workflows", ".ci/workflows"),
    (
        "lints",
        "cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
cargo clippy --locked --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings",
    ),
    (
        "documentation",
        "RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --all-features",
    ),
    ("public API", ".ci/api"),
    // Each set of features compiles without a warning, also without std.
    (
        "features",
        "cargo hack clippy --locked -p dot-stuffing -p pop3-conformance -p pop3-tokio --lib --feature-powerset \
             -- -D warnings
cargo build --locked --manifest-path crates/dot-stuffing/tests/no-std/Cargo.toml \
    --target-dir target/no-std",
    ),
    ("packages", ".ci/packages"),
    (
        "dependencies",
        "cargo deny --offline --workspace check bans licenses sources",
    ),
    // The fuzz targets also build on stable without cargo-fuzz, and pass on the committed inputs.
    (
        "replay",
        "cargo build --locked --manifest-path fuzz/Cargo.toml\n.ci/replay -s none",
    ),
    ("benches", "cargo bench --locked -p benches -- --test"),
    // The programs that the script for OSS-Fuzz builds can be started.
    ("engine", "cargo xtask engine"),
    // Few states of each recording, so that every kind gets a turn.
    (
        "power loss",
        "cargo xtask powerloss --seconds=120 --each=16",
    ),
];

impl Ci {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        for tool in [tool::FUZZ, tool::PUBLIC_API, tool::HACK, tool::DENY] {
            tool::cargo(tool)?;
        }
        for (name, script) in STEPS {
            step(name, script)?;
        }
        for target in targets()? {
            let seconds = self.fuzz_seconds;
            let fuzz = format!("cargo fuzz run -s none {target} -- -max_total_time={seconds}");
            step(&target, &fuzz)?;
        }
        Ok(())
    }
}

fn step(name: &str, script: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    run(&mut bash(script))?;
    eprintln!("= {name}: passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

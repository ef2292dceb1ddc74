//! `cargo xtask replay`

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::{
    fuzz::target::{Sanitizer, Target},
    shell::{command, program, root, run},
};

/// Run the fuzz targets on all committed inputs
#[derive(clap::Args)]
pub(crate) struct Replay {
    /// A target; all if absent
    target: Option<String>,
    /// What else to look for
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Replay {
    /// Every target, without a sanitizer: needs no cargo-fuzz.
    pub(crate) const fn plain() -> Self {
        Self {
            target: None,
            sanitizer: Sanitizer::None,
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self.sanitizer {
            Sanitizer::None => run(&mut command(
                "cargo build --locked --manifest-path fuzz/Cargo.toml",
            ))?,
            Sanitizer::Address => self.sanitizer.build()?,
        }
        for target in Target::chosen(self.target.as_deref())? {
            let path = match self.sanitizer {
                Sanitizer::None => root().join("fuzz/target/debug").join(&target.name),
                Sanitizer::Address => target.program(self.sanitizer)?,
            };
            let inputs = target.inputs()?;
            ensure!(!inputs.is_empty(), "{} has no inputs", target.name);
            replay(&path, &inputs)?;
            eprintln!("= {}: {} inputs hold", target.name, inputs.len());
        }
        Ok(())
    }
}

/// Runs the program of a target on inputs; an error with its log if one fails.
pub(crate) fn replay(path: &Path, inputs: &[PathBuf]) -> anyhow::Result<()> {
    let output = program(path).args(inputs).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} fails on its inputs:\n{log}",
        path.display()
    );
    Ok(())
}

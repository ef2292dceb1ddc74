//! `cargo xtask regress`

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{
    shell::run,
    target::{Sanitizer, flag, is_violated, regressions},
};

/// Minimize an input that violates a check and keep it in corpus/regressions under the name of its
/// bug; the tests replay it from then on
#[derive(clap::Args)]
pub(crate) struct Regress {
    /// The fuzz target that fails
    target: String,
    /// The input
    file: PathBuf,
    /// A name for the bug in lower case, such as `cr-before-dot-lost`
    name: String,
    /// The features that the target was built with when it failed
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Regress {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let Self { target, name, .. } = self;
        let is_right = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-');
        ensure!(
            name.bytes().all(is_right),
            "`{name}` is no name: use small letters, digits and hyphens"
        );
        let kept = regressions(target).join(name);
        ensure!(!kept.exists(), "{} is there already", kept.display());
        let file = self
            .file
            .canonicalize()
            .with_context(|| format!("cannot find {}", self.file.display()))?;
        run(self.sanitizer.cargo_fuzz("build")?.arg(target))?;
        let program = self.sanitizer.program(target)?;
        fs::create_dir_all(regressions(target))?;
        if !is_violated(Command::new(&program).arg(&file))? {
            fs::copy(&file, &kept)?;
            println!("It holds: the bug is fixed, or was another target's.");
            return Ok(());
        }
        // The exit status does not say whether a smaller input was found.
        self.sanitizer
            .cargo_fuzz("tmin --runs 20000")?
            .arg(target)
            .arg(&file)
            .args(["--", "-max_total_time=60"])
            .arg(flag("-exact_artifact_path=", &kept))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !kept.exists() || !is_violated(Command::new(&program).arg(&kept))? {
            fs::copy(&file, &kept)?;
        }
        println!("{}: `{}`", kept.display(), fs::read(&kept)?.escape_ascii());
        println!("It fails, as it should until the bug is fixed.");
        Ok(())
    }
}

//! `cargo xtask fuzz`

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{bail, ensure};

use crate::{
    fuzz::target::{MAX_LEN, Sanitizer, Target, files, flag},
    shell::{program, root, run},
};

pub(crate) mod hunt;
pub(crate) mod regress;
pub(crate) mod replay;
pub(crate) mod strength;
pub(crate) mod target;
pub(crate) mod targets;

/// Fuzz a target, or all of them one after the other
#[derive(clap::Args)]
pub(crate) struct Fuzz {
    /// A target; all if absent
    target: Option<String>,
    /// For how long, each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// How many processes at once
    #[arg(long, default_value_t = 1)]
    jobs: u32,
    /// What else to look for. `address` is slower
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Fuzz {
    /// Every target, one process each.
    pub(crate) const fn briefly(seconds: u32) -> Self {
        Self {
            target: None,
            seconds,
            jobs: 1,
            sanitizer: Sanitizer::None,
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let targets = Target::chosen(self.target.as_deref())?;
        self.sanitizer.build()?;
        let mut violated = Vec::new();
        for target in &targets {
            match self.fuzz(target)? {
                0 => self.keep_what_is_new(target)?,
                _ => violated.push(&target.name[..]),
            }
        }
        ensure!(violated.is_empty(), "violated: {}", violated.join(", "));
        Ok(())
    }

    /// How many inputs were found that violate the check.
    fn fuzz(&self, target: &Target) -> anyhow::Result<usize> {
        let (found, artifacts) = (target.found(), artifacts(target));
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&artifacts)?;
        let before = files(&artifacts)?;

        let mut fuzz = target.fuzzer(program(&target.program(self.sanitizer)?));
        fuzz.arg(format!("-max_total_time={}", self.seconds))
            .arg("-print_final_stats=1")
            .arg(flag("-artifact_prefix=", &artifacts.join("")));
        if self.jobs > 1 {
            fuzz.arg(format!("-fork={}", self.jobs));
        }
        let outcome = run(fuzz.arg(&found).args(target.corpora()));

        let crashes = files(&artifacts)?;
        let crashes: Vec<_> = crashes
            .iter()
            .filter(|path| !before.contains(path))
            .collect();
        for crash in &crashes {
            self.report(target, crash)?;
        }
        if crashes.is_empty() {
            outcome?;
        }
        Ok(crashes.len())
    }

    /// Makes a crash small and says what to do with it.
    fn report(&self, target: &Target, crash: &Path) -> anyhow::Result<()> {
        let small = target.minimize(self.sanitizer, crash)?;
        let crash = crash.strip_prefix(root()).unwrap_or(crash).display();
        println!(
            "{}: `{}` violates the check. Keep it under a name that tells the bug:\n  \
             cargo xtask regress {} {crash} NAME --sanitizer {}",
            target.name,
            small.escape_ascii(),
            target.name,
            self.sanitizer.name()
        );
        Ok(())
    }

    /// Keeps only those finds that reach more than the committed corpus does.
    fn keep_what_is_new(&self, target: &Target) -> anyhow::Result<()> {
        let (found, merged) = (target.found(), merged(target));
        if merged.exists() {
            fs::remove_dir_all(&merged)?;
        }
        fs::create_dir_all(&merged)?;
        let committed = target.inputs()?;
        for input in &committed {
            if let Some(name) = input.file_name() {
                fs::copy(input, merged.join(name))?;
            }
        }
        let known = files(&merged)?;
        let mut merge = target.fuzzer(program(&target.program(self.sanitizer)?));
        let output = merge.arg("-merge=1").args([&merged, &found]).output()?;
        if !output.status.success() {
            bail!(
                "merging the finds of {} failed:\n{}",
                target.name,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        fs::remove_dir_all(&found)?;
        fs::create_dir_all(&found)?;
        let mut new = 0;
        for input in files(&merged)?.iter().filter(|path| !known.contains(path)) {
            fs::rename(input, found.join(input.file_name().unwrap_or_default()))?;
            new += 1;
        }
        fs::remove_dir_all(&merged)?;
        println!(
            "{}: no violation. {new} input(s) of at most {MAX_LEN} octets reach what the {} in corpus/ do not; they are in {}",
            target.name,
            known.len(),
            found.display()
        );
        Ok(())
    }
}

fn artifacts(target: &Target) -> PathBuf {
    root().join("fuzz/artifacts").join(&target.name)
}

fn merged(target: &Target) -> PathBuf {
    root().join("fuzz/merged").join(&target.name)
}

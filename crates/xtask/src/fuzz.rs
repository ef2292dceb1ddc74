//! `cargo xtask fuzz`

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use crate::{
    shell::{command, root, run},
    tool,
};

/// The longest fuzz input. Runs of octets are written short (see
/// pop3-testkit's `Octets`), so this is long.
pub(crate) const MAX_LEN: u32 = 256;

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

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Sanitizer {
    None,
    Address,
}

impl Sanitizer {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Address => "address",
        }
    }

    /// A cargo-fuzz command. The sanitizer flag of rustc is unstable, and this
    /// variable lets a stable rustc take it.
    pub(crate) fn cargo_fuzz(self, line: &str) -> Command {
        let mut command = command(&format!("cargo fuzz {line} --sanitizer {}", self.name()));
        if let Self::Address = self {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }
}

/// The names of the fuzz targets.
pub(crate) fn targets() -> anyhow::Result<Vec<String>> {
    let mut targets: Vec<String> = files(&root().join("fuzz/fuzz_targets"))?
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    Ok(targets)
}

/// The files of a folder; none if there is no such folder.
pub(crate) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths
        .filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir()))
        .collect()
}

/// The folders of committed inputs for a target.
pub(crate) fn corpora(target: &str) -> Vec<PathBuf> {
    let corpus = root().join("corpus");
    let folders = [corpus.join(target), corpus.join("regressions").join(target)];
    folders
        .into_iter()
        .filter(|folder| folder.exists())
        .collect()
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
        tool::FUZZ.install()?;
        let targets = targets()?;
        if let Some(target) = &self.target {
            ensure!(
                targets.contains(target),
                "there is no target {target}: {}",
                targets.join(", ")
            );
        }
        let wanted = |name: &&String| self.target.as_ref().is_none_or(|target| target == *name);
        for target in targets.iter().filter(wanted) {
            self.fuzz(target)?;
        }
        Ok(())
    }

    fn fuzz(&self, target: &str) -> anyhow::Result<()> {
        let found = root().join("fuzz/found").join(target);
        let artifacts = root().join("fuzz/artifacts").join(target);
        fs::create_dir_all(&found)?;
        let before = files(&artifacts)?;

        let mut fuzz = self
            .sanitizer
            .cargo_fuzz(&format!("run {target} --jobs {}", self.jobs));
        fuzz.arg(&found).args(corpora(target)).args([
            "--".to_owned(),
            format!("-dict={}", root().join("corpus/pop3.dict").display()),
            format!("-max_len={MAX_LEN}"),
            format!("-max_total_time={}", self.seconds),
            "-print_final_stats=1".to_owned(),
        ]);
        let outcome = run(&mut fuzz);

        let crashes = files(&artifacts)?;
        let crashes: Vec<_> = crashes
            .iter()
            .filter(|path| !before.contains(path))
            .collect();
        for crash in &crashes {
            self.minimize(target, crash)?;
        }
        ensure!(
            crashes.is_empty(),
            "{target}: {} input(s) violate the check",
            crashes.len()
        );
        outcome?;
        self.report_new(target, &found)
    }

    /// Makes a crash small and says how to see it again.
    fn minimize(&self, target: &str, crash: &Path) -> anyhow::Result<()> {
        eprintln!("{target} fails on {}; minimizing it", crash.display());
        let before = files(crash.parent().unwrap_or(crash))?;
        let mut tmin = self
            .sanitizer
            .cargo_fuzz(&format!("tmin {target} --runs 20000"));
        let status = tmin
            .arg(crash)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        let small = files(crash.parent().unwrap_or(crash))?;
        let small = small.iter().filter(|path| !before.contains(path));
        let smallest =
            small.min_by_key(|path| fs::metadata(path).map_or(u64::MAX, |meta| meta.len()));
        let shown = match smallest {
            Some(path) if status.success() => path.as_path(),
            _ => crash,
        };
        let path = shown.strip_prefix(root()).unwrap_or(shown);
        let octets = fs::read(shown)?;
        println!(
            "{target}: `{}` violates the check. See it again with",
            octets.escape_ascii()
        );
        println!(
            "  cargo fuzz run --sanitizer {} {target} {}",
            self.sanitizer.name(),
            path.display()
        );
        println!("and keep it under a name that tells the bug in corpus/regressions/{target}/.");
        Ok(())
    }

    /// Keeps only those finds that reach more than the committed corpus does.
    fn report_new(&self, target: &str, found: &Path) -> anyhow::Result<()> {
        let merged = root().join("fuzz/merged").join(target);
        if merged.exists() {
            fs::remove_dir_all(&merged)?;
        }
        fs::create_dir_all(&merged)?;
        let committed = corpora(target);
        for input in committed
            .iter()
            .map(|folder| files(folder))
            .collect::<Result<Vec<_>, _>>()?
            .concat()
        {
            if let Some(name) = input.file_name() {
                fs::copy(&input, merged.join(name))?;
            }
        }
        let known = files(&merged)?.len();
        let mut merge = self.sanitizer.cargo_fuzz(&format!("run {target}"));
        merge
            .args([&merged, found])
            .args(["--", "-merge=1"])
            .arg(format!("-max_len={MAX_LEN}"));
        let output = merge.output()?;
        if !output.status.success() {
            bail!(
                "merging the finds of {target} failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        fs::remove_dir_all(found)?;
        fs::create_dir_all(found)?;
        let mut new = 0;
        for input in files(&merged)? {
            let name = input.file_name().unwrap_or_default();
            if !committed.iter().any(|folder| folder.join(name).exists()) {
                fs::rename(&input, found.join(name))?;
                new += 1;
            }
        }
        fs::remove_dir_all(&merged)?;
        println!(
            "{target}: no violation. {new} input(s) reach what the {known} in corpus/ do not; they are in {}",
            found.display()
        );
        Ok(())
    }
}

//! `cargo xtask fuzz`

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{
    fuzz::target::{MAX_LEN, Sanitizer, Target, files, flag},
    shell::{program, root, shown},
};

mod campaign;
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
    /// Keep what is found in corpus/found, to be committed, and add the hours
    /// to VERIFICATION.md
    #[arg(long)]
    record: bool,
}

impl Fuzz {
    /// Every target, one process each.
    pub(crate) const fn briefly(seconds: u32) -> Self {
        Self {
            target: None,
            seconds,
            jobs: 1,
            sanitizer: Sanitizer::None,
            record: false,
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let targets = Target::chosen(self.target.as_deref())?;
        self.sanitizer.build()?;
        let mut violated = Vec::new();
        for target in &targets {
            let Fuzzed {
                violations,
                executions,
            } = self.fuzz(target)?;
            if violations > 0 {
                violated.push(&target.name[..]);
                continue;
            }
            self.keep_what_is_new(target)?;
            if self.record {
                self.record(target)?;
                campaign::add(target, self.seconds * self.jobs, executions)?;
            }
        }
        ensure!(violated.is_empty(), "violated: {}", violated.join(", "));
        Ok(())
    }

    fn fuzz(&self, target: &Target) -> anyhow::Result<Fuzzed> {
        let (found, artifacts) = (target.found(), artifacts(target));
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&artifacts)?;
        let before = files(&artifacts)?;

        let mut fuzz = target.fuzzer(program(&target.program(self.sanitizer)?));
        fuzz.arg(format!("-max_total_time={}", self.seconds))
            .arg(flag("-artifact_prefix=", &artifacts.join("")));
        if self.jobs > 1 {
            fuzz.arg(format!("-fork={}", self.jobs));
        }
        let outcome = watched(fuzz.arg(&found).args(target.corpora()));

        let crashes = files(&artifacts)?;
        let crashes: Vec<_> = crashes
            .iter()
            .filter(|path| !before.contains(path))
            .collect();
        for crash in &crashes {
            self.report(target, crash)?;
        }
        Ok(Fuzzed {
            violations: crashes.len(),
            executions: match crashes.is_empty() {
                true => outcome?,
                false => 0,
            },
        })
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
        let found = target.found();
        let new = self.merge(target, &["-merge=1"], &target.corpora(), &[&found], &found)?;
        println!(
            "{}: no violation. {new} input(s) of at most {MAX_LEN} octets reach what those in corpus/ do not; they are in {}",
            target.name,
            found.display()
        );
        Ok(())
    }

    /// Commits few of the finds: those that reach each edge which the seeds do
    /// not. What only reaches an edge more often stays where it was found.
    fn record(&self, target: &Target) -> anyhow::Result<()> {
        let (kept, found) = (target.kept(), target.found());
        let cover = ["-set_cover_merge=1", "-use_counters=0"];
        let new = self.merge(target, &cover, &target.seeds(), &[&kept, &found], &kept)?;
        println!("{}: {new} input(s) are in {}", target.name, kept.display());
        Ok(())
    }

    /// Puts into a directory, in place of what is there, what of the finds reaches
    /// more than is known, and says how many that are.
    fn merge(
        &self,
        target: &Target,
        how: &[&str],
        known: &[PathBuf],
        finds: &[&Path],
        into: &Path,
    ) -> anyhow::Result<usize> {
        let merged = merged(target);
        empty(&merged)?;
        for directory in known {
            for path in files(directory)? {
                fs::copy(&path, merged.join(path.file_name().unwrap_or_default()))?;
            }
        }
        let known = files(&merged)?;
        let mut merge = target.fuzzer(program(&target.program(self.sanitizer)?));
        merge.args(how).arg(&merged);
        let finds = finds.iter().filter(|directory| directory.exists());
        let output = merge.args(finds).output()?;
        ensure!(
            output.status.success(),
            "merging the finds of {} failed:\n{}",
            target.name,
            String::from_utf8_lossy(&output.stderr)
        );
        empty(into)?;
        let mut new = 0;
        for input in files(&merged)?.iter().filter(|path| !known.contains(path)) {
            fs::rename(input, into.join(input.file_name().unwrap_or_default()))?;
            new += 1;
        }
        fs::remove_dir_all(&merged)?;
        Ok(new)
    }
}

/// What came of fuzzing a target.
struct Fuzzed {
    /// How many inputs violate the check.
    violations: usize,
    executions: u64,
}

/// Runs a fuzzer, shows what it says, and counts its executions. It says them
/// at the begin of a line, behind a `#`.
fn watched(fuzzer: &mut Command) -> anyhow::Result<u64> {
    eprintln!("+ {}", shown(fuzzer));
    let mut child = fuzzer.stderr(Stdio::piped()).spawn()?;
    let mut executions = 0;
    let stderr = child.stderr.take().context("the fuzzer has no stderr")?;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        executions = executed(&line).unwrap_or(executions);
        eprintln!("{line}");
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{}` failed: {status}", shown(fuzzer));
    Ok(executions)
}

fn executed(line: &str) -> Option<u64> {
    let rest = line.strip_prefix('#')?;
    rest.split(|char: char| !char.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Makes a directory, or empties it.
fn empty(directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    Ok(fs::create_dir_all(directory)?)
}

fn artifacts(target: &Target) -> PathBuf {
    root().join("fuzz/artifacts").join(&target.name)
}

fn merged(target: &Target) -> PathBuf {
    root().join("fuzz/merged").join(&target.name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn executions_are_read_off_both_kinds_of_status_lines() {
        assert_eq!(super::executed("#4096\tpulse  cov: 7 ft: 8"), Some(4096));
        assert_eq!(super::executed("#77: cov: 7 ft: 8 corp: 1"), Some(77));
        assert_eq!(super::executed("INFO: #77"), None);
    }
}

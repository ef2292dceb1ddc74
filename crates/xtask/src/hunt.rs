//! `cargo xtask hunt`

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    fuzz::{MAX_LEN, Sanitizer},
    shell::{command, output, root, run},
    tool,
};

/// Measure how long each fuzz target takes, from an empty corpus and on one
/// core, to find each mutant of pop3-testkit
#[derive(clap::Args)]
pub(crate) struct Hunt {
    /// A mutant; all if absent
    mutant: Option<String>,
    /// Runs of each mutant; the median counts
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// The longest hunt
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

impl Hunt {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::FUZZ.install()?;
        run(&mut Sanitizer::None.cargo_fuzz("build"))?;
        let list = output(&mut command(
            "cargo run --quiet -p pop3-testkit --example mutants",
        ))?;
        let mutants = list.lines().filter_map(|line| line.split_once('\t'));
        let wanted = |name: &str| self.mutant.as_ref().is_none_or(|mutant| mutant == name);
        let mutants: Vec<_> = mutants.filter(|(name, _)| wanted(name)).collect();
        ensure!(
            !mutants.is_empty(),
            "there is no such mutant; those there are:\n{list}"
        );

        println!(
            "| mutant | target | seconds to find, median of {} |\n|---|---|---|",
            self.runs
        );
        let mut missed = Vec::new();
        for (name, rest) in mutants {
            let target = rest.split('\t').next().unwrap_or_default();
            let mut times = (0..self.runs)
                .map(|seed| self.hunt(name, target, seed + 1))
                .collect::<anyhow::Result<Vec<_>>>()?;
            times.sort();
            match times[times.len() / 2] {
                Duration::MAX => {
                    println!("| {name} | {target} | not in {} |", self.seconds);
                    missed.push(name);
                }
                time => println!("| {name} | {target} | {:.1} |", time.as_secs_f64()),
            }
        }
        ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
        Ok(())
    }

    /// How long one run takes; `Duration::MAX` if it finds nothing.
    fn hunt(&self, mutant: &str, target: &str, seed: u32) -> anyhow::Result<Duration> {
        let scratch = root().join("fuzz/target/hunt");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        fs::create_dir_all(scratch.join("corpus"))?;
        let program = format!("fuzz/target/{}/release/{target}", host()?);
        // One core, so that the seconds mean something; where the program that
        // pins is missing, the machine decides.
        let pin = command("taskset --version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let pin = if pin.is_ok_and(|status| status.success()) {
            "taskset -c 0 "
        } else {
            ""
        };
        let start = Instant::now();
        let status = command(&format!("{pin}{program}"))
            .arg(scratch.join("corpus"))
            .arg(format!("-artifact_prefix={}/", scratch.display()))
            .arg(format!(
                "-dict={}",
                root().join("corpus/pop3.dict").display()
            ))
            .arg(format!("-max_len={MAX_LEN}"))
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-seed={seed}"))
            .env("POP3_MUTANT", mutant)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {program}"))?;
        match status.code() {
            Some(0) => Ok(Duration::MAX),
            Some(VIOLATION) => Ok(start.elapsed()),
            _ => bail!("{program} with the mutant {mutant}: {status}"),
        }
    }
}

/// The status that libFuzzer exits with when an input fails.
const VIOLATION: i32 = 77;

/// The triple that cargo-fuzz builds for.
fn host() -> anyhow::Result<String> {
    let version = output(&mut command("rustc -vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

//! `cargo xtask hunt`

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{
    shell::{command, output, pinned, run},
    table::{self, Table},
    target::{Sanitizer, flag, is_violated},
};

/// Measure how long each fuzz target takes to find each known bug of pop3-testkit and
/// pop3-simulation, from an empty corpus and on one core
#[derive(clap::Args)]
pub(crate) struct Hunt {
    /// The known bug to find; all by default
    bug: Option<String>,
    /// Runs of each known bug; the median counts
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Give up a run after this many seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// The commands that list them.
const LISTS: [&str; 2] = [
    "cargo run --quiet -p pop3-testkit --example known_bugs",
    "cargo run --quiet -p pop3-simulation --example faulty_fetches",
];

/// A bug that is found within this time gets no row.
const SOON: Duration = Duration::from_secs(1);

impl Hunt {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        run(&mut Sanitizer::None.cargo_fuzz("build")?)?;
        let list = output(&mut command(LISTS[0]))? + &output(&mut command(LISTS[1]))?;
        let mut bugs: Vec<_> = list
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect();
        bugs.retain(|(name, _)| self.bug.as_ref().is_none_or(|bug| bug == name));
        ensure!(
            !bugs.is_empty(),
            "there is no such known bug; those there are:\n{list}"
        );

        let seconds = format!("seconds, median of {}", self.runs);
        let mut table = Table::new(&["known bug", "target"], &[&seconds]);
        let (mut soon, mut missed) = (0, Vec::new());
        for &(name, rest) in &bugs {
            let target = rest.split('\t').next().unwrap_or_default();
            let mut times = (0..self.runs)
                .map(|seed| self.hunt(name, target, seed + 1))
                .collect::<anyhow::Result<Vec<_>>>()?;
            times.sort();
            let time = times[times.len() / 2];
            let shown = match time {
                Duration::MAX => format!("not in {}", self.seconds),
                time => format!("{:.1}", time.as_secs_f64()),
            };
            eprintln!("= {name}: {shown}");
            match time {
                Duration::MAX => missed.push(name),
                time if time <= SOON => soon += 1,
                _ => {}
            }
            if time > SOON {
                table.push([name, target, &shown]);
            }
        }
        let part = format!("{table}\nThe other {soon} were found within a second.\n");
        println!("{part}");
        if self.bug.is_none() {
            table::write("VERIFICATION.md", "hunt", &part)?;
        }
        ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
        Ok(())
    }

    /// The time that one run takes; `Duration::MAX` if it finds nothing.
    fn hunt(&self, bug: &str, target: &str, seed: u32) -> anyhow::Result<Duration> {
        let scratch = tempfile::tempdir()?;
        let mut fuzzer = pinned("sh fuzz/run");
        fuzzer
            .arg(Sanitizer::None.program(target)?)
            .arg(scratch.path())
            .arg(flag("-artifact_prefix=", &scratch.path().join("")))
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-seed={seed}"))
            .env("POP3_KNOWN_BUG", bug);
        let start = Instant::now();
        match is_violated(&mut fuzzer)? {
            true => Ok(start.elapsed()),
            false => Ok(Duration::MAX),
        }
    }
}

//! `cargo xtask hunt`

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{
    fuzz::target::{Sanitizer, Target, Verdict, flag},
    shell::{command, output, pinned},
    table::Table,
    verification,
};

/// Measure how long each fuzz target takes, from an empty corpus and on one
/// core, to find each known bug of pop3-testkit and pop3-simulation
#[derive(clap::Args)]
pub(crate) struct Hunt {
    /// A known bug; all if absent
    bug: Option<String>,
    /// Runs of each known bug; the median counts
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// The longest hunt
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// What lists them.
const LISTS: [(&str, &str); 2] = [
    ("pop3-testkit", "known_bugs"),
    ("pop3-simulation", "faulty_fetches"),
];

impl Hunt {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        Sanitizer::None.build()?;
        let mut list = String::new();
        for (package, example) in LISTS {
            let list_them = format!("cargo run --quiet -p {package} --example {example}");
            list += &output(&mut command(&list_them))?;
        }
        let bugs = list.lines().filter_map(|line| line.split_once('\t'));
        let wanted = |name: &str| self.bug.as_ref().is_none_or(|bug| bug == name);
        let bugs: Vec<_> = bugs.filter(|(name, _)| wanted(name)).collect();
        ensure!(
            !bugs.is_empty(),
            "there is no such known bug; those there are:\n{list}"
        );

        let seconds = format!("seconds, median of {}", self.runs);
        let mut table = Table::new(&["known bug", "target"], &[&seconds]);
        let mut missed = Vec::new();
        for &(name, rest) in &bugs {
            let target = rest.split('\t').next();
            let target = &Target::chosen(target)?[0];
            let mut times = (0..self.runs)
                .map(|seed| self.hunt(name, target, seed + 1))
                .collect::<anyhow::Result<Vec<_>>>()?;
            times.sort();
            let time = match times[times.len() / 2] {
                Duration::MAX => {
                    missed.push(name);
                    format!("not in {}", self.seconds)
                }
                time => format!("{:.1}", time.as_secs_f64()),
            };
            eprintln!("= {name}: {time}");
            let row = [name, &target.name, &time].map(str::to_owned);
            table.rows.push(row.to_vec());
        }
        println!("{table}");
        if self.bug.is_none() {
            verification::write("hunt", &table.to_string())?;
        }
        ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
        Ok(())
    }

    /// How long one run takes; `Duration::MAX` if it finds nothing.
    fn hunt(&self, bug: &str, target: &Target, seed: u32) -> anyhow::Result<Duration> {
        let scratch = tempfile::tempdir()?;
        let mut fuzzer = target.fuzzer(pinned(&target.program(Sanitizer::None)?));
        fuzzer
            .arg(scratch.path())
            .arg(flag("-artifact_prefix=", &scratch.path().join("")))
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-seed={seed}"))
            .env("POP3_KNOWN_BUG", bug);
        let start = Instant::now();
        match target.verdict(&mut fuzzer)? {
            Verdict::Holds => Ok(Duration::MAX),
            Verdict::Violated => Ok(start.elapsed()),
        }
    }
}

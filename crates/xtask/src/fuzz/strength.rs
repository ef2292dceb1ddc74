//! `cargo xtask strength`

use std::{fs, str::FromStr};

use anyhow::{Context as _, ensure};

use crate::{
    fuzz::target::{Sanitizer, Target, flag},
    shell::command,
    table::Table,
    verification,
};

/// Measure each fuzz target: executions in a second of a core's work, inputs in
/// its corpus, edges that those reach
#[derive(clap::Args)]
pub(crate) struct Strength {
    /// A target; all if absent
    target: Option<String>,
    /// How long to fuzz each target
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

/// Fewer executions a second need a reason.
const LEAST_SPEED: u64 = 5000;

/// Why a target may be slower than that.
const REASONS: [(&str, &str); 8] = [
    (
        "audit_client",
        "the server that it meets may send a flood, or a long message",
    ),
    (
        "check_server",
        "an input is a whole run of `pop3 check`, over many connections",
    ),
    (
        "client_session",
        "an input is played twice, and each log compared with the model's",
    ),
    (
        "duplex",
        "an input is a script of operations over joined sessions, and messages to fetch in them",
    ),
    (
        "fetch",
        "an input is several runs of a fetch, each with a database and a disk",
    ),
    ("line", LONG_RUNS),
    ("multiline_decode", LONG_RUNS),
    ("multiline_roundtrip", LONG_RUNS),
];

const LONG_RUNS: &str = "an octet of input may stand for 16 KiB, and models look at each of those";

impl Strength {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        Sanitizer::None.build()?;
        let mut table = Table::new(
            &["target"],
            &["inputs", "octets", "edges", "features", "executions/s"],
        );
        let (mut slow, mut reasons) = (Vec::new(), String::new());
        for target in Target::chosen(self.target.as_deref())? {
            let inputs = target.inputs()?;
            let octets: u64 = inputs
                .iter()
                .filter_map(|path| Some(fs::metadata(path).ok()?.len()))
                .sum();
            let reached = self.log(&target, &["-runs=0"])?;
            let seconds = format!("-max_total_time={}", self.seconds);
            let fuzzed = self.log(&target, &["-print_final_stats=1", &seconds])?;
            let executed: f64 = after(&fuzzed, "stat::number_of_executed_units:")?;
            let speed = (executed / after::<f64>(&fuzzed, "worked:")?) as u64;
            let reason = REASONS.iter().find(|(name, _)| *name == target.name);
            match reason {
                Some((name, reason)) => reasons += &format!("- `{name}`: {reason}\n"),
                None if speed < LEAST_SPEED => slow.push(target.name.clone()),
                None => {}
            }
            let mut row = vec![target.name.clone()];
            row.extend(
                [
                    inputs.len() as u64,
                    octets,
                    after(&reached, "cov:")?,
                    after(&reached, "ft:")?,
                    speed,
                ]
                .map(|number| number.to_string()),
            );
            table.rows.push(row);
        }
        println!("{table}{reasons}");
        if self.target.is_none() {
            verification::write("strength", &format!("{table}\n{reasons}"))?;
        }
        ensure!(
            slow.is_empty(),
            "under {LEAST_SPEED} executions a second, and no reason is given: {}",
            slow.join(", ")
        );
        Ok(())
    }

    /// What libFuzzer says of a run that begins with the committed inputs, and
    /// behind it the seconds that a core has worked for it: what else the
    /// machine does must not count.
    fn log(&self, target: &Target, flags: &[&str]) -> anyhow::Result<String> {
        let scratch = tempfile::tempdir()?;
        let mut timed = command("bash -c");
        timed
            .arg("TIMEFORMAT='worked: %U'; time \"$0\" \"$@\"")
            .arg(target.program(Sanitizer::None)?);
        let output = target
            .fuzzer(timed)
            .args(flags)
            .arg(flag("-artifact_prefix=", &scratch.path().join("")))
            .arg(scratch.path())
            .args(target.corpora())
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{} fails:\n{log}", target.name);
        Ok(log)
    }
}

/// The number that follows the last `word` of a log.
fn after<N: FromStr>(log: &str, word: &str) -> anyhow::Result<N> {
    let found = log.rsplit_once(word);
    let number = found.and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    number.with_context(|| format!("no number after {word} in:\n{log}"))
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_last_number_counts() {
        let log = "#9 INITED cov: 7 ft: 8\n#99 DONE   cov: 70 ft: 81 corp: 1\nworked: 2.5\n";
        assert_eq!(after(log, "cov:").ok(), Some(70));
        assert_eq!(after(log, "ft:").ok(), Some(81));
        assert_eq!(after(log, "worked:").ok(), Some(2.5));
        assert!(after::<u64>(log, "stat::").is_err());
    }
}

//! `cargo xtask bench`

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    shell::{bash, command, output, pinned, root, run},
    table::{self, Table},
};

mod plot;

/// Measure throughput beside peers and limits; write the figures of docs/BENCHMARKS.md and
/// docs/benchmarks.svg
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// Rounds in which the subjects take turns; the median of the ratios counts
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Run only benchmarks whose names match this, such as decode/base64; write no files
    #[arg(long, value_name = "REGEX")]
    filter: Option<String>,
    /// The page that contains the required ratios and gets the measured ones
    #[arg(long, value_name = "FILE", default_value = "docs/BENCHMARKS.md")]
    page: String,
    /// Fail if a ratio is a fifth below the one on the page
    #[arg(long)]
    last: bool,
    /// Fail if a required ratio is missed
    #[arg(long)]
    check: bool,
}

/// The names of the payloads, in the order of the tables.
const PAYLOADS: [&str; 8] = [
    "base64", "prose", "dots", "blank", "endless", "RETR", "LIST", "UIDL",
];

/// The part of a ratio that may be lost from one run to the next: identical code varies nearly as
/// much.
const TOLERANCE: f64 = 0.2;

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let page = fs::read_to_string(root().join(&self.page))
            .with_context(|| format!("cannot read {}", self.page))?;
        let speeds = self.measure()?;
        let columns = ["required", "median", "min", "max", "reached"];
        let mut ratios = Table::new(&["payload", "subject", "form", "against"], &columns);
        let (mut missed, mut lost) = (Vec::new(), Vec::new());
        for row in table::rows(&page, "ratios") {
            let [payload, subject, form, against, required, last, ..] = row[..] else {
                continue;
            };
            let (direction, name) = subject.split_once(' ').unwrap_or_default();
            let id = |name| format!("{direction}/{payload}/{name}/{form}");
            let Some(ratio) = speeds.ratio(&id(name), &id(against)) else {
                ensure!(self.filter.is_some(), "{} was not measured", id(name));
                continue;
            };
            let reached = ratio.median >= required.parse()?;
            if !reached {
                missed.push(format!("{} against {against}", id(name)));
            }
            // A row that was never measured has no figures.
            let last = if last.is_empty() { 0.0 } else { last.parse()? };
            if ratio.median < last * (1.0 - TOLERANCE) {
                lost.push(format!("{} against {against}", id(name)));
            }
            let [median, least, most] = [ratio.median, ratio.least, ratio.most].map(digits);
            let reached = if reached { "yes" } else { "**no**" };
            let words = [payload, subject, form, against, required];
            ratios.push(words.into_iter().chain([&*median, &least, &most, reached]));
        }
        let limit = "memchr limit";
        let decode = speeds.table("decode", limit, &["whole", "reads", "cached"]);
        let encode = speeds.table("encode", limit, &["whole", "reads"]);
        let reply = speeds.table("reply", "memchr line ends", &["long-reads"]);
        println!("{ratios}\n{decode}\n{encode}\n{reply}");
        if self.filter.is_none() {
            let machine = "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-; rustc --version";
            let machine = output(&mut bash(machine))?.trim().replace('\n', ", ");
            table::write(&self.page, "ratios", &format!("{ratios}\n{machine}"))?;
            for (name, table) in [("decode", decode), ("encode", encode), ("reply", reply)] {
                table::write(&self.page, name, &table.to_string())?;
            }
            let svg = root().join("docs/benchmarks.svg");
            plot::draw(&svg, |payload, subject| {
                let id = |name| format!("decode/{payload}/{name}/whole");
                let ratio = speeds.ratio(&id(subject), &id(limit))?;
                Some((ratio.median, speeds.speed(&id(subject))?))
            })?;
        }
        ensure!(
            !self.last || lost.is_empty(),
            "slower than on the page: {}",
            lost.join(", ")
        );
        ensure!(
            !self.check || missed.is_empty(),
            "required ratios missed: {}",
            missed.join(", ")
        );
        Ok(())
    }

    /// Runs the benchmarks. The results go to a directory of this run, so that another run cannot
    /// mix in.
    fn measure(&self) -> anyhow::Result<Speeds> {
        run(&mut command("cargo bench --locked -p benches --no-run"))?;
        let results = tempfile::tempdir()?;
        let log = File::create(root().join("target/bench.log"))?;
        let mut bench = pinned("cargo bench --locked --quiet -p benches -- --quiet");
        bench
            .args(&self.filter)
            .env("BENCH_ROUNDS", self.rounds.to_string())
            .env("CRITERION_HOME", results.path())
            .stdout(Stdio::null())
            .stderr(log);
        run(&mut bench).context("see target/bench.log")?;
        let mut speeds = Speeds::default();
        speeds.read(results.path())?;
        ensure!(!speeds.0.is_empty(), "no benchmark matches the filter");
        Ok(speeds)
    }
}

/// Gigaoctets per second, by round, of each `direction/payload/subject/form`.
#[derive(Default)]
struct Speeds(BTreeMap<String, BTreeMap<u32, f64>>);

impl Speeds {
    /// Reads every result that Criterion has written below a directory.
    fn read(&mut self, directory: &Path) -> anyhow::Result<()> {
        let result = directory.join("new");
        if result.is_dir() {
            let json = |file| -> anyhow::Result<Value> {
                Ok(serde_json::from_str(&fs::read_to_string(
                    result.join(file),
                )?)?)
            };
            let (benchmark, estimates) = (json("benchmark.json")?, json("estimates.json")?);
            let part = |name: &str| benchmark[name].as_str().unwrap_or_default().to_owned();
            let (form, round) = part("value_str").split_once(' ').map_or_else(
                || (part("value_str"), 1),
                |(form, round)| (form.to_owned(), round.parse().unwrap_or(1)),
            );
            let id = format!("{}/{}/{form}", part("group_id"), part("function_id"));
            let octets = benchmark["throughput"]["Bytes"].as_f64();
            let nanoseconds = estimates["median"]["point_estimate"].as_f64();
            let speed = octets.zip(nanoseconds).map(|(octets, time)| octets / time);
            let speed = speed.with_context(|| format!("{id} has no speed"))?;
            self.0.entry(id).or_default().insert(round, speed);
            return Ok(());
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                self.read(&path)?;
            }
        }
        Ok(())
    }

    /// The median of the rounds.
    fn speed(&self, id: &str) -> Option<f64> {
        Some(Ratio::of(self.0.get(id)?.values().copied().collect())?.median)
    }

    /// The ratio of the speeds of two benchmarks, round by round.
    fn ratio(&self, one: &str, other: &str) -> Option<Ratio> {
        let (one, other) = (self.0.get(one)?, self.0.get(other)?);
        let ratios = one
            .iter()
            .filter_map(|(round, speed)| Some(speed / other.get(round)?));
        Ratio::of(ratios.collect())
    }

    /// The speeds of one direction in each form, also relative to one of its subjects.
    fn table(&self, direction: &str, limit: &str, forms: &[&str]) -> Table {
        let columns = forms.iter();
        let columns = columns.flat_map(|form| [format!("{form}: GB/s"), format!("× {limit}")]);
        let columns: Vec<_> = columns.collect();
        let columns: Vec<_> = columns.iter().map(String::as_str).collect();
        let mut table = Table::new(&["payload", "subject"], &columns);
        let rows = PAYLOADS.iter();
        let rows = rows.flat_map(|payload| plot::SUBJECTS.map(|(subject, _)| (*payload, subject)));
        for (payload, subject) in rows {
            let mut row = vec![payload.to_owned(), subject.to_owned()];
            for form in forms {
                let id = |name| format!("{direction}/{payload}/{name}/{form}");
                let ratio = self.ratio(&id(subject), &id(limit));
                let numbers = [self.speed(&id(subject)), ratio.map(|ratio| ratio.median)];
                row.extend(numbers.map(|number| number.map(digits).unwrap_or_default()));
            }
            if row[2..].iter().any(|cell| !cell.is_empty()) {
                table.push(row);
            }
        }
        table
    }
}

/// The median of repeated measurements, and their spread.
struct Ratio {
    least: f64,
    median: f64,
    most: f64,
}

impl Ratio {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self {
            least: *values.first()?,
            median: *values.get(values.len() / 2)?,
            most: *values.last()?,
        })
    }
}

/// A number with its significant digits only.
fn digits(number: f64) -> String {
    match number {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        0.1.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

//! Runs the benchmarks and reads what Criterion has written.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::{
    bench::ratio::Ratio,
    shell::{command, run},
};

/// What one subject does with one payload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// `decode`, `encode` or `reply`.
    pub(crate) direction: String,
    pub(crate) payload: String,
    pub(crate) subject: String,
    /// `whole`, `reads`, `cached` or `long-reads`.
    pub(crate) form: String,
}

impl Id {
    pub(crate) fn new(direction: &str, payload: &str, subject: &str, form: &str) -> Self {
        Self {
            direction: direction.into(),
            payload: payload.into(),
            subject: subject.into(),
            form: form.into(),
        }
    }

    pub(crate) fn with_subject(&self, subject: &str) -> Self {
        Self {
            subject: subject.into(),
            ..self.clone()
        }
    }
}

/// A subject, as the benchmarks describe it.
#[derive(PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) direction: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) remark: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Ours,
    Limit,
    Loop,
    Peer,
}

/// A payload, as the benchmarks describe it.
#[derive(PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) name: String,
    pub(crate) about: String,
}

/// Gigaoctets a second, by round.
type Speeds = BTreeMap<u32, f64>;

/// All that a run has found out.
#[derive(Default)]
pub(crate) struct Measurements {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) payloads: Vec<Payload>,
    speeds: BTreeMap<Id, Speeds>,
}

impl Measurements {
    /// Runs the benchmarks, pinned to one core where that can be done.
    pub(crate) fn make(rounds: u32, payload: Option<&str>) -> anyhow::Result<Self> {
        let mut measured = Self::default();
        run(&mut command("cargo bench -p benches --no-run"))?;
        // Another run at the same time must not get in between.
        let results = tempfile::tempdir()?;
        let results = results.path();
        for direction in ["decode", "encode", "reply"] {
            let filter = format!("^{direction}/{}/", payload.unwrap_or("[^/]+"));
            measured.bench(direction, &filter, rounds, results)?;
        }
        measured.read(results)?;
        let has_part =
            |payload: &Payload| measured.speeds.keys().any(|id| id.payload == payload.name);
        measured.payloads.retain(has_part);
        if measured.payloads.is_empty() {
            bail!("nothing was measured: is there such a payload?");
        }
        Ok(measured)
    }

    fn bench(
        &mut self,
        target: &str,
        filter: &str,
        rounds: u32,
        results: &Path,
    ) -> anyhow::Result<()> {
        let log = results.join(format!("{target}.log"));
        let bench = format!("cargo bench --quiet -p benches --bench {target} -- --quiet {filter}");
        let pin = if can_pin() { "taskset -c 0 " } else { "" };
        eprintln!("+ {pin}{bench}");
        let mut child = command(&format!("{pin}{bench}"))
            .env("BENCH_ROUNDS", rounds.to_string())
            .env("CRITERION_HOME", results)
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let printed = child.stdout.take().context("no output")?;
        for line in BufReader::new(printed).lines() {
            self.heed(&line?);
        }
        if !child.wait()?.success() {
            bail!("`{bench}` failed:\n{}", fs::read_to_string(log)?);
        }
        Ok(())
    }

    /// Takes note of what the benchmarks say about themselves.
    fn heed(&mut self, line: &str) {
        match *line.split('\t').collect::<Vec<_>>() {
            ["subject", direction, name, kind, remark] => self.subjects.push(Subject {
                direction: direction.into(),
                name: name.into(),
                kind: match kind {
                    "Ours" => Kind::Ours,
                    "Limit" => Kind::Limit,
                    "Loop" => Kind::Loop,
                    _ => Kind::Peer,
                },
                remark: remark.into(),
            }),
            ["payload", name, about] => {
                let payload = Payload {
                    name: name.into(),
                    about: about.into(),
                };
                if !self.payloads.contains(&payload) {
                    self.payloads.push(payload);
                }
            }
            _ => {}
        }
    }

    /// Reads every result below `directory`.
    fn read(&mut self, directory: &Path) -> anyhow::Result<()> {
        let result = directory.join("new");
        if result.join("benchmark.json").exists() {
            let benchmark: Benchmark = json(&result.join("benchmark.json"))?;
            let estimates: Estimates = json(&result.join("estimates.json"))?;
            return self.keep(&benchmark, &estimates);
        }
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.read(&entry.path())?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, benchmark: &Benchmark, estimates: &Estimates) -> anyhow::Result<()> {
        let (direction, payload) = benchmark
            .group_id
            .split_once('/')
            .context("a group without a payload")?;
        let (form, round) = match benchmark.value_str.split_once(' ') {
            Some((form, round)) => (form, round.parse()?),
            None => (&benchmark.value_str[..], 1),
        };
        let id = Id::new(direction, payload, &benchmark.function_id, form);
        let speed = benchmark.throughput.bytes / estimates.median.point_estimate;
        self.speeds.entry(id).or_default().insert(round, speed);
        Ok(())
    }

    /// The subjects of one direction: ours, then limits, loops and peers.
    pub(crate) fn subjects_of(&self, direction: &str) -> Vec<&Subject> {
        let subjects = self.subjects.iter();
        let mut subjects: Vec<_> = subjects
            .filter(|subject| subject.direction == direction)
            .collect();
        subjects.sort_by_key(|subject| subject.kind);
        subjects
    }

    /// The payloads that were measured in one direction.
    pub(crate) fn payloads_of(&self, direction: &str) -> Vec<&Payload> {
        let is_of = |payload: &&Payload| {
            let mut ids = self.speeds.keys();
            ids.any(|id| id.direction == direction && id.payload == payload.name)
        };
        self.payloads.iter().filter(is_of).collect()
    }

    /// Octets a nanosecond, the median of the rounds.
    pub(crate) fn speed(&self, id: &Id) -> Option<f64> {
        let speeds: Vec<_> = self.speeds.get(id)?.values().copied().collect();
        Some(Ratio::of(speeds)?.median)
    }

    /// How many times as fast one is as the other, round by round.
    pub(crate) fn ratio(&self, one: &Id, other: &Id) -> Option<Ratio> {
        let other = self.speeds.get(other)?;
        let rounds = self.speeds.get(one)?.iter();
        let ratios = rounds.filter_map(|(round, speed)| Some(speed / other.get(round)?));
        Ratio::of(ratios.collect())
    }

    /// The fastest peer where `id` was measured.
    pub(crate) fn fastest_peer(&self, id: &Id) -> Option<&Subject> {
        let peers = self
            .subjects
            .iter()
            .filter(|subject| subject.kind == Kind::Peer && subject.direction == id.direction);
        let speeds =
            peers.filter_map(|peer| Some((self.speed(&id.with_subject(&peer.name))?, peer)));
        let fastest = speeds.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        Some(fastest.1)
    }
}

/// Whether a command can be pinned to one core.
fn can_pin() -> bool {
    command("taskset -c 0 true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Criterion's `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: String,
    value_str: String,
    throughput: Throughput,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Bytes")]
    bytes: f64,
}

/// Criterion's `estimates.json`, in nanoseconds.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path)?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

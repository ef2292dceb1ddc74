//! Runs the subjects on the payloads under Criterion.

use std::{cell::OnceCell, env, fmt, time::Duration};

use criterion::{Bencher, BenchmarkId, Criterion, SamplingMode, Throughput};

use crate::{
    case::{Case, Form},
    payload::Payload,
    subject::{Row, Stopwatch},
};

/// The direction of the octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the wire to the message.
    Decode,
    /// From the message to the wire.
    Encode,
    /// From the wire, with the first line, to a client's view of the reply.
    Reply,
}

impl Direction {
    const fn forms(self) -> &'static [Form] {
        match self {
            Self::Decode => &Form::ALL,
            Self::Encode => &[Form::Whole, Form::Reads],
            Self::Reply => &[Form::LongReads],
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode => "decode",
            Self::Encode => "encode",
            Self::Reply => "reply",
        })
    }
}

/// Runs every subject on every payload in every form that it accepts.
///
/// A benchmark is named `direction/payload/subject/form`. `cargo bench` alone
/// gives each a short turn on blocks of 16 MiB. Memory speed drifts within
/// seconds, so `cargo xtask bench` lets the subjects that it compares take
/// turns on 64 MiB: the variable `BENCH_ROUNDS` sets the number of rounds, and
/// the number of the round then follows the form.
pub fn run(direction: Direction, rows: &[Row]) {
    let rounds: Option<u32> = env::var("BENCH_ROUNDS")
        .ok()
        .map(|rounds| rounds.parse().expect("BENCH_ROUNDS is a number"));
    let turn = Duration::from_millis(if rounds.is_some() { 50 } else { 100 });
    let mut criterion = Criterion::default()
        .without_plots()
        .nresamples(2000)
        .sample_size(10)
        .warm_up_time(turn / 4)
        .measurement_time(turn)
        .configure_from_args();
    let octets = match (measures(), rounds) {
        (false, _) => 64 << 10,
        (true, None) => 16 << 20,
        (true, Some(_)) => 64 << 20,
    };
    for payload in Payload::each(direction, octets) {
        let verified = OnceCell::new();
        for &form in direction.forms() {
            let case = Case::new(&payload, direction, form);
            let take_part = rows.iter().filter(|row| {
                let all = row.payloads.is_empty();
                row.forms.contains(&form) && (all || row.payloads.contains(&payload.name))
            });
            let mut contestants: Vec<_> =
                take_part.map(|row| Contestant::new(row, &case)).collect();
            let mut group = criterion.benchmark_group(format!("{direction}/{}", payload.name));
            group.sampling_mode(SamplingMode::Flat);
            group.throughput(Throughput::Bytes(case.octets()));
            for round in 1..=rounds.unwrap_or(1) {
                let label = match rounds {
                    None => form.to_string(),
                    Some(_) => format!("{form} {round}"),
                };
                for contestant in contestants.iter_mut().filter(|one| one.clock < SHARE) {
                    let id = BenchmarkId::new(contestant.row.name, &label);
                    group.bench_function(id, |bencher| {
                        verified.get_or_init(|| payload.verify());
                        contestant.take_turn(bencher);
                    });
                }
            }
        }
    }
    criterion.final_summary();
}

/// A subject that was measured for this long takes no further turns.
const SHARE: Duration = Duration::from_secs(2);

/// A subject on a case.
struct Contestant<'a> {
    row: &'a Row,
    case: &'a Case<'a>,
    stopwatch: Option<Stopwatch<'a>>,
    clock: Duration,
}

impl<'a> Contestant<'a> {
    const fn new(row: &'a Row, case: &'a Case<'a>) -> Self {
        Self {
            row,
            case,
            stopwatch: None,
            clock: Duration::ZERO,
        }
    }

    fn take_turn(&mut self, bencher: &mut Bencher<'_>) {
        let stopwatch = self.stopwatch.get_or_insert_with(|| {
            (self.row.check)(self.case);
            (self.row.stopwatch)(self.case)
        });
        bencher.iter_custom(|runs| {
            let clock = stopwatch(runs);
            self.clock += clock;
            clock
        });
    }
}

/// Whether Criterion will measure (by its own rule) or only test.
fn measures() -> bool {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    has("--bench") && !has("--test")
}

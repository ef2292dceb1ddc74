//! What a subject is, and the code that checks and times it.

use std::{borrow::Cow, hint::black_box, time::Duration};

use cpu_time::ThreadTime;

use crate::case::{Case, Form};

/// Something to time.
pub trait Subject: 'static {
    /// Its name in the tables.
    const NAME: &'static str;
    /// The forms of input that it accepts.
    const FORMS: &'static [Form] = &[Form::Whole, Form::Reads];
    /// The payloads that it accepts; empty if all.
    const PAYLOADS: &'static [&'static str] = &[];

    /// The state that one run uses up.
    type Work<'a>;

    /// Prepares the next run, untimed, with the buffers of the last.
    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a>;

    /// Decodes or encodes everything.
    fn run(work: &mut Self::Work<'_>, sink: &mut impl Sink);

    /// The expected output: a correct codec's `output`, unless the subject
    /// differs.
    fn expected<'a>(_reads: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        Expected::Data(Cow::Borrowed(output))
    }
}

/// Receives the output of a subject.
pub trait Sink {
    /// Octets of the output.
    fn data(&mut self, octets: &[u8]);
    /// Octets that were only counted.
    fn counted(&mut self, octets: u64);
}

/// The expected output of a subject.
pub enum Expected<'a> {
    /// These octets.
    Data(Cow<'a, [u8]>),
    /// A number of octets, which it does not return.
    Octets(u64),
}

/// A subject in a table.
#[derive(Clone, Copy)]
pub struct Row {
    pub(crate) name: &'static str,
    pub(crate) forms: &'static [Form],
    pub(crate) payloads: &'static [&'static str],
    pub(crate) check: fn(&Case<'_>),
    pub(crate) stopwatch: for<'a> fn(&'a Case<'a>) -> Stopwatch<'a>,
}

/// Measures the time of a number of runs; keeps its buffers between calls.
pub(crate) type Stopwatch<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// Adds a subject to a table.
#[must_use]
pub const fn row<S: Subject>() -> Row {
    Row {
        name: S::NAME,
        forms: S::FORMS,
        payloads: S::PAYLOADS,
        check: check::<S>,
        stopwatch: stopwatch::<S>,
    }
}

fn check<S: Subject>(case: &Case<'_>) {
    let case = case.to_check();
    let expected = S::expected(&case.reads, case.output());
    let mut comparison = Comparison {
        expected: match &expected {
            Expected::Data(data) => data,
            Expected::Octets(_) => &[],
        },
        octets: 0,
        differs_at: None,
    };
    S::run(&mut S::prepare(&case.reads, None), &mut comparison);
    let octets = match &expected {
        Expected::Data(data) => data.len() as u64,
        Expected::Octets(octets) => *octets,
    };
    assert_eq!(comparison.differs_at, None, "{}: wrong output", S::NAME);
    assert_eq!(comparison.octets, octets, "{}: octets", S::NAME);
}

/// Measures the CPU time of the thread, so that other work on the core counts
/// as little as possible.
fn stopwatch<'a, S: Subject>(case: &'a Case<'a>) -> Stopwatch<'a> {
    let mut spent = None;
    Box::new(move |runs| {
        let mut clock = Duration::ZERO;
        for _ in 0..runs {
            let mut work = S::prepare(&case.reads, spent.take());
            let mut count = Count(0);
            let start = ThreadTime::now();
            S::run(black_box(&mut work), &mut count);
            clock += start.elapsed();
            black_box(count.0);
            spent = Some(black_box(work));
        }
        clock
    })
}

/// The sink while the clock runs.
struct Count(u64);

impl Sink for Count {
    #[inline(always)]
    fn data(&mut self, octets: &[u8]) {
        self.0 += octets.len() as u64;
    }

    #[inline(always)]
    fn counted(&mut self, octets: u64) {
        self.0 += octets;
    }
}

/// The sink that checks the output.
struct Comparison<'a> {
    expected: &'a [u8],
    octets: u64,
    differs_at: Option<u64>,
}

impl Sink for Comparison<'_> {
    fn data(&mut self, octets: &[u8]) {
        match self.expected.strip_prefix(octets) {
            Some(rest) => self.expected = rest,
            None => {
                self.differs_at.get_or_insert(self.octets);
            }
        }
        self.octets += octets.len() as u64;
    }

    fn counted(&mut self, octets: u64) {
        self.octets += octets;
    }
}

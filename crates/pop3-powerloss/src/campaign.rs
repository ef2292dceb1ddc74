//! The order of the experiments: recordings of all kinds take turns, and each is
//! tested in some crash states.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{
    command::Options,
    errors::Trial,
    experiment::{Kind, Laboratory, Setup},
    file_system::NoFileSystem,
    oracle::Wrong,
    random::Random,
    states::{Record, Unflushed},
    table::{Row, Table},
};

/// The time between two lines of progress.
const PAUSE: Duration = Duration::from_secs(5);

/// The state that workers share.
pub(crate) struct Campaign<'a> {
    options: &'a Options,
    kinds: Vec<Kind>,
    start: Instant,
    /// The number of the next recording.
    next: AtomicUsize,
    progress: Mutex<Progress>,
}

struct Progress {
    table: Table,
    states: usize,
    shown: Instant,
}

impl<'a> Campaign<'a> {
    pub(crate) fn new(options: &'a Options, kinds: Vec<Kind>) -> Self {
        let mut table = Table::default();
        for kind in &kinds {
            table.row(Row::Loss(*kind));
        }
        for kind in &kinds {
            table.row(Row::Error(kind.file_system, kind.delivery));
        }
        let start = Instant::now();
        Self {
            options,
            kinds,
            start,
            next: AtomicUsize::new(options.recording.unwrap_or_default()),
            progress: Mutex::new(Progress {
                table,
                states: 0,
                shown: start,
            }),
        }
    }

    pub(crate) fn table(self) -> Table {
        let progress = self.progress.into_inner();
        progress.unwrap_or_else(PoisonError::into_inner).table
    }

    /// Makes recordings for as long as there is time.
    pub(crate) fn work(&self, laboratory: &Laboratory) -> anyhow::Result<()> {
        while !self.is_over() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if self.options.recording.is_some_and(|only| only != number) {
                break;
            }
            if self.options.error.is_none() {
                self.recording(laboratory, number)?;
            }
            if self.options.state.is_none() {
                self.errors(laboratory, number)?;
            }
        }
        Ok(())
    }

    fn errors(&self, laboratory: &Laboratory, number: usize) -> anyhow::Result<()> {
        let kind = self.kinds[number % self.kinds.len()];
        let trials = match self.options.error {
            Some(trial) => trial..trial + 1,
            None => 0..self.options.each.div_ceil(8),
        };
        for trial in trials {
            if self.is_over() {
                break;
            }
            let seeds = [self.options.seed, number as u64, !(trial as u64)];
            let drawn = Trial::draw(kind, &mut Random::new(&seeds));
            let (ended, wrong) = match drawn.run(laboratory) {
                Ok(found) => found,
                Err(error) => {
                    eprintln!("{drawn}: not judged: {error:#}");
                    continue;
                }
            };
            let drawn = format!("{drawn}; {ended}");
            let again = format!("--recording {number} --error {trial}");
            self.found(
                Row::Error(kind.file_system, kind.delivery),
                &drawn,
                &again,
                &wrong,
            );
        }
        Ok(())
    }

    fn recording(&self, laboratory: &Laboratory, number: usize) -> anyhow::Result<()> {
        let Options { seed, .. } = *self.options;
        let kind = self.kinds[number % self.kinds.len()];
        let mut random = Random::new(&[seed, number as u64]);
        let setup = Setup::draw(kind, &mut random);
        let (record, ended) = laboratory.record(&setup, &[])?;
        if self.options.events {
            for (number, event) in record.events.iter().enumerate() {
                eprintln!("{number} {event}");
            }
        }
        if let Some(bad) = ended.iter().find(|ended| ended.status != Some(0)) {
            let wrong = Wrong {
                stuck: Some(bad.to_string()),
                ..Wrong::default()
            };
            let what = format!("{setup}; no loss of power");
            let again = format!("--recording {number} --state 0");
            self.found(Row::Loss(kind), &what, &again, &wrong);
            return Ok(());
        }
        let each = match setup.is_large {
            true => self.options.each.div_ceil(4),
            false => self.options.each,
        };
        let states = match self.options.state {
            Some(state) => state..state + 1,
            None => 0..each,
        };
        for state in states {
            if self.is_over() {
                break;
            }
            let mut random = Random::new(&[seed, number as u64, state as u64]);
            for (losses, wrong) in lose(laboratory, &setup, &record, &mut random)? {
                let what = format!("{setup}; {losses}");
                let again = format!("--recording {number} --state {state}");
                self.found(Row::Loss(kind), &what, &again, &wrong);
            }
        }
        Ok(())
    }

    fn found(&self, row: Row, what: &dyn fmt::Display, again: &str, wrong: &Wrong) {
        let mut progress = self.progress();
        progress.table.row(row).add(wrong);
        progress.states += 1;
        if !wrong.is_nothing() {
            let Options { seed, .. } = self.options;
            eprintln!("{what}: {wrong}\n  again: --seed {seed} {again}");
        }
        if progress.shown.elapsed() > PAUSE {
            progress.shown = Instant::now();
            let seconds = self.start.elapsed().as_secs_f64();
            eprintln!(
                "{seconds:.0} s: {} states, {} of them wrong, {:.1} a second",
                progress.states,
                progress.table.wrong(),
                progress.states as f64 / seconds,
            );
        }
    }

    fn is_over(&self) -> bool {
        let Options {
            seconds, states, ..
        } = *self.options;
        self.start.elapsed() >= Duration::from_secs(seconds) || self.progress().states >= states
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loses power once, and sometimes again in the next run.
pub(crate) fn lose(
    laboratory: &Laboratory,
    setup: &Setup,
    record: &Record,
    random: &mut Random,
) -> anyhow::Result<Vec<(String, Wrong)>> {
    let mut tried = Vec::new();
    let mut losses = String::new();
    let mut next = None;
    let times = if random.one_in(6) { 2 } else { 1 };
    for _ in 0..times {
        let record = next.as_ref().unwrap_or(record);
        let loss = record.draw(random);
        let moment = record.after(loss, random);
        let is_read = random.one_in(3);
        if !losses.is_empty() {
            losses.push_str("; then ");
        }
        losses.push_str(&loss.to_string());
        let (wrong, record) = match laboratory.recover(setup, &moment, is_read) {
            // No file system survives a torn write here, whatever the program does.
            Err(error) if loss.unflushed == Unflushed::Torn && error.is::<NoFileSystem>() => break,
            recovered => recovered.with_context(|| losses.clone())?,
        };
        if is_read {
            losses.push_str(", then a mail reader");
        }
        tried.push((losses.clone(), wrong));
        next = Some(record);
    }
    Ok(tried)
}

//! The order of the experiments: recordings by turns of all kinds, and of each some
//! crash states.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    command::Options,
    experiment::{Kind, Laboratory, Setup},
    oracle::Wrong,
    random::Random,
    states::{Loss, Record},
    table::Table,
};

/// Between two lines of progress.
const PAUSE: Duration = Duration::from_secs(5);

/// What workers share.
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
            table.row(*kind);
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
            self.recording(laboratory, number)?;
        }
        Ok(())
    }

    fn recording(&self, laboratory: &Laboratory, number: usize) -> anyhow::Result<()> {
        let Options { seed, .. } = *self.options;
        let kind = self.kinds[number % self.kinds.len()];
        let mut random = Random::new(&[seed, number as u64]);
        let setup = Setup::draw(kind, &mut random);
        let (record, ended) = laboratory.record(&setup)?;
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
            self.found(&setup, number, 0, "without a loss of power", &wrong);
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
                self.found(&setup, number, state, &losses, &wrong);
            }
        }
        Ok(())
    }

    fn found(&self, setup: &Setup, number: usize, state: usize, losses: &str, wrong: &Wrong) {
        let mut progress = self.progress();
        progress.table.row(setup.kind).add(wrong);
        progress.states += 1;
        if !wrong.is_nothing() {
            let Options { seed, .. } = self.options;
            eprintln!(
                "{setup}; {losses}: {wrong}\n  again: --seed {seed} --recording {number} --state {state}"
            );
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

/// Loses power once, and sometimes again in the run that follows.
fn lose(
    laboratory: &Laboratory,
    setup: &Setup,
    record: &Record,
    random: &mut Random,
) -> anyhow::Result<Vec<(String, Wrong)>> {
    let loss = record.draw(random);
    let moment = record.after(loss, random);
    let is_read = random.one_in(3);
    let again = random.one_in(6);
    let (wrong, record) = laboratory.recover(setup, &moment, is_read)?;
    let mut tried = vec![(shown(loss, is_read), wrong)];
    if again {
        let second = record.draw(random);
        let moment = record.after(second, random);
        let is_read = random.one_in(3);
        let (wrong, _) = laboratory.recover(setup, &moment, is_read)?;
        let losses = format!("{loss}; then {}", shown(second, is_read));
        tried.push((losses, wrong));
    }
    Ok(tried)
}

fn shown(loss: Loss, is_read: bool) -> String {
    let reader = if is_read { ", then a mail reader" } else { "" };
    format!("{loss}{reader}")
}

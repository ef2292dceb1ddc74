//! Runs the client in every scenario, with processes and sockets.

mod behaviour;
mod client;
mod difference;
mod identity;
mod judge;
mod listen;
mod patience;
mod recipe;
mod result;
mod settle;
mod stored;
mod watch;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    scenario::{Scenario, Transport},
    table::scenarios,
};

pub use client::{Client, Invocation, Takes};
pub use judge::Verdict;
pub use recipe::{Recipe, RecipeError, recipe_files, recipes};
pub use result::Audit;
pub use stored::Store;

use identity::Identities;
use result::Outcome;
use settle::Runs;

/// The scenario with a correct server.
const CONTROL: &str = "plain";

/// The number of scenarios of a family in which the client does not end, in the
/// same way, before the rest of the family is left out: each would take its full
/// time.
const ALIKE_MAX: usize = 3;

/// The limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time that a run may take. On Linux, the time that the client waits for a
    /// processor does not count for this limit and the next.
    pub time: Duration,
    /// The time that a client may wait for octets that the server owes it and never
    /// sends. The client is then stopped, which is not a fault.
    pub patience: Duration,
    /// The most octets in the scratch directory, and on stdout and stderr.
    pub disk: u64,
    /// The most octets of address space, where the system has such a limit.
    pub memory: u64,
}

/// How to audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The limits of each run.
    pub limits: Limits,
    /// The number of scenarios that run in parallel.
    pub jobs: usize,
}

/// The progress of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The scenario that was completed last.
    pub scenario: &'a str,
    /// The number of completed scenarios.
    pub done: usize,
    /// The number of all scenarios.
    pub all: usize,
}

impl Limits {
    /// Limits that are ample for programs that are slow to start.
    pub const DEFAULT: Self = Self {
        time: Duration::from_secs(30),
        patience: Duration::from_secs(4),
        disk: 32 << 20,
        memory: 4 << 30,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::DEFAULT,
            jobs: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Runs the client in each scenario and judges its behaviour.
///
/// The client runs up to three times, until it settles: messages that it deleted on
/// the server are gone in the next run, and its files are kept. If three scenarios
/// of a family have to be stopped in the same way, the rest of the family is left
/// out.
///
/// Each scenario has its own scratch directory, environment and port of the
/// loopback interface. The audit does not see what the client stores or sends
/// elsewhere: this is not a sandbox.
///
/// # Errors
///
/// If the client cannot be started or the scratch directory cannot be used; or if
/// the client fetches nothing from a correct server, because then it is not run
/// properly.
pub fn audit(
    client: &Client,
    scenarios: &[Scenario],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> io::Result<Audit> {
    let auditor = Auditor {
        client,
        limits: options.limits,
        identities: Identities::new()?,
        alike: Mutex::default(),
    };
    auditor.control()?;
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
    let failed: Mutex<Option<io::Error>> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(scenario) = scenarios.get(at) else {
                return;
            };
            match auditor.outcome(scenario) {
                Ok(outcome) => lock(&results).push((at, outcome)),
                Err(error) => {
                    lock(&failed).get_or_insert(error);
                    next.store(scenarios.len(), Ordering::Relaxed);
                    return;
                }
            }
            progress(Progress {
                scenario: &scenario.name(),
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                all: scenarios.len(),
            });
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, scenarios.len().max(1)) {
            scope.spawn(work);
        }
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    let mut results = std::mem::take(&mut *lock(&results));
    results.sort_by_key(|(at, _)| *at);
    let outcomes = results.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(Audit::new(&client.name, outcomes))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all scenarios of an audit share.
struct Auditor<'a> {
    client: &'a Client,
    limits: Limits,
    identities: Identities,
    /// The number of scenarios in which the client did not end, by family and kind.
    alike: Mutex<BTreeMap<(String, String), usize>>,
}

impl Auditor<'_> {
    /// Fails if the client fetches nothing from a correct server.
    fn control(&self) -> io::Result<()> {
        let mut scenarios = scenarios().iter();
        let Some(plain) = scenarios.find(|scenario| scenario.family() == CONTROL) else {
            return Ok(());
        };
        let runs = self.runs(plain)?;
        match runs.as_ref().and_then(|(_, runs)| runs.did_nothing()) {
            None => Ok(()),
            Some(how) => Err(io::Error::other(format!(
                "it stored nothing in the scenario {CONTROL}, where the server is correct: {how}"
            ))),
        }
    }

    fn outcome(&self, scenario: &Scenario) -> io::Result<Outcome> {
        if self.has_shown_enough(scenario.family()) {
            return Ok(Outcome::not_tried(scenario));
        }
        let Some((scenario, runs)) = self.runs(scenario)? else {
            return Ok(Outcome::not_tried(scenario));
        };
        if let Some(how) = runs.endless() {
            let key = (scenario.family().to_owned(), how.to_owned());
            *lock(&self.alike).entry(key).or_default() += 1;
        }
        Ok(Outcome::new(&scenario, runs))
    }

    fn has_shown_enough(&self, family: &str) -> bool {
        let alike = lock(&self.alike);
        let mut of_family = alike.iter().filter(|((name, _), _)| name == family);
        of_family.any(|(_, count)| *count >= ALIKE_MAX)
    }

    /// Returns the scenario as adapted to this client, and its runs; `None` if it
    /// needs TLS and the client has no command that requires STLS.
    fn runs(&self, scenario: &Scenario) -> io::Result<Option<(Scenario, Runs)>> {
        let client = self.client;
        let way = match (scenario.transport, &client.plain, &client.stls) {
            (Transport::Any, Some(plain), _) => (plain, Transport::Any),
            (_, _, Some(stls)) => (stls, Transport::Stls),
            _ => return Ok(None),
        };
        let mut scenario = scenario.clone();
        if way.1 == Transport::Stls && scenario.transport == Transport::Any {
            // The client requires STLS, whatever the scenario is about.
            scenario.capabilities.push("STLS".to_owned());
        }
        let runs = settle::runs(client, way, &scenario, &self.limits, &self.identities)?;
        Ok(Some((scenario, runs)))
    }
}

#[cfg(test)]
mod tests;

//! Every scenario, a run of the client or some for each: processes and sockets.

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

/// The scenario in which nothing is odd.
const CONTROL: &str = "plain";

/// How many scenarios of a family a client fails to end in, in the same way,
/// before the rest of the family is left out: each would take its full time.
const ALIKE_MAX: usize = 3;

/// How far a client may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a run may take. For this limit and the next, the time in which
    /// the client waits for a processor does not count on Linux.
    pub time: Duration,
    /// How long a client may wait for octets that the server owes it and never
    /// sends. It is then stopped, and nothing is held against it.
    pub patience: Duration,
    /// Octets in the scratch directory, and in what it writes to stdout and to
    /// stderr.
    pub disk: u64,
    /// Octets of address space, where the system has such a limit.
    pub memory: u64,
}

/// How to audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The limits of each run.
    pub limits: Limits,
    /// How many scenarios at once.
    pub jobs: usize,
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The scenario that is done.
    pub scenario: &'a str,
    /// How many are.
    pub done: usize,
    /// Of how many.
    pub all: usize,
}

impl Limits {
    /// Ample for programs that are slow to start.
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

/// Runs the client for each scenario and judges what it did.
///
/// It is run until it settles, three times at most: what it has deleted on the
/// server is gone in its next run, what it has stored and noted is there. Where
/// the lab has to stop it in three scenarios of a family, and in the same way,
/// the rest of the family is left out.
///
/// Each scenario has a scratch directory of its own, an environment of its own and
/// a port of the loopback interface. What it stores elsewhere, or sends
/// elsewhere, the lab does not see: this is no sandbox.
///
/// # Errors
///
/// If the client cannot be started, or the scratch directory not be used; or if it
/// fetches nothing where nothing is odd, since then it is not being run as it
/// should.
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
    /// In how many scenarios of this family the client did not end, by how.
    alike: Mutex<BTreeMap<(String, String), usize>>,
}

impl Auditor<'_> {
    /// Fails if the client fetches nothing where nothing is odd.
    fn control(&self) -> io::Result<()> {
        let mut scenarios = scenarios().iter();
        let Some(plain) = scenarios.find(|scenario| scenario.family() == CONTROL) else {
            return Ok(());
        };
        let runs = self.runs(plain)?;
        match runs.as_ref().and_then(|(_, runs)| runs.did_nothing()) {
            None => Ok(()),
            Some(how) => Err(io::Error::other(format!(
                "it stored nothing in the scenario {CONTROL}, where nothing is odd: {how}"
            ))),
        }
    }

    fn outcome(&self, scenario: &Scenario) -> io::Result<Outcome> {
        if self.has_shown_enough(scenario.family()) {
            return Ok(Outcome::as_before(scenario));
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

    /// The scenario as this client meets it, and its runs; `None` if it needs
    /// TLS and the client is not told how.
    fn runs(&self, scenario: &Scenario) -> io::Result<Option<(Scenario, Runs)>> {
        let client = self.client;
        let way = match (scenario.transport, &client.plain, &client.stls) {
            (Transport::Any, Some(plain), _) => (plain, Transport::Any),
            (_, _, Some(stls)) => (stls, Transport::Stls),
            _ => return Ok(None),
        };
        let mut scenario = scenario.clone();
        if way.1 == Transport::Stls && scenario.transport == Transport::Any {
            // The client insists on it, whatever the scenario is about.
            scenario.capabilities.push("STLS".to_owned());
        }
        let runs = settle::runs(client, way, &scenario, &self.limits, &self.identities)?;
        Ok(Some((scenario, runs)))
    }
}

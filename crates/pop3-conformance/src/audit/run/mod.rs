//! Every scenario, one run of the client for each: processes and sockets.

mod behaviour;
mod client;
mod identity;
mod judge;
mod listen;
mod recipe;
mod result;
mod stored;
mod watch;

use std::{
    fs, io,
    os::unix::fs::chown,
    path::Path,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

use super::scenario::{Scenario, Transport};

pub use client::{Client, Invocation, Takes};
pub use judge::Verdict;
pub use recipe::{Recipe, RecipeError, recipe_files, recipes};
pub use result::Audit;
pub use stored::Store;

use client::{USER, Values};
use identity::Identities;
use judge::Run;
use listen::Listener;
use result::Outcome;

/// How far a client may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a run may take.
    pub time: Duration,
    /// How long a client may wait for octets that the server owes it and never
    /// sends. It is then stopped, and nothing is held against it.
    pub patience: Duration,
    /// Octets in the scratch folder, and in what it writes to stdout and to
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
    /// How many runs at once.
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

/// Whom root lends its runs to: `nobody`.
const NOBODY: u32 = 65534;

/// Folders above the scratch folder, so that a unique-id that leads out of it
/// leads to where the lab looks.
const DEPTH: &str = "a/b/c/d/e/home";

/// A part of a name that only a unique-id has.
const MARK: &str = "escaped-by-unique-id";

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

/// Runs the client once for each scenario and judges what it did.
///
/// The client is run in a scratch folder of its own, with an environment of its
/// own, on ports of the loopback interface. What it stores elsewhere, or sends
/// elsewhere, the lab does not see: this is no sandbox.
///
/// # Errors
///
/// If the client cannot be started, or the scratch folder not be used.
pub fn audit(
    client: &Client,
    scenarios: &[Scenario],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> io::Result<Audit> {
    let identities = Identities::new()?;
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
            match outcome(client, scenario, &options.limits, &identities) {
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

fn outcome(
    client: &Client,
    scenario: &Scenario,
    limits: &Limits,
    identities: &Identities,
) -> io::Result<Outcome> {
    let invocation = match (scenario.transport, &client.plain, &client.stls) {
        (Transport::Any, Some(plain), _) => Some((plain, Transport::Any)),
        (_, _, Some(stls)) => Some((stls, Transport::Stls)),
        _ => None,
    };
    let Some((invocation, transport)) = invocation else {
        return Ok(Outcome::not_tried(scenario));
    };
    let mut scenario = scenario.clone();
    if transport == Transport::Stls && scenario.transport == Transport::Any {
        // The client insists on it, whatever the scenario is about.
        scenario.capabilities.push("STLS".to_owned());
    }
    let run = run(client, invocation, &scenario, transport, limits, identities)?;
    let faults = judge::judge(&scenario, &run, &client.store, client.takes);
    Ok(Outcome::new(&scenario, &run, faults))
}

fn run(
    client: &Client,
    invocation: &Invocation,
    scenario: &Scenario,
    transport: Transport,
    limits: &Limits,
    identities: &Identities,
) -> io::Result<Run> {
    let base = scratch()?;
    let home = base.path().join(DEPTH);
    fs::create_dir_all(&home)?;
    let place = home.join(&client.place);
    if client.store == Store::Maildir {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(place.join(part))?;
        }
    }
    let cafile = base.path().join("ca.pem");
    fs::write(&cafile, &identities.pem)?;
    let (events, inbox) = channel();
    let tls = identities.config(scenario.certificate);
    let listener = Listener::start(scenario, tls, events.clone())?;
    let values = Values {
        port: listener.port,
        cafile: &cafile,
        home: &home,
        place: &place,
    };
    values.write_files(invocation)?;
    let ended = command(client, invocation, &values, base.path())
        .and_then(|command| watch::run(command, base.path(), limits, (&events, &inbox)));
    // Also if the client could not be started.
    let logs = listener.stop();
    let ended = ended?;
    Ok(Run {
        stored: client.store.read(&place, &ended.stdout)?,
        escaped: has_marked(base.path(), &place),
        end: ended.end,
        stderr: ended.stderr,
        logs,
        transport,
    })
}

/// A folder in memory where the system has a place for that: clients wait for
/// the disk after each message.
fn scratch() -> io::Result<tempfile::TempDir> {
    const MEMORY: &str = "/dev/shm";
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("pop3-audit-");
    match cfg!(target_os = "linux") {
        true => builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir()),
        false => builder.tempdir(),
    }
}

fn command(
    client: &Client,
    invocation: &Invocation,
    values: &Values<'_>,
    base: &Path,
) -> io::Result<Command> {
    use std::os::unix::process::CommandExt as _;
    let mut words = invocation.command.iter().map(|word| values.fill(word));
    let program = words
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is named"))?;
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(values.home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", values.home)
        .env("TMPDIR", values.home)
        .env("USER", USER)
        .env("LOGNAME", USER)
        .env("LC_ALL", "C");
    for (name, value) in &invocation.env {
        command.env(name, values.fill(value));
    }
    if client.not_as_root && rustix::process::geteuid().is_root() {
        give_away(base)?;
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

fn give_away(path: &Path) -> io::Result<()> {
    chown(path, Some(NOBODY), Some(NOBODY))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give_away(&entry?.path())?;
        }
    }
    Ok(())
}

/// Whether a file outside of the mail is named after a hostile unique-id.
fn has_marked(folder: &Path, mail: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let marked = entry.file_name().to_string_lossy().ends_with(MARK);
        marked || path.is_dir() && path != mail && has_marked(&path, mail)
    })
}

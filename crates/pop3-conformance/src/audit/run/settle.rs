//! The runs of a client in a scenario, until it settles.
//!
//! Files in the client's directory and messages left on the server stay for the
//! next run, as if the client ran every hour. A fault of a server may show only
//! then: the first run stops with an error and keeps a wrong record, and the second
//! run trusts it.
//!
//! A client has settled as soon as another run could show nothing new:
//!
//! - *The run changed nothing*, neither a file in the scratch directory nor the
//!   maildrop, so the next run would begin like this one.
//! - *It ended with status 0 and the maildrop is empty.* No message is left that
//!   could be lost.
//!
//! A client that was dangerous is not run again: that is the worst verdict.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs,
    hash::Hasher as _,
    io,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::channel,
};

use super::{
    Client, Invocation, Limits, Store, Verdict,
    client::{USER, Values},
    identity::Identities,
    judge::{self, Fault, Run},
    listen::Listener,
    watch::{self, End},
};
use crate::audit::{
    Log, Maildrop,
    scenario::{Scenario, Transport},
};

/// The most lines of a client's output that are shown.
const SAID_MAX: usize = 8;

/// The most runs of a scenario.
const RUNS_MAX: usize = 3;

/// The user id of `nobody`, under which root runs some clients.
const NOBODY: u32 = 65534;

/// Directories above the scratch directory, so that a unique-id that leads out of
/// it leads to a place that the audit examines.
const DEPTH: &str = "a/b/c/d/e/home";

/// A part of a file name that only comes from a unique-id.
const MARK: &str = "escaped-by-unique-id";

/// The runs of a scenario, and their faults.
pub(super) struct Runs {
    pub(super) runs: Vec<Run>,
    /// The worst first.
    pub(super) faults: Vec<Fault>,
    pub(super) settled: bool,
}

impl Runs {
    /// The end and the output of each run, if all of them ended by themselves
    /// without storing or deleting anything.
    pub(super) fn did_nothing(&self) -> Option<String> {
        let is_idle = |run: &Run| {
            let commands = || run.logs.iter().flat_map(Log::commands);
            matches!(run.end, End::Exited(_))
                && run.stored.is_empty()
                && !commands().any(|command| command.begins_with("DELE"))
        };
        let last = self.runs.last()?;
        let connected = match self.runs.iter().any(|run| !run.logs.is_empty()) {
            true => "",
            false => "; it never connected to the server",
        };
        let is_idle = self.runs.iter().all(is_idle);
        is_idle.then(|| format!("{}{connected}", last.ending(SAID_MAX)))
    }

    /// The worst fault of a client that had to be stopped.
    pub(super) fn endless(&self) -> Option<&str> {
        let end = self.runs.last()?.end;
        let stopped = matches!(end, End::Time | End::Grew | End::Swallowed | End::Loops);
        let worst = self.faults.first().filter(|_| stopped)?;
        Some(&worst.what)
    }
}

/// A client, its scratch directory and its server.
struct Workplace<'a> {
    client: &'a Client,
    invocation: &'a Invocation,
    transport: Transport,
    limits: &'a Limits,
    base: tempfile::TempDir,
    home: PathBuf,
    place: PathBuf,
    cafile: PathBuf,
    listener: Listener,
}

/// What a run may change: files by their octets, and the maildrop.
#[derive(PartialEq, Eq)]
struct State {
    files: BTreeMap<PathBuf, u64>,
    maildrop: Maildrop,
}

/// Runs a client until it settles.
pub(super) fn runs(
    client: &Client,
    (invocation, transport): (&Invocation, Transport),
    scenario: &Scenario,
    limits: &Limits,
    identities: &Identities,
) -> io::Result<Runs> {
    let workplace = Workplace::new(
        client,
        (invocation, transport),
        scenario,
        limits,
        identities,
    )?;
    let mut runs: Vec<Run> = Vec::new();
    let mut before = workplace.state();
    loop {
        let run = workplace.run()?;
        let succeeded = run.end == End::Exited(0);
        runs.push(run);
        let after = workplace.state();
        let settled = after == before || succeeded && after.maildrop.is_empty();
        let faults = judge::judge(scenario, &runs, &client.store, client.takes);
        let worst = faults.first().map(|fault| fault.verdict);
        if settled || worst == Some(Verdict::Dangerous) || runs.len() == RUNS_MAX {
            return Ok(Runs {
                runs,
                faults,
                settled,
            });
        }
        before = after;
    }
}

impl<'a> Workplace<'a> {
    fn new(
        client: &'a Client,
        (invocation, transport): (&'a Invocation, Transport),
        scenario: &Scenario,
        limits: &'a Limits,
        identities: &Identities,
    ) -> io::Result<Self> {
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
        let tls = identities.config(scenario.certificate);
        let workplace = Self {
            client,
            invocation,
            transport,
            limits,
            home,
            place,
            cafile,
            listener: Listener::bind(scenario, tls)?,
            base,
        };
        workplace.values().write_files(invocation)?;
        Ok(workplace)
    }

    fn run(&self) -> io::Result<Run> {
        let base = self.base.path();
        let (events, inbox) = channel();
        let serving = self.listener.serve(events.clone())?;
        let ended = self
            .command()
            .and_then(|command| watch::run(command, base, self.limits, (&events, &inbox)));
        // The server gets no further answers.
        drop(inbox);
        // Stop serving even if the client could not be started.
        let logs = serving.stop();
        let ended = ended?;
        let stored = self.client.store.read(&self.place, &ended.stdout)?;
        let is_silent = ended.stderr.trim_ascii().is_empty();
        Ok(Run {
            stored,
            escaped: has_marked(base, &self.place),
            end: ended.end,
            said: match is_silent && self.client.store != Store::Stdout {
                true => ended.stdout,
                false => ended.stderr,
            },
            logs,
            transport: self.transport,
        })
    }

    fn state(&self) -> State {
        let mut files = BTreeMap::new();
        add_files(self.base.path(), &mut files);
        State {
            files,
            maildrop: self.listener.maildrop(),
        }
    }

    fn values(&self) -> Values<'_> {
        Values {
            port: self.listener.port,
            cafile: &self.cafile,
            home: &self.home,
            place: &self.place,
        }
    }

    fn command(&self) -> io::Result<Command> {
        use std::os::unix::process::CommandExt as _;
        let values = self.values();
        let mut words = self.invocation.command.iter().map(|word| values.fill(word));
        let program = words
            .next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is given"))?;
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(&self.home)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("TMPDIR", &self.home)
            .env("USER", USER)
            .env("LOGNAME", USER)
            .env("LC_ALL", "C");
        for (name, value) in &self.invocation.env {
            command.env(name, values.fill(value));
        }
        if self.client.not_as_root && rustix::process::geteuid().is_root() {
            give_away(self.base.path())?;
            command.uid(NOBODY).gid(NOBODY);
        }
        Ok(command)
    }
}

/// Makes a scratch directory, in memory if possible: clients wait for the disk
/// after each message.
fn scratch() -> io::Result<tempfile::TempDir> {
    const MEMORY: &str = "/dev/shm";
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("pop3-audit-");
    match cfg!(target_os = "linux") {
        true => builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir()),
        false => builder.tempdir(),
    }
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
fn has_marked(directory: &Path, mail: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let marked = entry.file_name().to_string_lossy().ends_with(MARK);
        marked || path.is_dir() && path != mail && has_marked(&path, mail)
    })
}

/// Adds every file below a directory, with a hash of its octets. An unreadable file
/// counts as empty.
fn add_files(directory: &Path, files: &mut BTreeMap<PathBuf, u64>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => add_files(&path, files),
            Ok(kind) if kind.is_file() => {
                let mut hasher = DefaultHasher::new();
                hasher.write(&fs::read(&path).unwrap_or_default());
                files.insert(path, hasher.finish());
            }
            _ => drop(files.insert(path, 0)),
        }
    }
}

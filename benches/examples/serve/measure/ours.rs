//! `pop3 serve` as a process, with a Maildir for each user.

use std::{
    collections::HashSet,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::Duration,
};

use pop3_peers::{Listening, make_maildir};
use tempfile::TempDir;

use super::{Outcome, PASSWORD};

/// The name of a user.
pub(crate) fn user(number: usize) -> String {
    format!("user{number}")
}

#[derive(Clone, Copy)]
pub(crate) enum Hashes {
    Argon2,
    Scram,
}

/// What a server takes at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Resident, in KiB.
    pub(crate) memory: u64,
    pub(crate) threads: u64,
    /// Open files.
    pub(crate) files: usize,
}

/// A running server, which ends when it is dropped.
pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    process: Listening,
    _directory: TempDir,
}

impl Ours {
    /// Starts a server with a message in the Maildir of each user.
    pub(crate) fn start(
        users: usize,
        hashes: Hashes,
        message: &[u8],
        options: &[&str],
    ) -> Outcome<Self> {
        let directory = TempDir::with_prefix("pop3-serve-bench-")?;
        let line = hash(hashes)?;
        let stored = directory.path().join("message");
        fs::write(&stored, message)?;
        let mut file = String::new();
        for number in 0..users {
            let user = user(number);
            let maildir = directory.path().join(&user);
            make_maildir(&maildir)?;
            // One file in the page cache serves all.
            fs::hard_link(&stored, maildir.join("new/1600000000.1.example"))?;
            file += &format!("{user}:{line}:{user}\n");
        }
        let users = directory.path().join("users");
        fs::write(&users, file)?;
        let mut command = Command::new(program());
        command
            .args(["serve", "--listen=127.0.0.1:0", "--log-level=off"])
            .args(["--max-connections-per-address=1000", "--login-delay=0"])
            .args(options)
            .arg("--users")
            .arg(users)
            .stdin(Stdio::null());
        let process = Listening::start(&mut command)?;
        Ok(Self {
            address: process.address.parse()?,
            process,
            _directory: directory,
        })
    }

    pub(crate) fn size(&self) -> Outcome<Size> {
        let process = Path::new("/proc").join(self.process.child.id().to_string());
        let status = fs::read_to_string(process.join("status"))?;
        Ok(Size {
            memory: value(&status, "VmRSS:")?,
            threads: value(&status, "Threads:")?,
            files: fs::read_dir(process.join("fd"))?.count(),
        })
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/pop3")
}

fn hash(hashes: Hashes) -> Outcome<String> {
    let mut command = Command::new(program());
    command.args(["serve", "--hash", "x"]);
    if let Hashes::Scram = hashes {
        command.arg("--scram");
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", program().display()))?;
    let mut input = child.stdin.take().ok_or("no input")?;
    input.write_all(PASSWORD.as_bytes())?;
    drop(input);
    let line = String::from_utf8(child.wait_with_output()?.stdout)?;
    Ok(line.trim_end().trim_start_matches("x:").to_owned())
}

/// The memory of a program that this process has started and of all processes below
/// it, in KiB, when none of them ends any more. What they share counts once.
pub(crate) fn resident(program: &str) -> Outcome<u64> {
    let mut before = 0;
    loop {
        let processes = below(program)?;
        if processes.len() == before {
            let sizes = processes.iter().map(|process| {
                let path = format!("/proc/{process}/smaps_rollup");
                field(Path::new(&path), "Pss:")
            });
            return sizes.sum();
        }
        before = processes.len();
        thread::sleep(Duration::from_secs(1));
    }
}

/// The children of this process with this name, and all processes below them.
fn below(program: &str) -> Outcome<HashSet<u64>> {
    let mut parents = Vec::new();
    let mut found = HashSet::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        let status = fs::read_to_string(path.join("status"));
        // A process may end at any time.
        let (Some(number), Ok(status)) = (number, status) else {
            continue;
        };
        let parent = value(&status, "PPid:")?;
        if parent == u64::from(process::id()) && status.starts_with(&format!("Name:\t{program}\n"))
        {
            found.insert(number);
        }
        parents.push((number, parent));
    }
    loop {
        let count = found.len();
        let children = parents.iter().filter(|(_, parent)| found.contains(parent));
        let children: Vec<u64> = children.map(|(child, _)| *child).collect();
        found.extend(children);
        if found.len() == count {
            return Ok(found);
        }
    }
}

/// The number after a name in a file of `/proc`.
fn field(path: &Path, name: &str) -> Outcome<u64> {
    value(&fs::read_to_string(path)?, name)
}

fn value(text: &str, name: &str) -> Outcome<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.and_then(|value| value.split_whitespace().next());
    Ok(value.ok_or("no such field")?.parse()?)
}

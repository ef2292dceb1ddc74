//! Runs a client program under limits on time, disk, output and memory.

use std::{
    fs,
    io::{self, Read},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Limits, patience::Patience};
use crate::audit::MAX_FLOOD;

/// The interval at which the client is examined.
const LOOK: Duration = Duration::from_millis(50);

/// The most octets by which the memory of a client may grow while it receives an
/// endless line. The rest of the line may still be in transit.
const SWALLOWED: u64 = MAX_FLOOD as u64 / 2;

/// How long to wait for the end of a pipe after the client has ended.
const PIPE: Duration = Duration::from_secs(2);

/// An event of a run, for the watcher.
#[derive(Debug)]
pub(super) enum Event {
    /// The client sent something, or read a piece of an endless line.
    Moved,
    /// The server owes the client octets and will not send them. The server
    /// waits until the sender is dropped.
    Owes(Sender<()>),
    /// The client sends too much.
    TooMuch,
    /// It read all of an endless line.
    Flooded,
    /// It wrote more to stdout or stderr than the limit allows.
    Output,
    /// It has ended.
    Ended,
}

/// How a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that the audit did not send.
    Killed(i32),
    /// It was stopped while it waited for octets that the server owed it.
    Waiting,
    /// It was stopped at the time limit.
    Time,
    /// Its files or its output exceeded the limit.
    Grew,
    /// It keeps all of an endless line in memory.
    Swallowed,
    /// It sent commands without end.
    Loops,
}

/// A client that has ended.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Runs a client in its scratch directory until it ends or is stopped. Its child
/// processes are killed with it.
pub(super) fn run(
    mut command: Command,
    scratch: &Path,
    limits: &Limits,
    (events, inbox): (&Sender<Event>, &Receiver<Event>),
) -> io::Result<Ended> {
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let kill = || {
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    };
    set_limits(group, limits);
    let stdout = child
        .stdout
        .take()
        .map(|pipe| read(pipe, limits.disk, events));
    let stderr = child
        .stderr
        .take()
        .map(|pipe| read(pipe, limits.disk, events));
    let waiter = wait(child, events);
    let stopped = watch(scratch, group, limits, inbox);
    kill();
    let status = waiter
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a worker thread panicked")))?;
    // A child process may have reached the file limit and died.
    let grew = (size(scratch) > limits.disk).then_some(End::Grew);
    Ok(Ended {
        end: stopped.or(grew).unwrap_or_else(|| end(status)),
        stdout: stdout.map(Output::take).unwrap_or_default(),
        stderr: stderr.map(Output::take).unwrap_or_default(),
    })
}

/// Waits for the end of the client, or for a reason to stop it.
fn watch(
    scratch: &Path,
    group: Option<Pid>,
    limits: &Limits,
    inbox: &Receiver<Event>,
) -> Option<End> {
    let mut time = Patience::new(group, limits.time);
    let mut patience: Option<Patience> = None;
    // Its memory when the server began to owe it octets or to send an endless line.
    let mut before = 0;
    loop {
        match inbox.recv_timeout(LOOK) {
            Ok(Event::Ended) => return None,
            Ok(Event::Owes(go_on)) => {
                patience = Some(Patience::new(group, limits.patience));
                before = resident(group);
                drop(go_on);
            }
            Ok(Event::Flooded) => {
                let grown = resident(group).saturating_sub(before);
                if (SWALLOWED..).contains(&grown) {
                    return Some(End::Swallowed);
                }
            }
            Ok(Event::Moved) => {
                patience = patience.map(|_| Patience::new(group, limits.patience));
            }
            Ok(Event::TooMuch) => return Some(End::Loops),
            Ok(Event::Output) => return Some(End::Grew),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if size(scratch) > limits.disk {
            return Some(End::Grew);
        }
        if let Some(patience) = &mut patience
            && patience.is_over()
        {
            return Some(End::Waiting);
        }
        if time.is_over() {
            return Some(End::Time);
        }
    }
}

/// The peak memory of a process group in octets, as far as the system tells it.
#[cfg(target_os = "linux")]
fn resident(group: Option<Pid>) -> u64 {
    let Some(group) = group else {
        return 0;
    };
    let group = group.as_raw_nonzero().to_string();
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    let of = |process: &Path| {
        let stat = fs::read_to_string(process.join("stat")).ok()?;
        // The name may contain anything but is in brackets; state, parent and group
        // follow.
        let (_, fields) = stat.rsplit_once(')')?;
        if fields.split_ascii_whitespace().nth(2)? != group {
            return None;
        }
        let status = fs::read_to_string(process.join("status")).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes = peak.split_ascii_whitespace().next()?;
        kibibytes.parse::<u64>().ok()?.checked_mul(1024)
    };
    let peaks = processes.flatten().filter_map(|entry| of(&entry.path()));
    peaks.fold(0, u64::saturating_add)
}

#[cfg(not(target_os = "linux"))]
fn resident(_group: Option<Pid>) -> u64 {
    0
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) if signal == Signal::XFSZ.as_raw() => End::Grew,
        (None, signal) => End::Killed(signal.unwrap_or_default()),
    }
}

/// The sizes of all files of a directory.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        _ => entry.metadata().map_or(0, |file| file.len()),
    });
    sizes.fold(0, u64::saturating_add)
}

/// The output of a client, or the beginning if it is too long.
struct Output {
    octets: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Output {
    /// Returns all output. Does not wait for child processes that have left the
    /// process group and keep the pipe open.
    fn take(self) -> Vec<u8> {
        let _ = self.end.recv_timeout(PIPE);
        let mut octets = self.octets.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut octets)
    }
}

fn read(mut pipe: impl Read + Send + 'static, max: u64, events: &Sender<Event>) -> Output {
    let octets = Arc::new(Mutex::new(Vec::new()));
    let (ended, end) = channel::<()>();
    let (events, kept) = (events.clone(), Arc::clone(&octets));
    thread::spawn(move || {
        let mut piece = [0; 1 << 14];
        while let Ok(read @ 1..) = pipe.read(&mut piece) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if (kept.len() + read) as u64 > max {
                let _ = events.send(Event::Output);
                break;
            }
            kept.extend_from_slice(&piece[..read]);
        }
        drop(ended);
    });
    Output { octets, end }
}

fn wait(mut child: Child, events: &Sender<Event>) -> JoinHandle<io::Result<ExitStatus>> {
    let events = events.clone();
    thread::spawn(move || {
        let status = child.wait();
        let _ = events.send(Event::Ended);
        status
    })
}

/// Limits memory and file sizes. Where the system has no such limits, the directory
/// is still watched.
fn set_limits(pid: Option<Pid>, limits: &Limits) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, prlimit};
        for (resource, max) in [
            (Resource::As, limits.memory),
            (Resource::Fsize, limits.disk),
            (Resource::Core, 0),
        ] {
            let limit = Rlimit {
                current: Some(max),
                maximum: Some(max),
            };
            let _ = prlimit(pid, resource, limit);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, limits);
}

#[cfg(test)]
mod tests;

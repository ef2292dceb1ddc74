//! Limits on the time of a client: how long it may run, and how long it may wait
//! for octets that the server owes it. The time that the client waits for a
//! processor does not count, so that a busy machine does not change the verdict.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Pid;

/// The time until a client that waits for a processor is examined again.
const LOOK: Duration = Duration::from_millis(50);

/// A limit of time for one client.
pub(super) struct Patience {
    group: Option<Pid>,
    whole: Duration,
    began: Instant,
    at_first: Turns,
    /// The state when the client was last found waiting for a processor.
    last: Option<Turns>,
    due: Instant,
}

impl Patience {
    /// A limit that starts now. `group` is the process group of the client.
    pub(super) fn new(group: Option<Pid>, whole: Duration) -> Self {
        let began = Instant::now();
        Self {
            group,
            whole,
            began,
            at_first: Turns::of(group),
            last: None,
            due: began + whole,
        }
    }

    /// When to call [`is_over`](Self::is_over) again.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Whether the client has had all of the time.
    pub(super) fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if now < self.due {
            return false;
        }
        let turns = Turns::of(self.group);
        let queued = turns.queued.saturating_sub(self.at_first.queued);
        self.due = self.began + self.whole + queued;
        if now < self.due {
            self.last = None;
            return false;
        }
        // The system adds the waiting time only when the thread runs.
        let has_not_run = self.last.is_none_or(|last| last.ran == turns.ran);
        if turns.is_ready && has_not_run {
            self.last = Some(turns);
            self.due = now + LOOK;
            return false;
        }
        true
    }
}

/// The client's use of processors according to the system, over all its threads.
#[derive(Clone, Copy, Default)]
struct Turns {
    ran: Duration,
    queued: Duration,
    /// Whether a thread runs or waits for a processor.
    is_ready: bool,
}

impl Turns {
    /// Reads the state of a process group; zero where the system does not tell it.
    fn of(group: Option<Pid>) -> Self {
        let mut turns = Self::default();
        if let Some(group) = group {
            turns.add(&group.as_raw_nonzero().to_string());
        }
        turns
    }

    fn add(&mut self, process: &str) {
        let threads = fs::read_dir(Path::new("/proc").join(process).join("task"));
        for thread in threads.into_iter().flatten().flatten() {
            let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let schedule = read("schedstat");
            let mut times = schedule.split_ascii_whitespace().map(str::parse::<u64>);
            let mut time = || Duration::from_nanos(times.next().and_then(Result::ok).unwrap_or(0));
            self.ran += time();
            self.queued += time();
            // The name before the state may contain anything, but is in brackets.
            let stat = read("stat");
            let state = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
            self.is_ready |= state.starts_with(['R', 'D']);
            for child in read("children").split_ascii_whitespace() {
                self.add(child);
            }
        }
    }
}

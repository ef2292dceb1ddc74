//! How long a client may run, and how long it may wait for octets that the server
//! owes it. The time that the client spends in the queue for a processor does not
//! count: a busy machine must not change the verdict.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Pid;

/// How soon a client that is in the queue is looked at again.
const LOOK: Duration = Duration::from_millis(50);

/// A limit of time for one client.
pub(super) struct Patience {
    group: Option<Pid>,
    whole: Duration,
    began: Instant,
    at_first: Turns,
    /// At the last look that found it in the queue.
    last: Option<Turns>,
    due: Instant,
}

impl Patience {
    /// Starts now. `group` is the process group of the client.
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
        // The system adds the time in the queue only when the turn comes.
        let has_not_run = self.last.is_none_or(|last| last.ran == turns.ran);
        if turns.is_ready && has_not_run {
            self.last = Some(turns);
            self.due = now + LOOK;
            return false;
        }
        true
    }
}

/// What the system says of a client's turns at the processors, over all its
/// threads.
#[derive(Clone, Copy, Default)]
struct Turns {
    ran: Duration,
    queued: Duration,
    /// Whether a thread runs or is in the queue.
    is_ready: bool,
}

impl Turns {
    /// Nothing where the system does not say it.
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
            // The name before the state may hold anything, but comes in brackets.
            let stat = read("stat");
            let state = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
            self.is_ready |= state.starts_with(['R', 'D']);
            for child in read("children").split_ascii_whitespace() {
                self.add(child);
            }
        }
    }
}

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
    /// The time is not over before this.
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
            due: began,
        }
    }

    /// Whether the client has had all of the time.
    pub(super) fn is_over(&mut self) -> bool {
        let group = self.group;
        self.is_over_at(Instant::now(), || Turns::of(group))
    }

    fn is_over_at(&mut self, now: Instant, turns: impl FnOnce() -> Turns) -> bool {
        if now < self.due {
            return false;
        }
        let turns = turns();
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

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_secs(10);

    /// A process group that has waited this long for a processor.
    fn queued(seconds: u64) -> Turns {
        Turns {
            queued: Duration::from_secs(seconds),
            ..Turns::default()
        }
    }

    /// A process group with a thread that is ready after it ran this long.
    fn ready(seconds: u64) -> Turns {
        Turns {
            ran: Duration::from_secs(seconds),
            is_ready: true,
            ..Turns::default()
        }
    }

    #[track_caller]
    fn over(rows: &[(Duration, Turns, bool)]) {
        let mut patience = Patience::new(None, WHOLE);
        patience.at_first = queued(5);
        for (after, turns, is_over) in rows {
            let now = patience.began + *after;
            assert_eq!(patience.is_over_at(now, || *turns), *is_over, "{after:?}");
        }
    }

    #[test]
    fn is_over_when_the_time_is_gone() {
        let almost = WHOLE - Duration::from_nanos(1);
        over(&[(almost, queued(5), false), (WHOLE, queued(5), true)]);
        // Once a limit is known not to be reached, the system is not asked again.
        over(&[
            (almost, queued(5), false),
            (almost, queued(9), false),
            (WHOLE, queued(5), true),
        ]);
    }

    #[test]
    fn does_not_count_the_time_of_waiting_for_a_processor() {
        let longer = WHOLE + Duration::from_secs(2);
        let almost = longer - Duration::from_nanos(1);
        over(&[
            (WHOLE, queued(7), false),
            (almost, queued(5), false),
            (longer, queued(7), true),
        ]);
        // It waits since it was last examined.
        over(&[(WHOLE, ready(3), false), (WHOLE + LOOK, ready(3), false)]);
        over(&[(WHOLE, ready(3), false), (WHOLE + LOOK, ready(4), true)]);
        over(&[
            (WHOLE, ready(3), false),
            (WHOLE + LOOK / 2, ready(4), false),
        ]);
        over(&[(WHOLE, ready(3), false), (WHOLE + LOOK, queued(5), true)]);
    }

    /// All threads of all processes count.
    #[cfg(target_os = "linux")]
    #[test]
    fn reads_the_turns_of_a_process_and_its_children() {
        use std::{os::unix::process::CommandExt as _, process::Command};
        const ENOUGH: Duration = Duration::from_millis(20);
        let busy = "ulimit -t 1; while :; do :; done & while :; do :; done & wait";
        let mut shell = Command::new("/bin/sh");
        let mut child = shell.args(["-c", busy]).process_group(0).spawn().unwrap();
        let group = Pid::from_child(&child);
        let mut turns = Turns::default();
        while turns.ran < ENOUGH && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
            turns = Turns::of(Some(group));
        }
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        child.wait().unwrap();
        assert!(turns.ran >= ENOUGH && turns.is_ready);
    }
}

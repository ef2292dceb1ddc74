//! The thread that waits for the disk, or for another program: it does steps 2 to 5
//! of a [`group`](super::group) while the next group is written.

use std::{
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use super::{
    Flush, Publish, Sealed,
    handover::{Answer, HandOver, Verdict},
    intake::Committed,
};
use crate::{
    clock,
    failure::{Failure, Kind},
    journal::{Journal, Key, Pending},
};

/// A complete message of a group.
pub(crate) struct Whole {
    pub(crate) pending: Pending,
    /// Its octets as received.
    pub(crate) received: u64,
}

/// A step of the work with the disk; steps are done in the order in which they
/// come.
enum Step {
    /// Sync part of a message.
    Flush(Flush),
    Commit(Sealed, Vec<Whole>),
    /// Do nothing: when the thread takes this, all earlier steps are done.
    Wait,
    /// Record that no unfinished files are left.
    End,
}

/// Does the work, on the caller's thread or on one of its own.
pub(crate) struct Committer {
    worker: Worker,
}

enum Worker {
    Here(Box<Work>),
    Thread {
        /// A channel without a buffer: a step is taken after all earlier ones are
        /// done.
        steps: SyncSender<Step>,
        thread: JoinHandle<Box<Work>>,
    },
}

/// Called with each delivered message, and its octets as received.
type OnDelivered = Box<dyn Fn(&Key, u64) + Send>;

/// The committer failed; [`Committer::finish`] returns the error.
pub(crate) struct Failed;

/// The destination of the messages.
pub(crate) struct To {
    pub(crate) place: String,
    /// The boot-id of the system.
    pub(crate) boot: String,
    /// Whether a group is settled before the next one begins, rather than with it.
    pub(crate) settles_at_once: bool,
}

/// The state of the work with the disk.
struct Work {
    journal: Journal,
    to: To,
    on_delivered: OnDelivered,
    messages: usize,
    octets: u64,
    /// The answers that the user should see.
    answers: Vec<(Key, Answer)>,
    done: Result<(), Failure>,
}

impl Work {
    fn step(&mut self, step: Step) {
        if self.done.is_ok() {
            self.done = self.try_step(step);
        }
    }

    fn try_step(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            // The kernel reports an error only once, perhaps here.
            Step::Flush(flush) => flush(),
            Step::Commit(Sealed::Together(mut sealed), mut group) => {
                commit(&mut self.journal, &self.to, &mut *sealed, &mut group)?;
                if self.to.settles_at_once {
                    self.journal.settle(clock())?;
                }
                for whole in &group {
                    self.delivered(whole);
                }
                Ok(())
            }
            Step::Commit(Sealed::Singly(mut sealed), group) => {
                for (index, whole) in group.iter().enumerate() {
                    self.hand_over(&mut *sealed, index, whole)?;
                }
                self.journal.settle(clock())
            }
            Step::Wait => Ok(()),
            Step::End => self.journal.end_run(clock()),
        }
    }

    /// Hands over a message, and records at once that it was accepted.
    fn hand_over(
        &mut self,
        sealed: &mut dyn HandOver,
        index: usize,
        whole: &Whole,
    ) -> Result<(), Failure> {
        let (pending, place) = (&whole.pending, &self.to.place);
        let earlier = self.journal.accepted(&pending.key, place)?;
        let mut accepted = Vec::new();
        let answer = sealed.hand_over(index, &earlier, &mut accepted);
        let verdict = answer.as_ref().map(|answer| answer.verdict);
        if verdict == Ok(Verdict::Accepted) {
            let pending = std::iter::once((place.as_str(), pending));
            self.journal.pend(pending, &self.to.boot, clock())?;
            self.delivered(whole);
        } else {
            self.journal.accept(&pending.key, place, &accepted)?;
        }
        let answer = answer?;
        if answer.is_news() {
            self.answers.push((whole.pending.key.clone(), answer));
        }
        Ok(())
    }

    fn delivered(&mut self, whole: &Whole) {
        self.messages += 1;
        self.octets += whole.received;
        (self.on_delivered)(&whole.pending.key, whole.received);
    }

    fn committed(self) -> Committed {
        Committed {
            messages: self.messages,
            octets: self.octets,
            answers: self.answers,
            journal: self.done.map(|()| self.journal),
        }
    }
}

impl Committer {
    /// A committer that works on the caller's thread, and calls `on_delivered` for
    /// each message.
    pub(crate) fn new(
        journal: Journal,
        to: To,
        on_delivered: impl Fn(&Key, u64) + Send + 'static,
    ) -> Self {
        Self {
            worker: Worker::Here(Box::new(Work {
                journal,
                to,
                on_delivered: Box::new(on_delivered),
                messages: 0,
                octets: 0,
                answers: Vec::new(),
                done: Ok(()),
            })),
        }
    }

    /// Moves the work to a thread of its own.
    pub(crate) fn beside(self) -> Result<Self, Failure> {
        let Worker::Here(mut work) = self.worker else {
            return Ok(self);
        };
        let (steps, to_do) = sync_channel(0);
        let run = move || {
            while work.done.is_ok()
                && let Ok(step) = to_do.recv()
            {
                work.step(step);
            }
            work
        };
        let thread = thread::Builder::new()
            .name(String::from("commit"))
            .spawn(run)
            .map_err(|error| {
                Failure::new(Kind::Io, format_args!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            worker: Worker::Thread { steps, thread },
        })
    }

    /// Commits a group. Waits only for the previous group.
    pub(crate) fn commit(&mut self, sealed: Sealed, messages: Vec<Whole>) -> Result<(), Failed> {
        self.send(Step::Commit(sealed, messages))
    }

    /// Waits until all is committed.
    pub(crate) fn wait(&mut self) -> Result<(), Failed> {
        self.send(Step::Wait)
    }

    /// Records that no unfinished files are left at the place.
    pub(crate) fn end(&mut self) -> Result<(), Failed> {
        self.send(Step::End)
    }

    /// Syncs a file, if there is nothing else to do.
    pub(crate) fn flush(&mut self, flush: Flush) -> Result<(), Failed> {
        match &self.worker {
            Worker::Here(_) => self.send(Step::Flush(flush)),
            Worker::Thread { steps, .. } => match steps.try_send(Step::Flush(flush)) {
                Err(TrySendError::Disconnected(_)) => Err(Failed),
                Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            },
        }
    }

    /// Waits for the end, and returns the result.
    pub(crate) fn finish(self) -> Committed {
        match self.worker {
            Worker::Here(work) => work.committed(),
            Worker::Thread { steps, thread } => {
                drop(steps);
                let work = thread.join();
                work.map_or_else(|_| Committed::lost(), |work| work.committed())
            }
        }
    }

    fn send(&mut self, step: Step) -> Result<(), Failed> {
        match &mut self.worker {
            Worker::Here(work) => {
                work.step(step);
                work.done.as_ref().map_or(Err(Failed), |()| Ok(()))
            }
            Worker::Thread { steps, .. } => steps.send(step).map_err(|_| Failed),
        }
    }
}

/// Does steps 2 to 4. When it returns, the messages of the group are delivered.
fn commit(
    journal: &mut Journal,
    to: &To,
    sealed: &mut dyn Publish,
    group: &mut [Whole],
) -> Result<(), Failure> {
    let names = sealed.secure()?;
    for (message, name) in group.iter_mut().zip(names) {
        message.pending.name = name;
    }
    let pending = group.iter().enumerate().map(|(index, message)| {
        let place = sealed.place(index).unwrap_or(&to.place);
        (place, &message.pending)
    });
    journal.pend(pending, &to.boot, clock())?;
    sealed.publish().inspect_err(|_| {
        if sealed.is_undone() {
            let _ = journal.forget_pending();
        }
    })
}

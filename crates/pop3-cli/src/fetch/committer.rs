//! The thread that waits for the disk: steps 2 to 5 of a
//! [`group`](super::group), while the next group is written.

use std::{
    fs::File,
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use super::{
    clock,
    delivery::Sealed,
    journal::{Journal, Key, Pending},
};
use crate::exit::{Exit, Failure};

/// A whole message of a group.
pub(crate) struct Whole {
    pub(crate) pending: Pending,
    /// Its octets as stored.
    pub(crate) stored: u64,
}

/// What is done with the disk, in this order.
enum Work {
    /// Bring these octets to the disk; that their file is whole comes later.
    Flush(File),
    Commit(Box<dyn Sealed>, Vec<Whole>),
    /// Do nothing. Who sends it knows that what came before is done.
    Wait,
    /// Nothing unfinished is left.
    End,
}

/// What was committed, and how it ended.
pub(crate) struct Committed {
    /// Messages that are delivered.
    pub(crate) messages: usize,
    pub(crate) journal: Result<Journal, Failure>,
}

impl Committed {
    /// A thread has panicked.
    pub(crate) fn lost() -> Self {
        Self {
            messages: 0,
            journal: Err(Failure::new(Exit::Io, "the delivery ended without a word")),
        }
    }
}

/// The thread, as who writes the messages sees it.
pub(crate) struct Committer {
    /// Without room: it is taken when all before it is done.
    work: SyncSender<Work>,
    thread: JoinHandle<Committed>,
}

/// The thread has failed; [`Committer::finish`] says how.
pub(crate) struct Failed;

impl Committer {
    /// Starts it. `settles_at_once`: a group is settled before the next one
    /// begins, else with it. `on_delivered` hears of each message.
    pub(crate) fn start(
        mut journal: Journal,
        place: String,
        settles_at_once: bool,
        on_delivered: impl Fn(&Key, u64) + Send + 'static,
    ) -> Result<Self, Failure> {
        let (work, to_do) = sync_channel(0);
        let run = move || {
            let mut messages = 0;
            let mut done = Ok(());
            while done.is_ok()
                && let Ok(work) = to_do.recv()
            {
                done = match work {
                    Work::Flush(file) => {
                        // Should it fail, so does securing the group.
                        let _ = File::sync_data(&file);
                        Ok(())
                    }
                    Work::Commit(mut sealed, mut group) => {
                        let committed = commit(&mut journal, &place, &mut *sealed, &mut group)
                            .and_then(|()| match settles_at_once {
                                true => journal.settle(clock()),
                                false => Ok(()),
                            });
                        if committed.is_ok() {
                            messages += group.len();
                            for Whole { pending, stored } in &group {
                                on_delivered(&pending.key, *stored);
                            }
                        }
                        committed
                    }
                    Work::Wait => Ok(()),
                    Work::End => journal.end_run(clock()),
                };
            }
            Committed {
                messages,
                journal: done.map(|()| journal),
            }
        };
        let thread = thread::Builder::new()
            .name(String::from("commit"))
            .spawn(run)
            .map_err(|error| {
                Failure::new(Exit::Io, format_args!("cannot start a thread: {error}"))
            })?;
        Ok(Self { work, thread })
    }

    /// Commits a group: waits only for the one before it.
    pub(crate) fn commit(
        &self,
        sealed: Box<dyn Sealed>,
        messages: Vec<Whole>,
    ) -> Result<(), Failed> {
        self.send(Work::Commit(sealed, messages))
    }

    /// Waits until all is committed.
    pub(crate) fn wait(&self) -> Result<(), Failed> {
        self.send(Work::Wait)
    }

    /// Nothing unfinished is left at the place.
    pub(crate) fn end(&self) -> Result<(), Failed> {
        self.send(Work::End)
    }

    /// Brings what a file has to the disk, if there is nothing else to do.
    pub(crate) fn flush(&self, file: &File) -> Result<(), Failed> {
        let Ok(file) = file.try_clone() else {
            return Ok(());
        };
        match self.work.try_send(Work::Flush(file)) {
            Err(TrySendError::Disconnected(_)) => Err(Failed),
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
        }
    }

    /// Waits for the end.
    pub(crate) fn finish(self) -> Committed {
        drop(self.work);
        self.thread.join().unwrap_or_else(|_| Committed::lost())
    }

    fn send(&self, work: Work) -> Result<(), Failed> {
        self.work.send(work).map_err(|_| Failed)
    }
}

/// Steps 2 to 4. When it returns, the messages of the group are delivered.
fn commit(
    journal: &mut Journal,
    place: &str,
    sealed: &mut dyn Sealed,
    group: &mut [Whole],
) -> Result<(), Failure> {
    let names = sealed.secure()?;
    for (message, name) in group.iter_mut().zip(names) {
        message.pending.name = name;
    }
    let pending = group.iter().map(|message| &message.pending);
    journal.pend(place, pending, clock())?;
    sealed.publish().inspect_err(|_| {
        if sealed.is_undone() {
            let _ = journal.forget_pending();
        }
    })
}

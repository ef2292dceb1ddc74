//! Deliveries by groups: how nothing is lost and nothing comes twice.
//!
//! To put a message on the disk costs a wait for the disk, and to put a hundred
//! there costs hardly more. So messages are delivered by groups:
//!
//! 1. *Write.* The octets of each message go to a waiting place: `tmp` of a
//!    Maildir, the spool of an mbox. They leave it only once the session was seen to
//!    be in step after them: see [`Decisions`](crate::Decisions).
//! 2. *Secure.* The waiting place is put on the disk.
//! 3. *Pend.* One transaction of the journal says which unique-ids wait under
//!    which names. This is the moment at which the group is delivered: whatever
//!    happens from now on, this run or the next one takes it from the waiting
//!    place to where it is read.
//! 4. *Publish.* It is taken there, and that is put on the disk.
//! 5. *Settle.* One transaction says that nothing of the group waits any more:
//!    that in which the next group becomes pending, or the last one of the run.
//! 6. Only when all groups are settled may messages be deleted on the server.
//!
//! Steps 2 to 5 are those of a thread of their own, the [`Committer`]: while it
//! waits for the disk, the next group is written. Where the waiting place has room
//! for one group only, the next one begins when that is settled.
//!
//! Killed at any of these moments, a run leaves to the next one:
//!
//! | killed during | in the journal | in the waiting place | the next run |
//! |---|---|---|---|
//! | 1, 2 | the run, no message | part of the group | removes it, and fetches the group again |
//! | 3 | all of the group, or nothing: a transaction | all | as above, or below |
//! | 4 | the group as pending | what is not published, and part of the next group | publishes the rest, removes the next group |
//! | 5 | the group as pending, or delivered | as above | as above |
//! | 6, until QUIT is confirmed | delivered, or deletion requested | nothing | deletes it on the server, if it is there |
//!
//! To publish twice is to publish once: see [`recover`]
//! and what it calls. That holds after a loss of power as well, since each step
//! is on the disk before the next one begins; [`disk`](crate::disk) says what that
//! takes on which file system.
//!
//! A failure is like a kill, except that it is reported. No flush that has failed
//! is tried again: its group, and all after it, fail. The waiting place is cleaned
//! at once where that is still possible.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Delivery, Form, Place,
    committer::{Committer, Failed, To, Whole},
    intake::Committed,
    recover,
};
use crate::failure::Failure;
use crate::{
    clock,
    disk::Disk,
    journal::{Journal, Key, Pending},
};

/// When a group is closed: messages.
const MESSAGES: usize = 2000;
/// Octets.
const OCTETS: u64 = 16 << 20;
/// How long the first message of a group waits at most.
const WAIT: Duration = Duration::from_secs(2);
/// Octets of a large message after which they are brought to the disk.
const FLUSH: u64 = 8 << 20;

/// Messages on their way to a place.
pub struct Group {
    delivery: Box<dyn Delivery>,
    committer: Committer,
    messages: Vec<Whole>,
    /// How many of them may be committed.
    confirmed: usize,
    octets: u64,
    /// Octets of the message since they were last brought to the disk.
    unflushed: u64,
    /// When its first message began.
    since: Option<Instant>,
}

/// Why a group goes no further.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A message cannot be written.
    Here(Failure),
    /// The committer has stopped, and knows why.
    Committer,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl From<Failed> for Stopped {
    fn from(_: Failed) -> Self {
        Self::Committer
    }
}

impl Group {
    /// Finishes what killed runs have left, and opens `place`. `on_delivered`
    /// is called for each message, with its octets as received.
    ///
    /// # Errors
    ///
    /// If the place cannot be opened, or the journal not be written.
    pub fn open<D: Disk>(
        disk: &D,
        mut journal: Journal,
        place: &Place,
        form: Form,
        on_delivered: impl Fn(&Key, u64) + Send + 'static,
    ) -> Result<Self, Failure> {
        let delivery = open(disk, &mut journal, place, form)?;
        let to = To {
            place: place.absolute().to_string(),
            boot: disk.boot(),
            settles_at_once: delivery.one_at_a_time(),
        };
        Ok(Self {
            delivery,
            committer: Committer::new(journal, to, on_delivered),
            messages: Vec::new(),
            confirmed: 0,
            octets: 0,
            unflushed: 0,
            since: None,
        })
    }

    /// Waits for the disk on a thread of its own from now on.
    ///
    /// # Errors
    ///
    /// If there is no thread.
    pub fn beside(mut self) -> Result<Self, Failure> {
        self.committer = self.committer.beside()?;
        Ok(self)
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.since.get_or_insert_with(Instant::now);
        self.unflushed = 0;
        self.delivery.begin()
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Stopped> {
        self.octets += octets.len() as u64;
        self.unflushed += octets.len() as u64;
        self.delivery.write(octets)?;
        if self.unflushed >= FLUSH
            && let Some(flush) = self.delivery.flush()
        {
            self.unflushed = 0;
            self.committer.flush(flush)?;
        }
        Ok(())
    }

    /// The message is whole. It goes no further before [`confirm`](Self::confirm).
    pub(crate) fn end(
        &mut self,
        key: Key,
        listed: u64,
        received: u64,
        sizes: (u64, u64),
    ) -> Result<(), Stopped> {
        self.delivery.end(sizes)?;
        self.messages.push(Whole {
            pending: Pending {
                key,
                octets: listed,
                name: String::new(),
            },
            received,
        });
        Ok(())
    }

    /// The message that was begun will not be whole.
    pub(crate) fn discard(&mut self) {
        self.delivery.discard();
    }

    /// All whole messages are what they should be.
    pub(crate) fn confirm(&mut self) -> Result<(), Stopped> {
        self.confirmed = self.messages.len();
        let is_full = self.messages.len() >= MESSAGES.min(self.delivery.messages())
            || self.octets >= OCTETS
            || self.since.is_some_and(|since| since.elapsed() >= WAIT);
        match is_full {
            true => self.close(),
            false => Ok(()),
        }
    }

    /// What is not confirmed is not to be stored.
    pub(crate) fn reject(&mut self) {
        self.messages.truncate(self.confirmed);
        self.delivery.retain(self.confirmed);
    }

    /// Hands what is confirmed over to the committer, and removes the rest.
    fn close(&mut self) -> Result<(), Stopped> {
        self.reject();
        self.confirmed = 0;
        self.octets = 0;
        self.since = None;
        if self.messages.is_empty() {
            return Ok(());
        }
        let messages = std::mem::take(&mut self.messages);
        self.committer.commit(self.delivery.seal(), messages)?;
        if self.delivery.one_at_a_time() {
            self.committer.wait()?;
        }
        Ok(())
    }

    /// Waits until all is settled, unless it was `stopped`.
    pub(crate) fn finish(mut self, stopped: Result<(), Stopped>) -> Committed {
        let stopped = stopped.and_then(|()| self.close());
        let stopped = stopped.and_then(|()| Ok(self.delivery.close()?));
        drop(self.delivery);
        let stopped = stopped.and_then(|()| Ok(self.committer.end()?));
        let mut committed = self.committer.finish();
        if let Err(Stopped::Here(failure)) = stopped {
            committed.journal = committed.journal.and(Err(failure));
        }
        committed
    }
}

/// Finishes what killed runs have left, and opens `place` for another run.
fn open<D: Disk>(
    disk: &D,
    journal: &mut Journal,
    place: &Place,
    form: Form,
) -> Result<Box<dyn Delivery>, Failure> {
    finish_leftovers(disk, journal)?;
    let place = place.absolute();
    let delivery = place.open(disk, form, &journal.spool())?;
    if let Some(stem) = delivery.stem() {
        journal.begin_run(&place.to_string(), stem)?;
    }
    Ok(delivery)
}

/// Publishes what a killed run has secured, and removes what it has not.
///
/// # Errors
///
/// If the journal or the place cannot be read or written.
pub fn finish_leftovers<D: Disk>(disk: &D, journal: &mut Journal) -> Result<(), Failure> {
    let leftovers = journal.leftovers()?;
    if leftovers.is_empty() {
        return Ok(());
    }
    let spool = journal.spool();
    let mut lost = Vec::new();
    for leftover in leftovers {
        let delivered = recover(
            disk,
            &leftover.place,
            &leftover.stems,
            &leftover.pending,
            Path::new(&spool),
            clock(),
        )?;
        let keys = leftover.pending.into_iter().map(|waits| waits.message.key);
        lost.extend(
            keys.zip(delivered)
                .filter(|(_, is)| !is)
                .map(|(key, _)| key),
        );
    }
    journal.close_leftovers(&lost, clock())
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("messages", &self.messages.len())
            .field("octets", &self.octets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;

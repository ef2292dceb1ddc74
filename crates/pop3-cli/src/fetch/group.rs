//! Deliveries by groups: how nothing is lost and nothing comes twice.
//!
//! To put a message on the disk costs a wait for the disk, and to put a hundred
//! there costs hardly more. So messages are delivered by groups:
//!
//! 1. *Write.* The octets of each message go to a waiting place: `tmp` of a
//!    Maildir, the spool of an mbox.
//! 2. *Secure.* The waiting place is put on the disk.
//! 3. *Pend.* One transaction of the journal says which unique-ids wait under
//!    which names. This is the moment at which the group is delivered: whatever
//!    happens from now on, this run or the next one takes it from the waiting
//!    place to where it is read.
//! 4. *Publish.* It is taken there, and that is put on the disk.
//! 5. *Settle.* One transaction says that nothing of the group waits any more.
//! 6. Only now does anyone learn that these messages may be deleted.
//!
//! Killed at any of these moments, a run leaves to the next one:
//!
//! | killed during | in the journal | in the waiting place | the next run |
//! |---|---|---|---|
//! | 1, 2 | the run, no message | part of the group | removes it, and fetches the group again |
//! | 3 | all of the group, or nothing: a transaction | all | as above, or below |
//! | 4 | the group as pending | what is not published | publishes the rest |
//! | 5 | the group as pending, or delivered | nothing | settles |
//! | 6, until QUIT is confirmed | delivered, or deletion requested | nothing | deletes it on the server, if it is there |
//!
//! To publish twice is to publish once: see [`recover`]
//! and what it calls. That holds after a loss of power as well, since each step
//! is on the disk before the next one begins.
//!
//! A failure is like a kill, except that it is reported. The waiting place is
//! cleaned at once where that is still possible.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{
    clock,
    delivery::{Delivery, Form, Place, recover},
    journal::{Journal, Key, Pending},
};
use crate::exit::Failure;

/// When a group is closed: messages.
const MESSAGES: usize = 1000;
/// Octets.
const OCTETS: u64 = 16 << 20;
/// How long the first message of a group waits at most.
const WAIT: Duration = Duration::from_secs(2);

/// Messages on their way to a place.
pub(crate) struct Group {
    journal: Journal,
    place: String,
    delivery: Box<dyn Delivery>,
    has_begun: bool,
    messages: Vec<Pending>,
    octets: u64,
    /// When its first message began.
    since: Option<Instant>,
}

impl Group {
    /// Finishes what killed runs have left, and opens `place`.
    pub(crate) fn open(mut journal: Journal, place: &Place, form: Form) -> Result<Self, Failure> {
        finish_leftovers(&mut journal)?;
        let place = place.absolute();
        let delivery = place.open(form, &journal.spool())?;
        Ok(Self {
            journal,
            place: place.to_string(),
            delivery,
            has_begun: false,
            messages: Vec::new(),
            octets: 0,
            since: None,
        })
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        if !self.has_begun {
            if let Some(stem) = self.delivery.stem() {
                self.journal.begin_run(&self.place, stem)?;
            }
            self.has_begun = true;
        }
        self.since.get_or_insert_with(Instant::now);
        self.delivery.begin()
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.octets += octets.len() as u64;
        self.delivery.write(octets)
    }

    /// The message is whole. Says whether the group should be
    /// [closed](Self::close) now.
    pub(crate) fn end(
        &mut self,
        key: Key,
        octets: u64,
        sizes: (u64, u64),
    ) -> Result<bool, Failure> {
        self.delivery.end(sizes)?;
        self.messages.push(Pending {
            key,
            octets,
            name: String::new(),
        });
        Ok(self.messages.len() >= MESSAGES
            || self.octets >= OCTETS
            || self.since.is_some_and(|since| since.elapsed() >= WAIT))
    }

    /// The message that was begun will not be whole.
    pub(crate) fn discard(&mut self) {
        self.delivery.discard();
    }

    /// Steps 2 to 5. When it returns, the messages of the group are delivered and
    /// may be deleted on the server.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        if self.messages.is_empty() {
            return Ok(());
        }
        let names = self.delivery.secure()?;
        for (message, name) in self.messages.iter_mut().zip(names) {
            message.name = name;
        }
        self.journal.pend(&self.place, &self.messages, clock())?;
        if let Err(failure) = self.delivery.publish() {
            if self.delivery.is_undone() {
                let _ = self.journal.forget_pending();
            }
            return Err(failure);
        }
        self.journal.settle(clock())?;
        self.messages.clear();
        self.octets = 0;
        self.since = None;
        Ok(())
    }

    /// Everything is closed; nothing unfinished is left.
    pub(crate) fn finish(mut self) -> Result<Journal, Failure> {
        if self.has_begun && self.delivery.stem().is_some() {
            self.journal.end_run()?;
        }
        Ok(self.journal)
    }
}

/// What a killed run has secured is published, what it has not is removed.
pub(crate) fn finish_leftovers(journal: &mut Journal) -> Result<(), Failure> {
    let leftovers = journal.leftovers()?;
    if leftovers.is_empty() {
        return Ok(());
    }
    let spool = journal.spool();
    let mut lost = Vec::new();
    for leftover in leftovers {
        let delivered = recover(
            &leftover.place,
            &leftover.stems,
            &leftover.pending,
            Path::new(&spool),
            clock(),
        )?;
        let keys = leftover.pending.into_iter().map(|(message, _)| message.key);
        lost.extend(
            keys.zip(delivered)
                .filter(|(_, is)| !is)
                .map(|(key, _)| key),
        );
    }
    journal.close_leftovers(&lost)
}

#[cfg(test)]
mod tests;

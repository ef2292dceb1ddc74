//! Delivery in groups, so that no message is lost or delivered twice.
//!
//! Syncing one message to the disk costs a wait, and syncing a hundred costs hardly
//! more. So messages are delivered in groups:
//!
//! 1. *Write.* The octets of each message go to a waiting place: `tmp` of a
//!    Maildir, or the spool of an mbox. They stay there until the session is known
//!    to be in step after them (see [`Decisions`](crate::Decisions)).
//! 2. *Secure.* The waiting place is synced to the disk.
//! 3. *Pend.* One transaction of the journal records which unique-ids wait under
//!    which names. At this moment the group is delivered: whatever happens next,
//!    this run or the next one moves it from the waiting place to the place where
//!    mail is read.
//! 4. *Publish.* The group is moved there, and that is synced.
//! 5. *Settle.* One transaction records that none of the group is waiting any more:
//!    the one that records the next group as pending, or the last one of the run.
//! 6. Messages may be deleted on the server only after all groups are settled.
//!
//! A thread of its own, the [`Committer`], does steps 2 to 5: while it waits for
//! the disk, the next group is written. Where the waiting place has room for only
//! one group, the next one begins after that group is settled.
//!
//! If a run is killed at one of these steps, it leaves this to the next run:
//!
//! | killed during | in the journal | in the waiting place | the next run |
//! |---|---|---|---|
//! | 1, 2 | the run, no message | part of the group | removes it, and fetches the group again |
//! | 3 | all of the group, or nothing: a transaction | all | as above, or below |
//! | 4 | the group as pending | what is not published, and part of the next group | publishes the rest, removes the next group |
//! | 5 | the group as pending, or delivered | as above | as above |
//! | 6, until QUIT is confirmed | delivered, or deletion requested | nothing | deletes it on the server, if it is there |
//!
//! Publishing twice has the same effect as publishing once (see [`recover`]). This
//! also holds after a loss of power, because each step is on disk before the next
//! one begins; [`disk`](crate::disk) says how, for each kind of file system.
//!
//! # A command or an LMTP server
//!
//! What another program has taken cannot be taken back, and nothing shows how much
//! of it was taken when this program is killed. So these messages are handed over
//! one by one, and steps 2 to 5 are others:
//!
//! 2. *Hand over.* The program gets the message and answers.
//! 3. *Pend.* One transaction records that message, if it was accepted. This also
//!    settles the message before it.
//!
//! A message that was declined is not recorded, stays on the server, and is tried
//! again by the next run, after all others. If only some recipients of an LMTP
//! server accepted it, the journal records which, and the next run offers it to the
//! others.
//!
//! | killed | in the journal | the next run |
//! |---|---|---|
//! | before the answer, or between it and step 3 | nothing of this message | fetches it again: the program may get it twice |
//! | after step 3 | the message | does not fetch it again |
//!
//! So nothing is lost, and a kill can double one message, the one in that moment.
//!
//! # Several Maildirs
//!
//! With [`Sorting`], a group may have messages of several Maildirs. Each step is done
//! in all of them before the next step begins, and the journal records for each
//! message in which Maildir it waits. So the table above holds for each of them,
//! whatever the rules are when the next run recovers.
//!
//! # Failures
//!
//! A failure is like a kill, except that it is reported. A failed sync is never
//! tried again: its group and all later ones fail. The waiting place is cleaned at
//! once where that is still possible.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Delivery, Form, LineEnds, Place,
    committer::{Committer, Failed, To, Whole},
    intake::Committed,
    recover,
    sorted::{Sorted, Sorting},
    trace::Trace,
};
use crate::failure::Failure;
use crate::{
    clock,
    disk::Disk,
    journal::{Journal, Key, Pending},
};

/// The most messages in a group.
const MESSAGES: usize = 2000;
/// The octets after which a group is closed.
const OCTETS: u64 = 16 << 20;
/// The longest time that the first message of a group waits.
const WAIT: Duration = Duration::from_secs(2);
/// The octets of a large message after which they are synced.
const FLUSH: u64 = 8 << 20;

/// A delivery to a place, as a sequence of groups.
///
/// An [`Intake`](crate::Intake) writes the messages: [`Direct`](crate::Direct) or
/// [`Parcels`](crate::Parcels).
///
/// ```
/// use pop3_fetch::{Direct, Form, Group, Intake, Journal, LineEnds, Place, System};
///
/// let home = tempfile::tempdir()?;
/// let journal = Journal::open(&home.path().join("journal"), "me@mail.example.org")?;
/// let place = Place::Maildir(home.path().join("Maildir"));
/// let group = Group::open(&System, journal, &place, Form::Raw, |key, octets| {
///     println!("{}: {octets} octets", key.unique_id.escape_ascii());
/// })?;
/// let intake = Direct::new(group, LineEnds::Lf);
/// // Write the messages here, as the example of `Direct` does.
/// let committed = intake.finish();
/// committed.journal?;
/// assert_eq!(committed.messages, 0);
/// assert!(home.path().join("Maildir/new").is_dir());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Group {
    delivery: Box<dyn Delivery>,
    trace: Trace,
    /// The sizes of the trace fields of the current message: as stored, and with CRLF.
    traced: (u64, u64),
    committer: Committer,
    messages: Vec<Whole>,
    /// The number of messages that are confirmed.
    confirmed: usize,
    octets: u64,
    /// Octets of the message since the last sync.
    unflushed: u64,
    /// The time at which its first message began.
    since: Option<Instant>,
}

/// Why a group stopped.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A message could not be written.
    Here(Failure),
    /// The committer stopped, and keeps the error.
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
    /// Finishes what killed runs left, and opens `place`. Calls `on_delivered` for
    /// each delivered message, with its octets as received.
    ///
    /// # Errors
    ///
    /// If the place cannot be opened or the journal cannot be written.
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
        let committer = Committer::new(journal, to, on_delivered);
        Ok(Self::new(delivery, committer))
    }

    /// Finishes what killed runs left, and opens each Maildir of `sorting`. Calls
    /// `on_delivered` as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// If a Maildir cannot be opened or the journal cannot be written.
    pub fn open_sorted<D: Disk>(
        disk: &D,
        mut journal: Journal,
        sorting: &Sorting,
        on_delivered: impl Fn(&Key, u64) + Send + 'static,
    ) -> Result<Self, Failure> {
        finish_leftovers(disk, &mut journal)?;
        let sorted = Sorted::open(disk, sorting)?;
        journal.begin_run(sorted.places())?;
        let to = To {
            place: Place::Maildir(sorting.otherwise.clone())
                .absolute()
                .to_string(),
            boot: disk.boot(),
            settles_at_once: sorted.one_at_a_time(),
        };
        let committer = Committer::new(journal, to, on_delivered);
        Ok(Self::new(Box::new(sorted), committer))
    }

    fn new(delivery: Box<dyn Delivery>, committer: Committer) -> Self {
        Self {
            delivery,
            trace: Trace::default(),
            traced: (0, 0),
            committer,
            messages: Vec::new(),
            confirmed: 0,
            octets: 0,
            unflushed: 0,
            since: None,
        }
    }

    /// Moves the waits for the disk to a thread of its own.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    pub fn beside(mut self) -> Result<Self, Failure> {
        self.committer = self.committer.beside()?;
        Ok(self)
    }

    /// Adds trace fields to each message.
    #[must_use]
    pub fn traced(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// Begins a message whose lines end in this way.
    pub(crate) fn begin(&mut self, line_ends: LineEnds) -> Result<(), Failure> {
        self.since.get_or_insert_with(Instant::now);
        self.unflushed = 0;
        let trace = self.trace.fields(clock(), line_ends);
        self.traced = with_crlf(&trace);
        self.octets += self.traced.0;
        self.delivery.begin(&trace)
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

    /// Ends a complete message. It waits for [`confirm`](Self::confirm). `sizes`: the
    /// octets written, and with CRLF.
    pub(crate) fn end(
        &mut self,
        key: Key,
        listed: u64,
        received: u64,
        sizes: (u64, u64),
    ) -> Result<(), Stopped> {
        let (octets, crlf) = self.traced;
        self.delivery.end((sizes.0 + octets, sizes.1 + crlf))?;
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

    /// Removes the message that was begun.
    pub(crate) fn discard(&mut self) {
        self.delivery.discard();
    }

    /// Confirms all complete messages.
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

    /// Rejects all messages that are not confirmed.
    pub(crate) fn reject(&mut self) {
        self.messages.truncate(self.confirmed);
        self.delivery.retain(self.confirmed);
    }

    /// Passes the confirmed messages to the committer, and removes the others.
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

    /// Waits until all groups are settled, unless `stopped` is an error.
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

/// The octets of trace fields, and those that they would have with CRLF.
fn with_crlf(trace: &[u8]) -> (u64, u64) {
    let ends = trace.split_inclusive(|&octet| octet == b'\n');
    let bare = ends.filter(|line| !line.ends_with(b"\r\n")).count();
    let octets = trace.len() as u64;
    (octets, octets + bare as u64)
}

/// Finishes what killed runs left, and opens `place` for this run.
fn open<D: Disk>(
    disk: &D,
    journal: &mut Journal,
    place: &Place,
    form: Form,
) -> Result<Box<dyn Delivery>, Failure> {
    finish_leftovers(disk, journal)?;
    let place = place.absolute();
    let delivery = place.open(disk, form, &journal.spool())?;
    let name = place.to_string();
    journal.begin_run(std::iter::once((name.as_str(), delivery.stem())))?;
    Ok(delivery)
}

/// Publishes the messages that killed runs secured, and removes the others.
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
pub(super) mod tests;

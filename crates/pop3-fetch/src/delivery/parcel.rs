//! Passes messages from the thread that reads the network to the thread that writes
//! the disk.
//!
//! Messages travel in parcels of about [`PARCEL`] octets. Only a few parcels wait
//! at once, so that the disk may be slow for a while and memory stays bounded. The
//! one copy that fills a parcel also converts line ends.

use std::{
    fmt,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

use pop3_proto::MessageNumber;

use super::{
    LineEnds,
    group::{Group, Stopped},
    intake::{Committed, Gone, Intake},
    line_ends::Converter,
};
use crate::{
    failure::{Failure, Kind},
    journal::Key,
};

/// The octets after which a parcel is sent.
const PARCEL: usize = 256 * 1024;
/// The marks after which a parcel is sent, because messages may be small.
const MARKS: usize = 1024;
/// The most parcels that wait for the disk.
const WAITING: usize = 8;

/// Octets of messages, with marks for what they mean.
#[derive(Default)]
struct Parcel {
    octets: Vec<u8>,
    /// Each mark, with the number of octets before it.
    marks: Vec<(usize, Mark)>,
}

enum Mark {
    Begin,
    Keep {
        key: Key,
        listed: u64,
        received: u64,
        sizes: (u64, u64),
    },
    Discard,
    Confirm,
    Reject,
}

/// An intake that writes to the disk, and waits for it, on threads of its own.
///
/// ```
/// use pop3_fetch::{Form, Group, Intake, Journal, Key, LineEnds, Parcels, Place, System};
/// use pop3_proto::MessageNumber;
///
/// let home = tempfile::tempdir()?;
/// let journal = Journal::open(&home.path().join("journal"), "me@mail.example.org")?;
/// let place = Place::Maildir(home.path().join("Maildir"));
/// let group = Group::open(&System, journal, &place, Form::Raw, |_, _| {})?;
/// let mut intake = Parcels::new(group, LineEnds::Received)?;
/// let mut deliver = || {
///     intake.begin(MessageNumber::FIRST)?;
///     intake.write(b"Subject: Hello\r\n\r\nHi\r\n")?;
///     intake.keep(Key { unique_id: b"unique".to_vec(), copy: 0 }, 22, 22)?;
///     intake.confirm()
/// };
/// assert_eq!(deliver(), Ok(()));
/// // Waits for the threads.
/// let committed = intake.finish();
/// committed.journal?;
/// assert_eq!((committed.messages, committed.octets), (1, 22));
/// assert_eq!(std::fs::read_dir(home.path().join("Maildir/new"))?.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Parcels {
    converter: Converter,
    line_ends: LineEnds,
    parcel: Parcel,
    parcels: SyncSender<Parcel>,
    emptied: Receiver<Parcel>,
    writer: JoinHandle<Committed>,
}

impl Parcels {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn new(group: Group, line_ends: LineEnds) -> Result<Self, Failure> {
        let group = group.beside()?;
        let (parcels, incoming) = sync_channel(WAITING);
        let (empty, emptied) = channel();
        let writer = thread::Builder::new()
            .name(String::from("delivery"))
            .spawn(move || write(group, line_ends, &incoming, &empty))
            .map_err(|error| {
                Failure::new(Kind::Io, format_args!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            converter: Converter::new(line_ends),
            line_ends,
            parcel: Parcel::default(),
            parcels,
            emptied,
            writer,
        })
    }

    fn mark(&mut self, mark: Mark) -> Result<(), Gone> {
        self.parcel.marks.push((self.parcel.octets.len(), mark));
        match self.parcel.marks.len() >= MARKS {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn send(&mut self) -> Result<(), Gone> {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.parcel, empty);
        self.parcels.send(full).map_err(|_| Gone)
    }
}

impl Intake for Parcels {
    fn begin(&mut self, _: MessageNumber) -> Result<(), Gone> {
        self.converter = Converter::new(self.line_ends);
        self.mark(Mark::Begin)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Gone> {
        self.converter.convert(octets, &mut self.parcel.octets);
        match self.parcel.octets.len() >= PARCEL {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn lines(&self) -> u64 {
        self.converter.lines()
    }

    fn keep(&mut self, key: Key, listed: u64, received: u64) -> Result<(), Gone> {
        self.converter.finish(&mut self.parcel.octets);
        let sizes = self.converter.sizes();
        self.mark(Mark::Keep {
            key,
            listed,
            received,
            sizes,
        })
    }

    fn discard(&mut self) -> Result<(), Gone> {
        self.mark(Mark::Discard)
    }

    fn confirm(&mut self) -> Result<(), Gone> {
        self.mark(Mark::Confirm)?;
        // Confirmed messages should not wait for further ones.
        self.send()
    }

    fn reject(&mut self) -> Result<(), Gone> {
        self.mark(Mark::Reject)
    }

    fn finish(mut self) -> Committed {
        // If the writer has stopped, joining it returns its failure.
        let _ = self.send();
        drop(self.parcels);
        self.writer.join().unwrap_or_else(|_| Committed::lost())
    }
}

impl fmt::Debug for Parcels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcels").finish_non_exhaustive()
    }
}

/// Runs on the thread that writes.
fn write(
    mut group: Group,
    line_ends: LineEnds,
    incoming: &Receiver<Parcel>,
    empty: &Sender<Parcel>,
) -> Committed {
    let mut within = false;
    let mut done = Ok(());
    for mut parcel in incoming {
        done = take(&mut group, line_ends, &mut parcel, &mut within);
        if done.is_err() {
            break;
        }
        parcel.octets.clear();
        let _ = empty.send(parcel);
    }
    if within {
        group.discard();
    }
    group.finish(done)
}

/// Writes a parcel. `within`: a message has begun but not ended.
fn take(
    group: &mut Group,
    line_ends: LineEnds,
    parcel: &mut Parcel,
    within: &mut bool,
) -> Result<(), Stopped> {
    let mut at = 0;
    for (before, mark) in parcel.marks.drain(..) {
        group.write(&parcel.octets[at..before])?;
        at = before;
        match mark {
            Mark::Begin => {
                group.begin(line_ends)?;
                *within = true;
            }
            Mark::Keep {
                key,
                listed,
                received,
                sizes,
            } => {
                *within = false;
                group.end(key, listed, received, sizes)?;
            }
            Mark::Discard => {
                *within = false;
                group.discard();
            }
            Mark::Confirm => group.confirm()?,
            Mark::Reject => group.reject(),
        }
    }
    group.write(&parcel.octets[at..])
}

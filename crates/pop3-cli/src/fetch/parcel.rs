//! From the thread that reads the network to the one that writes the disk.
//!
//! Messages go over in parcels of about [`PARCEL`] octets, a few at most on their
//! way, so that the disk may be slow for a while and memory stays bounded. The
//! one copy that fills a parcel also turns line ends.

use std::{
    fmt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use dot_stuffing::Complete;
use indicatif::ProgressBar;
use pop3_proto::{
    MessageNumber,
    client::{MaildropIndex, Retrieved},
};
use pop3_tokio::client::{Refusal, Sink};

use super::{
    committer::Committed,
    delivery::line_ends::{Converter, LineEnds},
    group::{Group, Stopped},
    journal::Key,
    plan::{self, Retrieve},
};
use crate::exit::{Exit, Failure};

/// Octets after which a parcel is sent.
const PARCEL: usize = 256 * 1024;
/// Messages that begin and end in a parcel, after which it is sent: they may be
/// small.
const MARKS: usize = 1024;
/// Parcels that wait for the disk.
const WAITING: usize = 8;

/// Octets of messages, and what they mean.
#[derive(Default)]
struct Parcel {
    octets: Vec<u8>,
    /// Each with how many of the octets come before it.
    marks: Vec<(usize, Mark)>,
}

enum Mark {
    Begin,
    End {
        key: Key,
        listed: u64,
        sizes: (u64, u64),
    },
}

/// What is retrieved, and what for.
pub(crate) struct Wanted<'a> {
    pub(crate) messages: std::slice::Iter<'a, Retrieve>,
    pub(crate) maildrop: &'a MaildropIndex,
    /// Whether proofs are asked for afterwards.
    pub(crate) for_deletion: bool,
    /// Whether one reply can be taken for another.
    pub(crate) pipelining: bool,
}

/// The sink of a retrieval.
pub(crate) struct Outgoing<'a> {
    wanted: Wanted<'a>,
    current: Option<&'a Retrieve>,
    converter: Converter,
    line_ends: LineEnds,
    parcel: Parcel,
    parcels: SyncSender<Parcel>,
    emptied: Receiver<Parcel>,
    writer: JoinHandle<Committed>,
    bar: ProgressBar,
    proofs: Vec<(Retrieve, Retrieved)>,
    refused: Vec<(MessageNumber, Refusal)>,
}

/// What was sent to the writer, and what became of it.
pub(crate) struct Sent {
    pub(crate) committed: Committed,
    /// Proofs of the messages that are delivered, in order, if they were wanted.
    pub(crate) proofs: Vec<(Retrieve, Retrieved)>,
    /// What the server refused.
    pub(crate) refused: Vec<(MessageNumber, Refusal)>,
}

/// Why a message goes no further.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The writer has failed: its failure comes when it is joined.
    WriterGone,
    Misfit(Misfit),
}

/// A message that has far more or far fewer octets than LIST said. While others
/// are on their way this may be a terminator that the server has left out: the
/// message has then swallowed the next one, and each that follows would be
/// recorded under a unique-id that is not its own.
#[derive(Debug)]
pub(crate) struct Misfit {
    number: MessageNumber,
    octets: u64,
    listed: u64,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            octets,
            listed,
        } = self;
        write!(
            f,
            "message {number} has {octets} octets where the scan listing says {listed}"
        )
    }
}

impl<'a> Outgoing<'a> {
    /// Starts the writer.
    pub(crate) fn new(
        group: Group,
        wanted: Wanted<'a>,
        line_ends: LineEnds,
        bar: ProgressBar,
    ) -> Result<Self, Failure> {
        let (parcels, incoming) = sync_channel(WAITING);
        let (empty, emptied) = sync_channel(WAITING + 2);
        let writer = thread::Builder::new()
            .name(String::from("delivery"))
            .spawn(move || write(group, &incoming, &empty))
            .map_err(|error| {
                Failure::new(Exit::Io, format_args!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            wanted,
            current: None,
            converter: Converter::default(),
            line_ends,
            parcel: Parcel::default(),
            parcels,
            emptied,
            writer,
            bar,
            proofs: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// Nothing more comes: waits until all whole messages are delivered.
    pub(crate) fn finish(mut self) -> Sent {
        let _ = self.send();
        drop(self.parcels);
        Sent {
            committed: self.writer.join().unwrap_or_else(|_| Committed::lost()),
            proofs: self.proofs,
            refused: self.refused,
        }
    }

    fn send(&mut self) -> Result<(), Unsent> {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.parcel, empty);
        self.parcels.send(full).map_err(|_| Unsent::WriterGone)
    }
}

impl Sink for Outgoing<'_> {
    type Error = Unsent;

    fn begin(&mut self, number: MessageNumber, _: Option<u64>) -> Result<(), Unsent> {
        let messages = &mut self.wanted.messages;
        self.current = messages.find(|wanted| wanted.number == number);
        self.converter = Converter::new(self.line_ends);
        self.parcel
            .marks
            .push((self.parcel.octets.len(), Mark::Begin));
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Unsent> {
        self.converter.convert(octets, &mut self.parcel.octets);
        self.bar.inc(octets.len() as u64);
        match self.parcel.octets.len() >= PARCEL {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn end(&mut self, retrieved: Retrieved, _: Complete) -> Result<(), Unsent> {
        self.converter.finish(&mut self.parcel.octets);
        let Some(wanted) = self.current.take() else {
            return Ok(());
        };
        let Wanted { maildrop, .. } = self.wanted;
        let listed = plan::octets(maildrop, wanted.number);
        if self.wanted.pipelining
            && let Some(listed) = listed.filter(|listed| !retrieved.fits(*listed))
        {
            return Err(Unsent::Misfit(Misfit {
                number: wanted.number,
                octets: retrieved.octets(),
                listed,
            }));
        }
        let mark = Mark::End {
            key: Key {
                unique_id: plan::unique_id(maildrop, wanted.number).to_vec(),
                copy: wanted.copy,
            },
            listed: listed.unwrap_or(0),
            sizes: self.converter.sizes(),
        };
        self.parcel.marks.push((self.parcel.octets.len(), mark));
        if self.wanted.for_deletion {
            self.proofs.push((*wanted, retrieved));
        }
        match self.parcel.marks.len() >= MARKS {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn refused(&mut self, number: MessageNumber, refusal: Refusal) -> Result<(), Unsent> {
        self.refused.push((number, refusal));
        Ok(())
    }
}

/// The other thread.
fn write(mut group: Group, incoming: &Receiver<Parcel>, empty: &SyncSender<Parcel>) -> Committed {
    let mut within = false;
    let mut done = Ok(());
    for mut parcel in incoming {
        done = take(&mut group, &mut parcel, &mut within);
        if done.is_err() {
            break;
        }
        parcel.octets.clear();
        let _ = empty.try_send(parcel);
    }
    if within {
        group.discard();
    }
    // Whole messages are kept also when the connection broke after them.
    group.finish(done)
}

/// Writes a parcel. `within`: a message has begun and not ended.
fn take(group: &mut Group, parcel: &mut Parcel, within: &mut bool) -> Result<(), Stopped> {
    let mut at = 0;
    for (before, mark) in parcel.marks.drain(..) {
        if before > at {
            group.write(&parcel.octets[at..before])?;
            at = before;
        }
        match mark {
            Mark::Begin => {
                group.begin()?;
                *within = true;
            }
            Mark::End { key, listed, sizes } => {
                *within = false;
                group.end(key, listed, sizes)?;
            }
        }
    }
    match parcel.octets.get(at..) {
        Some(octets) if !octets.is_empty() => group.write(octets),
        _ => Ok(()),
    }
}

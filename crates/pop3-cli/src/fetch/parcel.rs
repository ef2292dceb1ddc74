//! From the thread that reads the network to the one that writes the disk.
//!
//! Messages go over in parcels of about [`PARCEL`] octets, a few at most on their
//! way, so that the disk may be slow for a while and memory stays bounded. The
//! one copy that fills a parcel also turns line ends.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use dot_stuffing::Complete;
use indicatif::ProgressBar;
use pop3_proto::{MessageNumber, client::Retrieved};
use pop3_tokio::client::{Refusal, Sink};

use super::{
    committer::Committed,
    delivery::line_ends::{Converter, LineEnds},
    group::{Group, Stopped},
    journal::Key,
    plan::Retrieve,
};
use crate::exit::{Exit, Failure};

/// Octets after which a parcel is sent.
const PARCEL: usize = 256 * 1024;
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

/// The sink of a retrieval.
pub(crate) struct Outgoing<'a> {
    wanted: std::slice::Iter<'a, Retrieve>,
    describe: &'a dyn Fn(&Retrieve) -> (Key, u64),
    current: Option<&'a Retrieve>,
    converter: Converter,
    line_ends: LineEnds,
    parcel: Parcel,
    parcels: SyncSender<Parcel>,
    emptied: Receiver<Parcel>,
    writer: JoinHandle<Committed>,
    bar: ProgressBar,
    /// Proofs of the messages that were handed over whole, in order.
    pub(crate) proofs: Vec<(Retrieve, Retrieved)>,
    /// What the server refused.
    pub(crate) refused: Vec<(MessageNumber, Refusal)>,
}

/// The writer has failed: its failure comes when it is joined.
#[derive(Debug)]
pub(crate) struct WriterGone;

impl<'a> Outgoing<'a> {
    /// Starts the writer. `describe` gives a message's key and listed size.
    pub(crate) fn new(
        group: Group,
        wanted: &'a [Retrieve],
        describe: &'a dyn Fn(&Retrieve) -> (Key, u64),
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
            wanted: wanted.iter(),
            describe,
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

    fn send(&mut self) -> Result<(), WriterGone> {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.parcel, empty);
        self.parcels.send(full).map_err(|_| WriterGone)
    }

    /// Nothing more comes: waits until all whole messages are delivered.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    pub(crate) fn finish(
        mut self,
    ) -> (
        Committed,
        Vec<(Retrieve, Retrieved)>,
        Vec<(MessageNumber, Refusal)>,
    ) {
        let _ = self.send();
        drop(self.parcels);
        let written = self.writer.join().unwrap_or_else(|_| Committed::lost());
        (written, self.proofs, self.refused)
    }
}

impl Sink for Outgoing<'_> {
    type Error = WriterGone;

    fn begin(&mut self, number: MessageNumber, _: Option<u64>) -> Result<(), WriterGone> {
        self.current = self.wanted.find(|wanted| wanted.number == number);
        self.converter = Converter::new(self.line_ends);
        self.parcel
            .marks
            .push((self.parcel.octets.len(), Mark::Begin));
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), WriterGone> {
        self.converter.convert(octets, &mut self.parcel.octets);
        self.bar.inc(octets.len() as u64);
        match self.parcel.octets.len() >= PARCEL {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn end(&mut self, retrieved: Retrieved, _: Complete) -> Result<(), WriterGone> {
        self.converter.finish(&mut self.parcel.octets);
        if let Some(wanted) = self.current.take() {
            let (key, listed) = (self.describe)(wanted);
            let sizes = self.converter.sizes();
            let mark = Mark::End { key, listed, sizes };
            self.parcel.marks.push((self.parcel.octets.len(), mark));
            self.proofs.push((*wanted, retrieved));
        }
        Ok(())
    }

    fn refused(&mut self, number: MessageNumber, refusal: Refusal) -> Result<(), WriterGone> {
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

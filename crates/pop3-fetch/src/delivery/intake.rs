//! Where messages go while they come.

use pop3_proto::MessageNumber;

use super::{Group, LineEnds, group::Stopped, line_ends::Converter};
use crate::{Failure, Journal, Key, Kind};

/// Takes messages one after the other: [`begin`](Self::begin),
/// [`write`](Self::write) as often as octets come, then [`keep`](Self::keep) or
/// [`discard`](Self::discard). What is kept is recorded only after
/// [`confirm`](Self::confirm).
pub trait Intake {
    /// A message begins.
    ///
    /// # Errors
    ///
    /// [`Gone`] after a failure that [`finish`](Self::finish) reports. So in all
    /// methods.
    fn begin(&mut self, number: MessageNumber) -> Result<(), Gone>;

    /// Octets of it, as received.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn write(&mut self, octets: &[u8]) -> Result<(), Gone>;

    /// Lines of it that ended with CRLF.
    fn lines(&self) -> u64;

    /// It is whole. `listed`: its octets by LIST; `received`: those that came.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn keep(&mut self, key: Key, listed: u64, received: u64) -> Result<(), Gone>;

    /// It is not to be stored.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn discard(&mut self) -> Result<(), Gone>;

    /// All that was kept so far may be recorded.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn confirm(&mut self) -> Result<(), Gone>;

    /// All that was kept since the last [`confirm`](Self::confirm) is not to be
    /// stored.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn reject(&mut self) -> Result<(), Gone>;

    /// Nothing more comes: waits until what is confirmed is delivered, and
    /// forgets the rest.
    fn finish(self) -> Committed;
}

/// The intake has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// What was delivered, and how it ended.
#[derive(Debug)]
pub struct Committed {
    /// Messages that are delivered.
    pub messages: usize,
    /// Their octets, as received.
    pub octets: u64,
    /// The journal, or why not all was delivered.
    pub journal: Result<Journal, Failure>,
}

impl Committed {
    /// A thread has panicked.
    pub(crate) fn lost() -> Self {
        Self {
            messages: 0,
            octets: 0,
            journal: Err(Failure::new(Kind::Io, "a worker thread panicked")),
        }
    }
}

/// An intake that does all at once, on the caller's thread.
#[derive(Debug)]
pub struct Direct {
    group: Group,
    converter: Converter,
    line_ends: LineEnds,
    octets: Vec<u8>,
    within: bool,
    done: Result<(), Stopped>,
}

impl Direct {
    /// Delivers to a group.
    #[must_use]
    pub fn new(group: Group, line_ends: LineEnds) -> Self {
        Self {
            group,
            converter: Converter::new(line_ends),
            line_ends,
            octets: Vec::new(),
            within: false,
            done: Ok(()),
        }
    }

    fn step(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Stopped>) -> Result<(), Gone> {
        if self.done.is_ok() {
            self.done = step(self);
        }
        self.done.as_ref().map_or(Err(Gone), |()| Ok(()))
    }
}

impl Intake for Direct {
    fn begin(&mut self, _: MessageNumber) -> Result<(), Gone> {
        self.step(|this| {
            this.converter = Converter::new(this.line_ends);
            this.within = true;
            Ok(this.group.begin()?)
        })
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Gone> {
        self.step(|this| {
            this.octets.clear();
            this.converter.convert(octets, &mut this.octets);
            this.group.write(&this.octets)
        })
    }

    fn lines(&self) -> u64 {
        self.converter.lines()
    }

    fn keep(&mut self, key: Key, listed: u64, received: u64) -> Result<(), Gone> {
        self.step(|this| {
            this.octets.clear();
            this.converter.finish(&mut this.octets);
            this.group.write(&this.octets)?;
            this.within = false;
            this.group
                .end(key, listed, received, this.converter.sizes())
        })
    }

    fn discard(&mut self) -> Result<(), Gone> {
        self.within = false;
        self.group.discard();
        self.done.as_ref().map_or(Err(Gone), |()| Ok(()))
    }

    fn confirm(&mut self) -> Result<(), Gone> {
        self.step(|this| this.group.confirm())
    }

    fn reject(&mut self) -> Result<(), Gone> {
        self.step(|this| {
            this.group.reject();
            Ok(())
        })
    }

    fn finish(mut self) -> Committed {
        if self.within {
            self.group.discard();
        }
        self.group.finish(self.done)
    }
}

//! The receiver of messages during retrieval.

use pop3_proto::MessageNumber;

use super::{Answer, Group, LineEnds, group::Stopped, line_ends::Converter};
use crate::{Failure, Journal, Key, Kind};

/// Takes messages one after the other: call [`begin`](Self::begin),
/// [`write`](Self::write) for each piece, then [`keep`](Self::keep) or
/// [`discard`](Self::discard). Kept messages are recorded only after
/// [`confirm`](Self::confirm).
pub trait Intake {
    /// Begins a message.
    ///
    /// # Errors
    ///
    /// All methods return [`Gone`] after a failure, which [`finish`](Self::finish)
    /// reports.
    fn begin(&mut self, number: MessageNumber) -> Result<(), Gone>;

    /// Writes octets of the message, as received.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn write(&mut self, octets: &[u8]) -> Result<(), Gone>;

    /// Returns the number of lines of the message so far that ended with CRLF.
    fn lines(&self) -> u64;

    /// Ends and keeps a complete message. `listed`: its octets in LIST; `received`:
    /// the octets that were received.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn keep(&mut self, key: Key, listed: u64, received: u64) -> Result<(), Gone>;

    /// Ends and discards the message.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn discard(&mut self) -> Result<(), Gone>;

    /// Allows all messages kept so far to be recorded.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn confirm(&mut self) -> Result<(), Gone>;

    /// Discards all messages kept since the last [`confirm`](Self::confirm).
    ///
    /// # Errors
    ///
    /// [`Gone`]
    fn reject(&mut self) -> Result<(), Gone>;

    /// Waits until the confirmed messages are delivered, and discards the others.
    fn finish(self) -> Committed;
}

/// The intake has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// The result of an intake.
#[derive(Debug)]
pub struct Committed {
    /// The number of delivered messages.
    pub messages: usize,
    /// Their octets, as received.
    pub octets: u64,
    /// What a command or a server says about messages that it declined, or about
    /// messages that it took with a remark.
    pub answers: Vec<(Key, Answer)>,
    /// The journal, or the reason why some messages were not delivered.
    pub journal: Result<Journal, Failure>,
}

impl Committed {
    /// The result if a thread panicked.
    pub(crate) fn lost() -> Self {
        Self {
            messages: 0,
            octets: 0,
            answers: Vec::new(),
            journal: Err(Failure::new(Kind::Io, "a worker thread panicked")),
        }
    }
}

/// An intake that does all its work on the caller's thread.
///
/// ```
/// use pop3_fetch::{Direct, Form, Group, Intake, Journal, Key, LineEnds, Place, System};
/// use pop3_proto::MessageNumber;
///
/// let home = tempfile::tempdir()?;
/// let journal = Journal::open(&home.path().join("journal"), "me@mail.example.org")?;
/// let place = Place::Mbox(home.path().join("mbox"));
/// let group = Group::open(&System, journal, &place, Form::Mbox, |_, _| {})?;
/// let mut intake = Direct::new(group, LineEnds::Lf);
/// let mut deliver = || {
///     intake.begin(MessageNumber::FIRST)?;
///     intake.write(b"Subject: Hello\r\n\r\nHi\r\n")?;
///     intake.keep(Key { unique_id: b"unique".to_vec(), copy: 0 }, 22, 22)?;
///     intake.confirm()
/// };
/// assert_eq!(deliver(), Ok(()));
/// let committed = intake.finish();
/// committed.journal?;
/// assert_eq!(committed.messages, 1);
/// let mbox = std::fs::read_to_string(home.path().join("mbox"))?;
/// assert!(mbox.contains("\nSubject: Hello\n\nHi\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// An intake that delivers to `group`.
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
            Ok(this.group.begin(this.line_ends)?)
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

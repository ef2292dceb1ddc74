//! Where messages go: a Maildir, an mbox file, or standard output.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{disk::Disk, failure::Failure, journal::Waits};

pub use group::{Group, finish_leftovers};
pub use intake::{Committed, Direct, Gone, Intake};
pub use line_ends::LineEnds;
pub use parcel::Parcels;

mod committer;
mod group;
mod intake;
mod line_ends;
mod maildir;
mod mbox;
mod parcel;
mod quoting;
mod spool;
mod stdout;

/// A place for messages, filled by groups: [`begin`](Self::begin),
/// [`write`](Self::write) and [`end`](Self::end) for each message, then
/// [`seal`](Self::seal) for all of them. The essay in [`group`]
/// says why.
///
/// [`close`](Self::close)d or dropped, it removes what is not sealed.
pub(crate) trait Delivery: Send {
    /// What the names of its unfinished files begin with, if it makes any.
    fn stem(&self) -> Option<&str>;

    fn begin(&mut self) -> Result<(), Failure>;

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure>;

    /// The message is whole. `sizes`: its octets as stored, and with CRLF.
    fn end(&mut self, sizes: (u64, u64)) -> Result<(), Failure>;

    /// The message that was begun will not be whole.
    fn discard(&mut self);

    /// Removes the whole messages of the group after the first `messages`, and
    /// one that was begun.
    fn retain(&mut self, messages: usize);

    /// What puts on the disk all that was written of the message so far, where
    /// that helps before the group is whole.
    fn flush(&self) -> Option<Flush> {
        None
    }

    /// Ends the group: what begins next belongs to another one.
    fn seal(&mut self) -> Box<dyn Sealed>;

    /// Nothing more comes. What was not sealed is removed, on the disk too.
    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether a group has to be settled before the next one begins.
    fn one_at_a_time(&self) -> bool {
        true
    }

    /// After how many messages a group ends at the latest, where more would cost
    /// too much.
    fn messages(&self) -> usize {
        usize::MAX
    }
}

/// Puts on the disk what was written to a file before.
pub(crate) type Flush = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// A group of whole messages. Dropped, it removes what is not secured.
pub(crate) trait Sealed: Send {
    /// Puts the octets of the group on the disk, where `publish` or, after a
    /// kill, [`recover`] finds them. Gives a name for each message.
    fn secure(&mut self) -> Result<Vec<String>, Failure>;

    /// Puts the group to where it is read, on the disk too.
    ///
    /// # Errors
    ///
    /// The group is where `recover` finds it, unless it
    /// [was undone](Self::is_undone).
    fn publish(&mut self) -> Result<(), Failure>;

    /// Whether a failed `publish` left nothing of the group anywhere.
    fn is_undone(&self) -> bool {
        false
    }
}

/// What to deliver to, as named by `--to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory with `tmp`, `new` and `cur`.
    Maildir(PathBuf),
    /// A file.
    Mbox(PathBuf),
    /// Standard output.
    Stdout,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("maildir", directory)) if !directory.is_empty() => {
                Ok(Self::Maildir(directory.into()))
            }
            Some(("mbox", file)) if !file.is_empty() => Ok(Self::Mbox(file.into())),
            _ if text == "-" => Ok(Self::Stdout),
            _ => Err(String::from("write maildir:DIRECTORY, mbox:FILE or -")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maildir(directory) => write!(f, "maildir:{}", directory.display()),
            Self::Mbox(file) => write!(f, "mbox:{}", file.display()),
            Self::Stdout => f.write_str("-"),
        }
    }
}

impl Place {
    /// The same place whatever the working directory is.
    #[must_use]
    pub fn absolute(&self) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match self {
            Self::Maildir(directory) => Self::Maildir(absolute(directory)),
            Self::Mbox(file) => Self::Mbox(absolute(file)),
            Self::Stdout => Self::Stdout,
        }
    }

    /// Opens it. `spool` is a file of this account alone.
    pub(crate) fn open<D: Disk>(
        &self,
        disk: &D,
        form: Form,
        spool: &Path,
    ) -> Result<Box<dyn Delivery>, Failure> {
        Ok(match self {
            Self::Maildir(directory) => Box::new(maildir::Maildir::open(disk, directory)?),
            Self::Mbox(file) => Box::new(mbox::Mbox::open(disk, file, spool)?),
            Self::Stdout => Box::new(stdout::Stdout::open(disk, form, spool)?),
        })
    }
}

/// How messages are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As in an mbox.
    Mbox,
    /// One after the other, nothing between them.
    Raw,
}

/// Finishes what a killed run has secured at `place`, and removes what it has
/// not. Gives for each pending message whether it is delivered; if not, it has to
/// be fetched again.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    place: &str,
    stems: &[String],
    pending: &[Waits],
    spool: &Path,
    now: i64,
) -> Result<Vec<bool>, Failure> {
    match place.parse() {
        Ok(Place::Maildir(directory)) => maildir::recover(disk, &directory, stems, pending, now),
        Ok(Place::Mbox(file)) => mbox::recover(disk, &file, pending, spool),
        // Nobody knows what the reader got.
        Ok(Place::Stdout) | Err(_) => Ok(vec![false; pending.len()]),
    }
}

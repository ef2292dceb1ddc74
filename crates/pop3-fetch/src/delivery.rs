//! Delivery to Maildirs, an mbox file, a command, an LMTP server, or standard output.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{disk::Disk, failure::Failure, journal::Waits};

use handover::HandOver;

pub use group::{Group, finish_leftovers};
pub use handover::{Answer, Verdict};
pub use intake::{Committed, Direct, Gone, Intake};
pub use line_ends::LineEnds;
pub use lmtp::{Address, Lmtp, LmtpServer};
pub use parcel::Parcels;
pub use sorted::{Rule, Sorting};
pub use trace::{Source, Trace};

mod command;
mod committer;
mod date;
mod group;
mod handover;
mod intake;
mod line_ends;
mod lmtp;
mod maildir;
mod mbox;
mod parcel;
mod quoting;
mod sorted;
mod spool;
mod stdout;
mod trace;

/// A place for messages, filled group by group: call [`begin`](Self::begin),
/// [`write`](Self::write) and [`end`](Self::end) for each message, then
/// [`seal`](Self::seal) for the group. [`group`] explains why.
///
/// Closing or dropping it removes the messages that are not sealed.
pub(crate) trait Delivery: Send {
    /// The prefix of the names of its unfinished files at the place.
    fn stem(&self) -> &str {
        ""
    }

    /// Begins a message. `trace`: octets to store before those of the message.
    fn begin(&mut self, trace: &[u8]) -> Result<(), Failure>;

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure>;

    /// Ends a complete message. `sizes`: its octets as stored, including `trace`, and
    /// with CRLF.
    fn end(&mut self, sizes: (u64, u64)) -> Result<(), Failure>;

    /// Removes the message that was begun.
    fn discard(&mut self);

    /// Keeps the first `messages` complete messages of the group, and removes the
    /// others and a message that was begun.
    fn retain(&mut self, messages: usize);

    /// Returns a function that syncs the octets written so far, where syncing
    /// before the end of the group helps.
    fn flush(&self) -> Option<Flush> {
        None
    }

    /// Ends the group. The next message belongs to another group.
    fn seal(&mut self) -> Sealed;

    /// Removes the messages that are not sealed, and syncs that.
    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether a group must be settled before the next one begins.
    fn one_at_a_time(&self) -> bool {
        true
    }

    /// The most messages in a group, where more would cost too much.
    fn messages(&self) -> usize {
        usize::MAX
    }
}

/// Syncs what was written to a file before.
pub(crate) type Flush = Box<dyn FnOnce() -> Result<(), Failure> + Send>;

/// A group of complete messages.
pub(crate) enum Sealed {
    /// Published together, after the journal has recorded the group.
    Together(Box<dyn Publish>),
    /// Handed over one by one, and recorded one by one.
    Singly(Box<dyn HandOver>),
}

/// A group that is published. Dropping it removes messages that are not secured.
pub(crate) trait Publish: Send {
    /// Syncs the octets of the group, so that `publish` or, after a kill,
    /// [`recover`] finds them. Returns a name for each message.
    fn secure(&mut self) -> Result<Vec<String>, Failure>;

    /// The place of a message of the group, by its index, where `recover` will look
    /// for it. By default, that of the delivery.
    fn place(&self, _message: usize) -> Option<&str> {
        None
    }

    /// Moves the group to the place where mail is read, and syncs that.
    ///
    /// # Errors
    ///
    /// After a failure, `recover` finds the group, unless it [was
    /// undone](Self::is_undone).
    fn publish(&mut self) -> Result<(), Failure>;

    /// Whether a failed `publish` left nothing of the group anywhere.
    fn is_undone(&self) -> bool {
        false
    }
}

/// The place to deliver to, as named by `--to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory with `tmp`, `new` and `cur`.
    Maildir(PathBuf),
    /// An mbox file.
    Mbox(PathBuf),
    /// A shell command that reads a message from standard input and ends with
    /// status 0 if it has taken it.
    Command(String),
    /// An LMTP server.
    Lmtp(Lmtp),
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
            Some(("command", command)) if !command.trim().is_empty() => {
                Ok(Self::Command(command.to_owned()))
            }
            Some(("lmtp", server)) => Ok(Self::Lmtp(Lmtp::new(server.parse()?))),
            _ if text == "-" => Ok(Self::Stdout),
            _ => Err(String::from(
                "write maildir:DIRECTORY, mbox:FILE, command:COMMAND, lmtp:HOST:PORT, \
                 lmtp:/SOCKET or -",
            )),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maildir(directory) => write!(f, "maildir:{}", directory.display()),
            Self::Mbox(file) => write!(f, "mbox:{}", file.display()),
            Self::Command(command) => write!(f, "command:{command}"),
            Self::Lmtp(lmtp) => write!(f, "lmtp:{}", lmtp.server()),
            Self::Stdout => f.write_str("-"),
        }
    }
}

impl Place {
    /// Makes the path absolute, so that it does not depend on the working
    /// directory.
    #[must_use]
    pub fn absolute(&self) -> Self {
        match self {
            Self::Maildir(directory) => Self::Maildir(absolute(directory)),
            Self::Mbox(file) => Self::Mbox(absolute(file)),
            Self::Command(_) | Self::Lmtp(_) | Self::Stdout => self.clone(),
        }
    }

    /// Opens the place. `spool` is a file for this account alone.
    pub(crate) fn open<D: Disk>(
        &self,
        disk: &D,
        form: Form,
        spool: &Path,
    ) -> Result<Box<dyn Delivery>, Failure> {
        Ok(match self {
            Self::Maildir(directory) => Box::new(maildir::Maildir::open(disk, directory)?),
            Self::Mbox(file) => Box::new(mbox::open(disk, file, spool)?),
            Self::Command(command) => Box::new(command::open(disk, command, spool)?),
            Self::Lmtp(lmtp) => Box::new(lmtp::open(disk, lmtp, spool)?),
            Self::Stdout => Box::new(stdout::open(disk, form, spool)?),
        })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The form of messages on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As in an mbox.
    Mbox,
    /// One after the other, with nothing between them.
    Raw,
}

/// Delivers the messages that a killed run secured at `place`, and removes the
/// others. Returns whether each pending message is delivered; if not, it must be
/// fetched again.
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
        // Recorded only after they were accepted.
        Ok(Place::Command(_) | Place::Lmtp(_)) => Ok(vec![true; pending.len()]),
        // It is unknown what the reader received.
        Ok(Place::Stdout) | Err(_) => Ok(vec![false; pending.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_written_as_it_is_read() {
        for text in [
            "maildir:Mail",
            "mbox:/var/mail/me",
            "command:procmail -d me",
            "command:a: b",
            "lmtp:localhost:24",
            "lmtp:[::1]:24",
            "lmtp:/run/lmtp",
            "-",
        ] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "maildir:",
            "mbox:",
            "mbox",
            "Mail",
            "mh:Mail",
            "-:",
            "command:",
            "command: ",
            "lmtp:",
            "lmtp:localhost",
            "lmtp:localhost:0",
            "lmtp:localhost:smtp",
            "lmtp::24",
            "lmtp:::1:24",
            "lmtp:localhost:25",
            "lmtp:socket",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}

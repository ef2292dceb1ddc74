//! Delivery to an mbox file.
//!
//! Other programs write to the same file, and one of them may do so between a kill
//! and the next run. So nothing is ever cut off the file but what was appended
//! under a [lock](lock) that is still held. Instead a group is first written to a spool file
//! beside the journal, in the very octets that the mbox will get. Once spool and
//! journal are on the disk, the spool is appended to the mbox, and that can be done
//! again.
//!
//! # After a kill
//!
//! The journal knows where in the mbox the group has its [`Region`]. A loss of power
//! may leave there, in place of any octets of the group that were not on the disk
//! yet, NULs, or the end of the file; and a recovery that ended early, newlines. So as
//! far as each octet is that of the group, NUL or a newline, a killed run wrote it.
//!
//! | what killed runs wrote | so |
//! |---|---|
//! | reaches to the end of the file, or of the region | all of the region is written again |
//! | ends before: another program has appended since, or changed the file | its whole messages are delivered, and written again if they have gaps; the part of a message behind them becomes empty lines. The other messages are fetched again |
//!
//! If a mail reader has taken the group out and others have appended, the beginning
//! of another message may be like that of the group. It is left alone, unless it
//! goes beyond the `From ` line, which names the second, or has gaps.
//!
//! That all octets are there is no reason not to write them: if an `fsync` of the
//! killed run has failed, they stand in memory only, and a second one would not
//! write them. Nor would it if the same place was written again: ext4 of Linux 6.18
//! puts octets then where it reads zeros after the next start. So the place is cut
//! off first, where it is at the end.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Delivery, Form, Sealed,
    spool::{self, Spool, Spooled},
};
use crate::{
    disk::{Directory, Disk, File, open_or_make, open_parent},
    failure::Failure,
    journal::Waits,
};
use lock::Locked;

mod lock;

pub(crate) struct Mbox<D: Directory> {
    mailbox: Mailbox<D>,
    spool: Spool<D::File>,
}

/// Where the file is.
struct Mailbox<D> {
    path: PathBuf,
    directory: Arc<D>,
    name: OsString,
}

impl<D> Clone for Mailbox<D> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            directory: Arc::clone(&self.directory),
            name: self.name.clone(),
        }
    }
}

impl<D: Directory> Mailbox<D> {
    fn new(disk: &impl Disk<Directory = D>, path: &Path) -> io::Result<Self> {
        let (directory, name) = open_parent(disk, path)?;
        Ok(Self {
            path: path.to_owned(),
            directory: Arc::new(directory),
            name,
        })
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        Failure::cannot_write(&self.path, error)
    }
}

/// A group that is in the spool. The spool stays as it is until the journal says
/// that the group is delivered: until then a next run compares the mbox with it.
struct Waiting<D: Directory> {
    mailbox: Mailbox<D>,
    spooled: Spooled<D::File>,
    /// From [`secure`](Sealed::secure) to [`publish`](Sealed::publish).
    locked: Option<(Locked<D>, Region)>,
    is_undone: bool,
}

/// Where a group stands in an mbox: separating newlines, then the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    start: u64,
    /// Newlines, so that an empty line stands before the first message.
    separator: u64,
    /// Octets of the spool.
    octets: u64,
}

impl<D: Directory> Mbox<D> {
    pub(crate) fn open(
        disk: &impl Disk<Directory = D>,
        path: &Path,
        spool: &Path,
    ) -> Result<Self, Failure> {
        let open = || {
            let mailbox = Mailbox::new(disk, path)?;
            // Now, and not after the first group was fetched.
            open_or_make(&*mailbox.directory, &mailbox.name)?;
            Ok(mailbox)
        };
        Ok(Self {
            mailbox: open().map_err(|error| Failure::cannot_open(path, &error))?,
            spool: Spool::open(disk, spool, Form::Mbox)?,
        })
    }
}

impl<D: Directory> Delivery for Mbox<D> {
    /// A killed run may leave its lock: the next one has to look after it, whether
    /// anything was delivered or not.
    fn stem(&self) -> Option<&str> {
        Some("")
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.spool.begin()
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.spool.write(octets)
    }

    fn end(&mut self, _: (u64, u64)) -> Result<(), Failure> {
        self.spool.end()
    }

    fn discard(&mut self) {
        self.spool.discard();
    }

    fn retain(&mut self, messages: usize) {
        self.spool.retain(messages);
    }

    fn seal(&mut self) -> Box<dyn Sealed> {
        Box::new(Waiting {
            mailbox: self.mailbox.clone(),
            spooled: self.spool.seal(),
            locked: None,
            is_undone: false,
        })
    }
}

impl<D: Directory> Sealed for Waiting<D> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        let Spooled {
            path,
            file,
            begins,
            octets,
        } = &self.spooled;
        let synced = file.sync();
        synced.map_err(|error| Failure::cannot_write(path, &error))?;
        let locked = Locked::new(&self.mailbox)?;
        let region = Region::behind(&locked.file, *octets);
        let region = region.map_err(|error| self.mailbox.cannot_write(&error))?;
        self.locked = Some((locked, region));
        let ends = begins.iter().skip(1).copied().chain([*octets]);
        let names = begins.iter().zip(ends);
        Ok(names
            .map(|(begin, end)| region.name(*begin, end - begin))
            .collect())
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let Some((mut locked, region)) = self.locked.take() else {
            return Ok(());
        };
        let written = region.write(&locked.file, &*self.spooled.file, region.octets);
        let published = written.and_then(|()| locked.finish());
        published.map_err(|error| {
            self.is_undone = region.cut(&locked.file).is_ok();
            self.mailbox.cannot_write(&error)
        })
    }

    fn is_undone(&self) -> bool {
        self.is_undone
    }
}

pub(crate) fn recover<D: Disk>(
    disk: &D,
    path: &Path,
    pending: &[Waits],
    spool: &Path,
) -> Result<Vec<bool>, Failure> {
    let lost = vec![false; pending.len()];
    let mailbox = match Mailbox::new(disk, path) {
        // Gone with all that was in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(lost),
        mailbox => mailbox.map_err(|error| Failure::cannot_open(path, &error))?,
    };
    let mut locked = Locked::new(&mailbox)?;
    let names = pending.iter().map(|waits| waits.message.name.as_str());
    let mut delivered = lost;
    if let Some((region, ends)) = Region::of(names)
        && let Some(spool) = open_spool(disk, spool, region.octets)
    {
        let kept = region.recover(&locked.file, &spool, &ends);
        let kept = kept.map_err(|error| mailbox.cannot_write(&error))?;
        for (delivered, end) in delivered.iter_mut().zip(ends) {
            *delivered = end <= kept;
        }
    }
    let finished = locked.finish();
    finished.map_err(|error| mailbox.cannot_write(&error))?;
    Ok(delivered)
}

/// The spool, if it is there with all octets of the group.
fn open_spool<D: Disk>(
    disk: &D,
    path: &Path,
    octets: u64,
) -> Option<<D::Directory as Directory>::File> {
    let (directory, name) = open_parent(disk, path).ok()?;
    let spool = directory.open(&name).ok()?;
    (spool.size().ok()? >= octets).then_some(spool)
}

impl Region {
    /// The region of a group of `octets` octets at the end of a file.
    fn behind(file: &impl File, octets: u64) -> io::Result<Self> {
        let start = file.size()?;
        let mut tail = [0; 2];
        let behind = start.saturating_sub(2);
        let read = file.read(&mut tail, behind)?;
        let separator = match &tail[..read] {
            b"" | b"\n\n" => 0,
            b"\n" | [_, b'\n'] => 1,
            _ => 2,
        };
        Ok(Self {
            start,
            separator,
            octets,
        })
    }

    /// Names the message that begins at `begin` in the spool.
    fn name(&self, begin: u64, octets: u64) -> String {
        let at = self.start + self.separator + begin;
        format!("{at}+{octets}-{}", self.separator)
    }

    /// The region of all messages with these names, and where each ends in the
    /// spool.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<(Self, Vec<u64>)> {
        let parse = |name: &str| {
            let (at, rest) = name.split_once('+')?;
            // Up to form 3 of the journal it was not part of the region.
            let (octets, separator) = rest.split_once('-').unwrap_or((rest, "0"));
            let separator: u64 = separator.parse().ok()?;
            Some((
                at.parse::<u64>().ok()?,
                octets.parse::<u64>().ok()?,
                separator,
            ))
        };
        let parsed: Option<Vec<_>> = names.map(parse).collect();
        let parsed = parsed?;
        let (at, _, separator) = *parsed.iter().min()?;
        let ends = parsed
            .iter()
            .map(|(this, octets, _)| this - at + octets)
            .collect::<Vec<_>>();
        Some((
            Self {
                start: at.checked_sub(separator)?,
                separator,
                octets: ends.iter().copied().max()?,
            },
            ends,
        ))
    }

    const fn end(&self) -> u64 {
        self.start + self.separator + self.octets
    }

    /// Writes the separator and the first octets of the spool.
    fn write(&self, file: &impl File, spool: &impl File, octets: u64) -> io::Result<()> {
        let at = self.start + self.separator;
        for newline in self.start..at {
            file.write(b"\n", newline)?;
        }
        spool::read(spool, 0, octets, |begin, octets| {
            file.write(octets, at + begin)
        })
    }

    /// Takes the region away, unless another program has appended behind it.
    fn cut(&self, file: &impl File) -> io::Result<()> {
        if file.size()? > self.end() {
            return Err(io::Error::other("it has grown"));
        }
        file.cut(self.start)?;
        file.sync()
    }

    /// Finishes what a killed run has begun. Gives how many octets of the spool are
    /// delivered; messages that end behind them are not.
    fn recover(&self, file: &impl File, spool: &impl File, ends: &[u64]) -> io::Result<u64> {
        let size = file.size()?;
        let (written, has_gaps) = self.written(file, spool)?;
        if self.start <= size && self.start + written == size.min(self.end()) {
            if size <= self.end() {
                file.cut(self.start)?;
            }
            self.write(file, spool, self.octets)?;
            return Ok(self.octets);
        }
        let written = written.saturating_sub(self.separator);
        let whole = ends.iter().copied().filter(|end| *end <= written).max();
        let whole = whole.unwrap_or(0);
        let mut from_line = [0; 64];
        let read = spool.read(&mut from_line, whole)?;
        let from_line = from_line[..read]
            .iter()
            .take_while(|&&octet| octet != b'\n');
        if has_gaps || written - whole > 1 + from_line.count() as u64 {
            self.write(file, spool, whole)?;
            let at = self.start + self.separator;
            for empty in at + whole..at + written {
                file.write(b"\n", empty)?;
            }
        }
        Ok(whole)
    }

    /// How many octets from the start on killed runs wrote, and whether there are
    /// gaps among them.
    fn written(&self, file: &impl File, spool: &impl File) -> io::Result<(u64, bool)> {
        let mut has_gaps = false;
        let mut at = self.start;
        let mut count = |expected: &[u8]| {
            let mut found = vec![0; expected.len()];
            let mut read = 0;
            while read < found.len() {
                match file.read(&mut found[read..], at + read as u64)? {
                    0 => break,
                    more => read += more,
                }
            }
            let ours = found[..read].iter().zip(expected);
            let ours = ours
                .take_while(|(found, expected)| found == expected || matches!(found, 0 | b'\n'));
            let ours = ours.inspect(|(found, expected)| has_gaps |= found != expected);
            let ours = ours.count();
            at += ours as u64;
            io::Result::Ok(ours == expected.len())
        };
        let separator = vec![b'\n'; usize::try_from(self.separator).unwrap_or(0)];
        let mut goes_on = count(&separator)?;
        spool::read(spool, 0, self.octets, |_, octets| {
            if goes_on {
                goes_on = count(octets)?;
            }
            Ok(())
        })?;
        Ok((at - self.start, has_gaps))
    }
}

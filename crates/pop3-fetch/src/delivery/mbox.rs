//! Delivery to an mbox file.
//!
//! Other programs write to the same file, and one may do so between a kill and the
//! next run. So the file is only truncated to undo an append under a [lock](lock)
//! that is still held. Otherwise, a group is first written to a spool file beside
//! the journal, with exactly the octets that the mbox will get. After spool and
//! journal are on disk, the spool is appended to the mbox, and that can be
//! repeated.
//!
//! # After a kill
//!
//! The journal records the [`Region`] of the group in the mbox. A loss of power may
//! leave NULs there, or the end of the file, in place of octets of the group that
//! were not yet on disk; a recovery that ended early may leave newlines. Until the
//! next run, mail readers show them at the end of the message before. As long
//! as each octet is that of the group, NUL or a newline, a killed run wrote it.
//!
//! | what killed runs wrote | recovery |
//! |---|---|
//! | reaches to the end of the file or of the region | the whole region is written again |
//! | ends earlier: another program has since appended to the file or changed it | its complete messages are written again; the part of a message after them becomes empty lines. The other messages are fetched again |
//!
//! If a mail reader has removed the group and other programs have appended, another
//! message may begin like the group. It is left alone, unless the match goes beyond
//! the `From ` line, which contains the time to the second, or has gaps.
//!
//! The region is written even if all its octets are there: if an `fsync` of the
//! killed run failed, they are only in memory, and a second `fsync` would not write
//! them. It would not write them either if they were written to the same place
//! again: ext4 of Linux 6.18 then stores them where it reads zeros after the next
//! start. So if the region is at the end of the file, it is truncated first.

use std::{
    ffi::OsString,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Form, Publish, Sealed,
    spool::{self, Spool, Spooled},
};
use crate::{
    disk::{Directory, Disk, File, open_or_make, open_parent},
    failure::Failure,
    journal::Waits,
};
use lock::Locked;

mod lock;
#[cfg(test)]
mod tests;

/// The directory and the name of the file.
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

/// A group in the spool. The spool stays unchanged until the journal says that the
/// group is delivered, because until then the next run compares the mbox with it.
struct Waiting<D: Directory> {
    mailbox: Mailbox<D>,
    spooled: Spooled<D::File>,
    /// The locked file, from [`secure`](Publish::secure) to
    /// [`publish`](Publish::publish).
    locked: Option<(Locked<D>, Region)>,
    is_undone: bool,
}

/// The place of a group in an mbox: separating newlines, then the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    start: u64,
    /// The number of newlines, so that an empty line precedes the first message.
    separator: u64,
    /// Octets of the spool.
    octets: u64,
}

pub(crate) fn open<D: Disk>(
    disk: &D,
    path: &Path,
    spool: &Path,
) -> Result<Spool<<D::Directory as Directory>::File>, Failure> {
    let open = || {
        let mailbox = Mailbox::new(disk, path)?;
        // Open it now, so that an error comes before the first group is fetched.
        open_or_make(&*mailbox.directory, &mailbox.name)?;
        Ok(mailbox)
    };
    let mailbox = open().map_err(|error| Failure::cannot_open(path, &error))?;
    Spool::open(disk, spool, Form::Mbox, move |spooled| {
        Sealed::Together(Box::new(Waiting {
            mailbox: mailbox.clone(),
            spooled,
            locked: None,
            is_undone: false,
        }))
    })
}

impl<D: Directory> Publish for Waiting<D> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        let Spooled {
            path, file, octets, ..
        } = &self.spooled;
        let synced = file.sync();
        synced.map_err(|error| Failure::cannot_write(path, &error))?;
        let locked = Locked::new(&self.mailbox)?;
        let region = Region::behind(&locked.file, *octets);
        let region = region.map_err(|error| self.mailbox.cannot_write(&error))?;
        self.locked = Some((locked, region));
        let names = self.spooled.messages();
        Ok(names
            .map(|message| region.name(message.start, message.end - message.start))
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
        // The mbox is gone with all its messages.
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

/// Opens the spool, if it has all octets of the group.
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
    /// The region after the end of a file, for a group of `octets` octets.
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

    /// The region of all messages with these names, and the end of each in the
    /// spool.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<(Self, Vec<u64>)> {
        let parse = |name: &str| {
            let (at, rest) = name.split_once('+')?;
            // Up to format 3 of the journal, the separator was not part of the
            // region.
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
        blank(file, self.start..at)?;
        copy(file, at, spool, octets)
    }

    /// Truncates the region, unless another program has appended after it.
    fn cut(&self, file: &impl File) -> io::Result<()> {
        if file.size()? > self.end() {
            return Err(io::Error::other("another program has appended to it"));
        }
        file.cut(self.start)?;
        file.sync()
    }

    /// Finishes what a killed run began. Returns the number of octets of the spool
    /// that are delivered; messages that end after them are not delivered.
    fn recover(&self, file: &impl File, spool: &impl File, ends: &[u64]) -> io::Result<u64> {
        let size = file.size()?;
        let written = self.written(file, spool)?;
        if self.start <= size && self.start + written == size.min(self.end()) {
            if size <= self.end() {
                file.cut(self.start)?;
            }
            self.write(file, spool, self.octets)?;
            return Ok(self.octets);
        }
        // Nothing beyond `end` is touched: it is another program's.
        let end = Self::before_another(file, self.start + written)?;
        let at = end.min(self.start + self.separator);
        let written = end - at;
        let whole = ends.iter().copied().filter(|end| *end <= written).max();
        let whole = whole.unwrap_or(0);
        let (mut next, mut found) = ([0; 64], [0; 64]);
        let read = spool.read(&mut next, whole)?;
        let next = &next[..read];
        let part = written - whole;
        let from_line = next.iter().take_while(|&&octet| octet != b'\n').count();
        // Up to there it may be the start of another program's message.
        let is_ours = part > 1 + from_line as u64 || {
            let octets = usize::try_from(part).map_or(0, |part| part.min(found.len()));
            let found = &mut found[..octets];
            let read = file.read(found, at + whole)?;
            !next.starts_with(&found[..read])
        };
        blank(file, self.start..at)?;
        copy(file, at, spool, whole)?;
        if is_ours {
            blank(file, at + whole..end)?;
        }
        Ok(whole)
    }

    /// Returns where our octets end. The octet at `end` is the first that differs from
    /// them, but those before it may be the start of another program's `From `.
    fn before_another(file: &impl File, end: u64) -> io::Result<u64> {
        const FROM: &[u8; 5] = b"From ";
        for back in 1..FROM.len() as u64 {
            let mut found = [0; FROM.len()];
            if let Some(at) = end.checked_sub(back)
                && file.read(&mut found, at)? == FROM.len()
                && found == *FROM
            {
                return Ok(at);
            }
        }
        Ok(end)
    }

    /// Returns the number of octets at the start of the region that killed runs
    /// wrote.
    fn written(&self, file: &impl File, spool: &impl File) -> io::Result<u64> {
        let mut at = self.start;
        let mut count = |expected: &[u8]| {
            let mut found = vec![0; expected.len()];
            let mut read = 0;
            loop {
                match file.read(&mut found[read..], at + read as u64)? {
                    0 => break,
                    more => read += more,
                }
            }
            let ours = found[..read].iter().zip(expected);
            let ours = ours
                .take_while(|(found, expected)| found == expected || matches!(found, 0 | b'\n'));
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
        Ok(at - self.start)
    }
}

fn blank(file: &impl File, octets: Range<u64>) -> io::Result<()> {
    for at in octets {
        file.write(b"\n", at)?;
    }
    Ok(())
}

/// Writes the first octets of the spool to the file.
fn copy(file: &impl File, at: u64, spool: &impl File, octets: u64) -> io::Result<()> {
    spool::read(spool, 0, octets, |begin, octets| {
        file.write(octets, at + begin)
    })
}

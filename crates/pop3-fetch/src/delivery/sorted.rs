//! Delivery to several Maildirs, among which the header of a message chooses.
//!
//! The octets of a message wait in memory until its header has ended; then the
//! message begins in the Maildir of the first rule that takes it. A group has
//! messages of several Maildirs: it is secured when each of them is, and only then
//! recorded, each message with its own place. So a recovery needs no rules: it looks
//! for each message where the journal says that it waits.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Delivery, Flush, Place, Publish, Sealed, absolute,
    maildir::{Maildir, Waiting},
};
use crate::{
    disk::{Directory, Disk},
    failure::Failure,
};

/// The most octets of a header that rules see.
const MOST: usize = 256 * 1024;

/// Whether a message with this header goes to the Maildir of a rule.
type Takes = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Maildirs, and the rules that choose one of them for each message.
#[derive(Clone, Debug)]
pub struct Sorting {
    /// The rules. The first one that takes a message decides.
    pub rules: Vec<Rule>,
    /// The Maildir for messages that no rule takes.
    pub otherwise: PathBuf,
}

/// A Maildir, and the messages that go there.
#[derive(Clone)]
pub struct Rule {
    maildir: PathBuf,
    takes: Arc<Takes>,
}

impl Rule {
    /// Delivers messages to `maildir` if `takes` returns true for their header.
    ///
    /// The header has the line ends of delivery and includes the empty line at its
    /// end. A header of more than 256 KiB is cut off there; without an empty line,
    /// it is the whole message.
    pub fn new(maildir: PathBuf, takes: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self {
            maildir,
            takes: Arc::new(takes),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("maildir", &self.maildir)
            .finish_non_exhaustive()
    }
}

pub(super) struct Sorted<D: Directory> {
    maildirs: Vec<Opened<D>>,
    /// Each rule, with the index of its Maildir.
    rules: Vec<(Arc<Takes>, usize)>,
    /// The index of the Maildir for messages that no rule takes.
    otherwise: usize,
    /// The trace fields of the current message.
    trace: Vec<u8>,
    head: Head,
    /// The index of the Maildir in which the current message has begun.
    current: Option<usize>,
    /// The index of the Maildir of each message of the group.
    group: Vec<usize>,
}

/// An open Maildir, and its name in the journal.
struct Opened<D: Directory> {
    place: Arc<str>,
    maildir: Maildir<D>,
}

impl<D: Directory> Sorted<D> {
    pub(super) fn open(
        disk: &impl Disk<Directory = D>,
        sorting: &Sorting,
    ) -> Result<Self, Failure> {
        let rules = sorting.rules.iter();
        let places = rules.map(|rule| &rule.maildir).chain([&sorting.otherwise]);
        let mut paths: Vec<_> = places.map(|path| absolute(path)).collect();
        // A directory comes before those in it: one with other files does not become a
        // Maildir.
        paths.sort();
        paths.dedup();
        let index = |path: &Path| {
            let path = absolute(path);
            paths.partition_point(|other| *other < path)
        };
        let rules = sorting.rules.iter();
        let rules = rules.map(|rule| (Arc::clone(&rule.takes), index(&rule.maildir)));
        let (rules, otherwise) = (rules.collect(), index(&sorting.otherwise));
        let opened = paths.into_iter().map(|path| {
            Ok(Opened {
                maildir: Maildir::open(disk, &path)?,
                place: Place::Maildir(path).to_string().into(),
            })
        });
        let maildirs = opened.collect::<Result<_, Failure>>()?;
        Ok(Self {
            maildirs,
            rules,
            otherwise,
            trace: Vec::new(),
            head: Head::default(),
            current: None,
            group: Vec::new(),
        })
    }

    /// The name of each Maildir in the journal, with the prefix of the names of its
    /// unfinished files.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        let opened = self.maildirs.iter();
        opened.map(|opened| (&*opened.place, opened.maildir.stem()))
    }

    /// Begins the current message in the Maildir that its header chooses.
    fn choose(&mut self) -> Result<&mut Maildir<D>, Failure> {
        let header = &self.head.octets;
        let rule = self.rules.iter().find(|(takes, _)| takes(header));
        let index = rule.map_or(self.otherwise, |(_, maildir)| *maildir);
        let maildir = &mut self.maildirs[index].maildir;
        maildir.begin(&self.trace)?;
        self.current = Some(index);
        maildir.write(header)?;
        Ok(maildir)
    }
}

impl<D: Directory> Delivery for Sorted<D> {
    fn begin(&mut self, trace: &[u8]) -> Result<(), Failure> {
        trace.clone_into(&mut self.trace);
        self.head = Head::default();
        self.current = None;
        Ok(())
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<(), Failure> {
        let maildir = match self.current {
            Some(index) => &mut self.maildirs[index].maildir,
            None if self.head.take(&mut octets) => self.choose()?,
            None => return Ok(()),
        };
        match octets {
            [] => Ok(()),
            octets => maildir.write(octets),
        }
    }

    fn end(&mut self, sizes: (u64, u64)) -> Result<(), Failure> {
        if self.current.is_none() {
            self.choose()?;
        }
        if let Some(index) = self.current.take() {
            self.maildirs[index].maildir.end(sizes)?;
            self.group.push(index);
        }
        Ok(())
    }

    fn discard(&mut self) {
        if let Some(index) = self.current.take() {
            self.maildirs[index].maildir.discard();
        }
    }

    fn retain(&mut self, messages: usize) {
        self.discard();
        self.group.truncate(messages);
        for (index, opened) in self.maildirs.iter_mut().enumerate() {
            let its = self.group.iter().filter(|&&of| of == index);
            opened.maildir.retain(its.count());
        }
    }

    fn flush(&self) -> Option<Flush> {
        self.maildirs[self.current?].maildir.flush()
    }

    fn seal(&mut self) -> Sealed {
        let messages = std::mem::take(&mut self.group);
        let opened = self.maildirs.iter_mut().enumerate();
        let parts = opened.filter(|(index, _)| messages.contains(index));
        let parts = parts.map(|(index, opened)| Part {
            index,
            place: Arc::clone(&opened.place),
            waiting: opened.maildir.waiting(),
        });
        Sealed::Together(Box::new(Parts {
            parts: parts.collect(),
            messages,
        }))
    }

    fn close(&mut self) -> Result<(), Failure> {
        let mut opened = self.maildirs.iter_mut();
        opened.try_for_each(|opened| opened.maildir.close())
    }

    fn one_at_a_time(&self) -> bool {
        false
    }

    fn messages(&self) -> usize {
        let opened = self.maildirs.iter();
        let most = opened.map(|opened| opened.maildir.messages()).min();
        most.unwrap_or(usize::MAX)
    }
}

/// A group, by the Maildirs of its messages.
struct Parts<D: Directory> {
    parts: Vec<Part<D>>,
    /// The index of the Maildir of each message.
    messages: Vec<usize>,
}

/// The messages of one Maildir.
struct Part<D: Directory> {
    /// The index of the Maildir.
    index: usize,
    place: Arc<str>,
    waiting: Waiting<D>,
}

impl<D: Directory> Publish for Parts<D> {
    fn secure(&mut self) -> Result<Vec<String>, Failure> {
        // Until all are synced, none is kept if one fails.
        self.parts.iter().try_for_each(|part| part.waiting.sync())?;
        let mut names: Vec<_> = self
            .parts
            .iter_mut()
            .map(|part| (part.index, part.waiting.keep()))
            .collect();
        let name = |index: &usize| {
            let (_, names) = names.iter_mut().find(|(part, _)| part == index)?;
            names.next()
        };
        Ok(self.messages.iter().filter_map(name).collect())
    }

    fn place(&self, message: usize) -> Option<&str> {
        let index = self.messages.get(message)?;
        let part = self.parts.iter().find(|part| part.index == *index)?;
        Some(&part.place)
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let mut parts = self.parts.iter_mut();
        parts.try_for_each(|part| part.waiting.publish())
    }
}

/// The start of a message, up to the end of its header.
#[derive(Default)]
struct Head {
    octets: Vec<u8>,
    /// The offset of the last line.
    line: usize,
}

impl Head {
    /// Takes octets of the message up to the end of the header. Returns whether they
    /// reach it.
    fn take(&mut self, message: &mut &[u8]) -> bool {
        for line in message.split_inclusive(|&octet| octet == b'\n') {
            let room = MOST - self.octets.len();
            let taken = &line[..line.len().min(room)];
            self.octets.extend_from_slice(taken);
            *message = &message[taken.len()..];
            if self.octets.len() == MOST {
                return true;
            }
            if taken.ends_with(b"\n") {
                if matches!(&self.octets[self.line..], b"\n" | b"\r\n") {
                    return true;
                }
                self.line = self.octets.len();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;

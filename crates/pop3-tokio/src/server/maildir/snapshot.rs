//! The messages of a Maildir at login.

use std::{
    ffi::{CStr, CString},
    io,
    time::SystemTime,
};

use super::{
    super::size::wire_octets,
    directories::{Directories, Directory},
    name,
    sizes::Sizes,
    stamp::Stamp,
};

/// A message, and its place at login.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) directory: Directory,
    pub(super) file: CString,
    pub(super) unique_id: Box<str>,
    pub(super) octets: u64,
    /// The stamp of the file whose octets were counted.
    pub(super) stamp: Stamp,
    /// The part of its name that stays when it moves; `None` if another file has
    /// the same part.
    pub(super) unique_part: Option<Box<[u8]>>,
}

/// Lists the messages in the order of their delivery.
pub(super) fn take(directories: &Directories) -> io::Result<Vec<Stored>> {
    let mut found = Vec::new();
    // In this order, a message that moves in the meantime is seen twice rather than
    // never.
    for directory in [Directory::New, Directory::Cur] {
        directories.list(directory, |file| {
            let part = name::unique_part(file.to_bytes());
            found.push((name::delivered(&part), part, directory, file.to_owned()));
        })?;
    }
    found.sort_by(|(time, part, ..), (other_time, other_part, ..)| {
        (time, part).cmp(&(other_time, other_part))
    });

    let mut messages = Vec::with_capacity(found.len());
    let mut sizes = Counting::new(directories);
    for same_name in found.chunk_by(|(_, part, ..), (_, other, ..)| part == other) {
        let there = |(_, _, directory, file): &&(u64, Vec<u8>, Directory, CString)| {
            same_name.len() == 1 || directories.is_file(*directory, file)
        };
        let unique = same_name.iter().filter(there).count() == 1;
        for (_, part, directory, file) in same_name.iter().filter(there) {
            // Two files with the same unique part are two messages. Each is
            // identified by its full name, so a change of flags makes it another
            // message.
            let unique_id = match unique {
                true => name::unique_id(part),
                false => name::unique_id(&[b"\0", file.to_bytes()].concat()),
            };
            match sizes.octets(*directory, file, &unique_id) {
                Ok((stamp, octets)) => messages.push(Stored {
                    directory: *directory,
                    file: file.clone(),
                    unique_id: unique_id.into(),
                    octets,
                    stamp,
                    unique_part: unique.then(|| part.as_slice().into()),
                }),
                Err(error) => match error.kind() {
                    // The file was deleted after the directory was read.
                    io::ErrorKind::NotFound => {}
                    _ => return Err(error),
                },
            }
        }
    }
    sizes.keep();
    Ok(messages)
}

/// The source of sizes: the file of saved sizes, or else the message.
struct Counting<'a> {
    directories: &'a Directories,
    known: Sizes,
    sizes: Sizes,
    now: SystemTime,
    counted: bool,
}

impl<'a> Counting<'a> {
    fn new(directories: &'a Directories) -> Self {
        Self {
            directories,
            known: Sizes::load(directories),
            sizes: Sizes::default(),
            now: SystemTime::now(),
            counted: false,
        }
    }

    fn octets(
        &mut self,
        directory: Directory,
        file: &CStr,
        unique_id: &str,
    ) -> io::Result<(Stamp, u64)> {
        let stamp = self.directories.stamp(directory, file)?;
        if let Some(octets) = self.known.get(unique_id, stamp) {
            self.sizes.insert(unique_id, stamp, octets);
            return Ok((stamp, octets));
        }
        let message = self.directories.open_message(directory, file)?;
        let stamp = Stamp::of(&message)?;
        let octets = wire_octets(message)?;
        if stamp.is_settled(self.now) {
            self.counted = true;
            self.sizes.insert(unique_id, stamp, octets);
        }
        Ok((stamp, octets))
    }

    fn keep(&self) {
        if !self.counted && self.known.len() <= self.sizes.len() {
            return;
        }
        if let Err(error) = self.sizes.keep(self.directories) {
            // The sizes are still right.
            tracing::warn!(%error, "cannot save the sizes of messages; each login counts them again");
        }
    }
}

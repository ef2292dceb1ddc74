//! The messages of a Maildir as they are at login.

use std::{
    ffi::{CStr, CString},
    io,
    time::SystemTime,
};

use super::{
    super::size::wire_octets,
    folders::{Folder, Folders},
    name,
    sizes::Sizes,
    stamp::Stamp,
};

/// A message, and where it lay at login.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) folder: Folder,
    pub(super) file: CString,
    pub(super) unique_id: Box<str>,
    pub(super) octets: u64,
    /// The stamp of the file whose octets were counted.
    pub(super) stamp: Stamp,
    /// What its name keeps when it moves; none if another file has the same.
    pub(super) unique_part: Option<Box<[u8]>>,
}

/// Lists the messages in the order of their delivery.
pub(super) fn take(folders: &Folders) -> io::Result<Vec<Stored>> {
    let mut found = Vec::new();
    // In this order a message that moves meanwhile is seen twice, not never.
    for folder in [Folder::New, Folder::Cur] {
        folders.list(folder, |file| {
            let part = name::unique_part(file.to_bytes());
            found.push((name::delivered(&part), part, folder, file.to_owned()));
        })?;
    }
    found.sort_by(|(time, part, ..), (other_time, other_part, ..)| {
        (time, part).cmp(&(other_time, other_part))
    });

    let mut messages = Vec::with_capacity(found.len());
    let mut sizes = Counting::new(folders);
    for same_name in found.chunk_by(|(_, part, ..), (_, other, ..)| part == other) {
        let there = |(_, _, folder, file): &&(u64, Vec<u8>, Folder, CString)| {
            same_name.len() == 1 || folders.is_file(*folder, file)
        };
        let unique = same_name.iter().filter(there).count() == 1;
        for (_, part, folder, file) in same_name.iter().filter(there) {
            // Two files of one name are two messages; each is known by all of
            // its name, and a change of flags makes it another one.
            let unique_id = match unique {
                true => name::unique_id(part),
                false => name::unique_id(&[b"\0", file.to_bytes()].concat()),
            };
            match sizes.octets(*folder, file, &unique_id) {
                Ok((stamp, octets)) => messages.push(Stored {
                    folder: *folder,
                    file: file.clone(),
                    unique_id: unique_id.into(),
                    octets,
                    stamp,
                    unique_part: unique.then(|| part.as_slice().into()),
                }),
                // Deleted since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    sizes.keep();
    Ok(messages)
}

/// Where sizes come from: the file of kept sizes, or else the message.
struct Counting<'a> {
    folders: &'a Folders,
    known: Sizes,
    sizes: Sizes,
    now: SystemTime,
    counted: bool,
}

impl<'a> Counting<'a> {
    fn new(folders: &'a Folders) -> Self {
        Self {
            folders,
            known: Sizes::load(folders),
            sizes: Sizes::default(),
            now: SystemTime::now(),
            counted: false,
        }
    }

    fn octets(&mut self, folder: Folder, file: &CStr, unique_id: &str) -> io::Result<(Stamp, u64)> {
        let stamp = self.folders.stamp(folder, file)?;
        if let Some(octets) = self.known.get(unique_id, stamp) {
            self.sizes.insert(unique_id, stamp, octets);
            return Ok((stamp, octets));
        }
        let message = self.folders.open_message(folder, file)?;
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
        if let Err(error) = self.sizes.keep(self.folders) {
            // The sizes are right all the same.
            tracing::warn!(%error, "cannot keep the sizes of messages; they are counted again at each login");
        }
    }
}

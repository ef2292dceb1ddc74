//! A Maildir as a maildrop.
//!
//! The folders `new` and `cur` are one maildrop; `tmp` and subfolders are not
//! looked at. Messages are listed at login and stay where they are; other
//! programs may deliver, move between `new` and `cur`, change flags and delete
//! meanwhile. Two files of ours lie beside the folders: `pop3.lock`, which
//! keeps other sessions out, and `pop3.sizes`, which saves reading every message
//! at every login.

mod folders;
mod name;
mod sizes;
mod snapshot;
mod stamp;

use std::{
    collections::HashSet,
    ffi::{CStr, CString},
    fs::File,
    io,
    path::{Path, PathBuf},
};

use pop3_proto::{MessageNumber, UniqueId, server::Maildrop};

use self::{
    folders::{Folder, Folders},
    snapshot::Stored,
    stamp::Stamp,
};
use super::{MailStore, OpenError, User};

/// The Maildirs of users: the one that the user's line names, or else the one
/// for all.
#[derive(Clone, Debug)]
pub struct MaildirStore {
    otherwise: Option<PathBuf>,
    base: PathBuf,
}

impl MaildirStore {
    /// `otherwise` is the Maildir of each user whose line names none; the other
    /// Maildirs are sought from the folder `base`.
    #[must_use]
    pub fn new(otherwise: Option<PathBuf>, base: impl Into<PathBuf>) -> Self {
        Self {
            otherwise,
            base: base.into(),
        }
    }

    /// Where a user's Maildir is.
    #[must_use]
    pub fn path(&self, user: &User) -> Option<PathBuf> {
        let own = user.maildir().map(|own| self.base.join(own));
        own.or_else(|| self.otherwise.clone())
    }
}

impl MailStore for MaildirStore {
    type Maildrop = Maildir;

    fn open(&self, user: &User) -> Result<Maildir, OpenError> {
        match self.path(user) {
            Some(path) => Maildir::open(&path),
            None => Err(OpenError::Io(io::Error::new(
                io::ErrorKind::NotFound,
                "the user has no Maildir",
            ))),
        }
    }
}

/// A Maildir, locked for one session.
#[derive(Debug)]
pub struct Maildir {
    folders: Folders,
    messages: Vec<Stored>,
    /// Locked while it is open.
    _lock: File,
}

impl Maildir {
    /// Locks a Maildir and lists its messages. A message is read to count its
    /// octets, unless its file is the one whose size is kept in `pop3.sizes`.
    /// Sizes in names are not used: they are not always right.
    ///
    /// # Errors
    ///
    /// If another session has the lock, of this server or another process; if a
    /// folder or message cannot be read; if the lock cannot be created.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let folders = Folders::open(path)?;
        let lock = folders.lock()?;
        Ok(Self {
            messages: snapshot::take(&folders)?,
            folders,
            _lock: lock,
        })
    }

    fn message(&self, number: MessageNumber) -> io::Result<&Stored> {
        let message = self.messages.get(number.index());
        message.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Calls `found` for each file whose name says it is one of these messages,
    /// under another name than at login.
    fn find_moved(
        &self,
        unique_parts: &HashSet<&[u8]>,
        mut found: impl FnMut(Folder, &CStr),
    ) -> io::Result<()> {
        for folder in [Folder::New, Folder::Cur] {
            self.folders.list(folder, |file| {
                if unique_parts.contains(&*name::unique_part(file.to_bytes())) {
                    found(folder, file);
                }
            })?;
        }
        Ok(())
    }
}

impl Maildrop for Maildir {
    type Message = File;

    fn messages(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        self.message(number).map_or(0, |message| message.octets)
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        super::unique_id(self.message(number).ok().map(|message| &*message.unique_id))
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<File> {
        let message = self.message(number)?;
        let opened = self.folders.open_message(message.folder, &message.file);
        let (Some(part), true) = (&message.unique_part, is_missing(&opened)) else {
            return same(message, opened?);
        };
        // Another program has moved it, or changed its flags.
        let mut moved: Option<(Folder, CString)> = None;
        self.find_moved(&HashSet::from([&**part]), |folder, file| {
            moved = Some((folder, file.to_owned()));
        })?;
        let Some((folder, file)) = moved else {
            return opened;
        };
        let opened = same(message, self.folders.open_message(folder, &file)?)?;
        if let Some(message) = self.messages.get_mut(number.index()) {
            (message.folder, message.file) = (folder, file);
        }
        Ok(opened)
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let mut first_error = Ok(());
        let mut missing = HashSet::new();
        let remember = |done: io::Result<()>, first_error: &mut io::Result<()>| {
            // What another program has removed is removed.
            if done.is_err() && !is_missing(&done) && first_error.is_ok() {
                *first_error = done;
            }
        };
        for message in deleted.filter_map(|number| self.message(number).ok()) {
            let done = self.folders.remove_message(message.folder, &message.file);
            if let (Some(part), true) = (&message.unique_part, is_missing(&done)) {
                missing.insert(&**part);
            }
            remember(done, &mut first_error);
        }
        if !missing.is_empty() {
            let mut moved = Vec::new();
            self.find_moved(&missing, |folder, file| {
                moved.push((folder, file.to_owned()));
            })?;
            for (folder, file) in moved {
                remember(self.folders.remove_message(folder, &file), &mut first_error);
            }
        }
        first_error
    }
}

/// The file, if it has the octets that were listed at login.
fn same(message: &Stored, file: File) -> io::Result<File> {
    match Stamp::of(&file)? == message.stamp {
        true => Ok(file),
        false => Err(io::Error::other("the file has changed since login")),
    }
}

fn is_missing<T>(done: &io::Result<T>) -> bool {
    matches!(done, Err(error) if error.kind() == io::ErrorKind::NotFound)
}

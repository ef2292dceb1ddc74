//! A Maildir as a maildrop.
//!
//! The directories `new` and `cur` are one maildrop; `tmp` and subdirectories are
//! ignored. Messages are listed at login and stay in place; other programs may
//! deliver messages, move them between `new` and `cur`, change flags and delete
//! them at the same time. Two of our files are beside the directories: `pop3.lock`
//! locks out other sessions, and `pop3.sizes` saves reading every message at every
//! login.

mod directories;
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
    directories::{Directories, Directory},
    snapshot::Stored,
    stamp::Stamp,
};
use super::{MailStore, OpenError, User};

/// The Maildirs of users: the one in the user's line, or else a common one.
///
/// ```
/// use pop3_tokio::server::{Accounts, MailStore, Maildrop, MaildirStore, ScramKeys};
///
/// let home = tempfile::tempdir()?;
/// let maildir = home.path().join("mrose/Maildir");
/// for directory in ["cur", "new", "tmp"] {
///     std::fs::create_dir_all(maildir.join(directory))?;
/// }
/// std::fs::write(maildir.join("new/1"), "Subject: hello\n\nHi\n")?;
///
/// let line = format!("mrose:{}:mrose/Maildir", ScramKeys::new("tanstaaf")?);
/// let accounts = Accounts::parse(&line)?;
/// let store = MaildirStore::new(None, home.path());
/// let user = accounts.check("mrose", "tanstaaf").unwrap();
/// assert_eq!(store.path(user), Some(maildir));
/// assert_eq!(store.open(user)?.messages(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaildirStore {
    otherwise: Option<PathBuf>,
    base: PathBuf,
}

impl MaildirStore {
    /// A store of Maildirs. `otherwise` is the Maildir of users whose lines name
    /// none; relative paths in lines start at the directory `base`.
    #[must_use]
    pub fn new(otherwise: Option<PathBuf>, base: impl Into<PathBuf>) -> Self {
        Self {
            otherwise,
            base: base.into(),
        }
    }

    /// The path of a user's Maildir.
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
    directories: Directories,
    messages: Vec<Stored>,
    /// Locked while it is open.
    _lock: File,
}

impl Maildir {
    /// Locks a Maildir and lists its messages. It reads each message to count its
    /// octets, unless `pop3.sizes` has the size of the same file. It does not use
    /// sizes in file names, which are not always right.
    ///
    /// # Errors
    ///
    /// If another session of this server or another process holds the lock, if a
    /// directory or message cannot be read, or if the lock cannot be created.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let directories = Directories::open(path)?;
        let lock = directories.lock()?;
        Ok(Self {
            messages: snapshot::take(&directories)?,
            directories,
            _lock: lock,
        })
    }

    fn message(&self, number: MessageNumber) -> io::Result<&Stored> {
        let message = self.messages.get(number.index());
        message.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Calls `found` for each file that is one of these messages according to its
    /// name, but has another name than at login.
    fn find_moved(
        &self,
        unique_parts: &HashSet<&[u8]>,
        mut found: impl FnMut(Directory, &CStr),
    ) -> io::Result<()> {
        for directory in [Directory::New, Directory::Cur] {
            self.directories.list(directory, |file| {
                if unique_parts.contains(&*name::unique_part(file.to_bytes())) {
                    found(directory, file);
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
        let opened = self
            .directories
            .open_message(message.directory, &message.file);
        let (Some(part), true) = (&message.unique_part, is_missing(&opened)) else {
            return same(message, opened?);
        };
        // Another program has moved the file, or changed its flags.
        let mut moved: Option<(Directory, CString)> = None;
        self.find_moved(&HashSet::from([&**part]), |directory, file| {
            moved = Some((directory, file.to_owned()));
        })?;
        let Some((directory, file)) = moved else {
            return opened;
        };
        let opened = same(message, self.directories.open_message(directory, &file)?)?;
        if let Some(message) = self.messages.get_mut(number.index()) {
            (message.directory, message.file) = (directory, file);
        }
        Ok(opened)
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let mut first_error = Ok(());
        let mut missing = HashSet::new();
        let remember = |done: io::Result<()>, first_error: &mut io::Result<()>| {
            // A file that another program has removed counts as removed.
            if done.is_err() && !is_missing(&done) && first_error.is_ok() {
                *first_error = done;
            }
        };
        for message in deleted.filter_map(|number| self.message(number).ok()) {
            let done = self
                .directories
                .remove_message(message.directory, &message.file);
            if let (Some(part), true) = (&message.unique_part, is_missing(&done)) {
                missing.insert(&**part);
            }
            remember(done, &mut first_error);
        }
        if !missing.is_empty() {
            let mut moved = Vec::new();
            self.find_moved(&missing, |directory, file| {
                moved.push((directory, file.to_owned()));
            })?;
            for (directory, file) in moved {
                remember(
                    self.directories.remove_message(directory, &file),
                    &mut first_error,
                );
            }
        }
        first_error
    }
}

/// Returns the file, if it is unchanged since login.
fn same(message: &Stored, file: File) -> io::Result<File> {
    match Stamp::of(&file)? == message.stamp {
        true => Ok(file),
        false => Err(io::Error::other("the file has changed since login")),
    }
}

fn is_missing<T>(done: &io::Result<T>) -> bool {
    matches!(done, Err(error) if error.kind() == io::ErrorKind::NotFound)
}

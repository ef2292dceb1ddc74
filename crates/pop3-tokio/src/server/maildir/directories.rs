//! The open directories of a Maildir. All access goes through them, so that nothing
//! outside the Maildir is touched.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, openat, renameat, statat,
    unlinkat,
};

use super::{super::OpenError, stamp::Stamp};

/// The lock file in the Maildir. It is never removed, because then two sessions
/// could lock two files of that name.
const LOCK: &CStr = c"pop3.lock";

/// The directory of a message. `tmp` contains no delivered messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directory {
    New,
    Cur,
}

#[derive(Debug)]
pub(super) struct Directories {
    root: OwnedFd,
    new: OwnedFd,
    cur: OwnedFd,
}

impl Directories {
    /// # Errors
    ///
    /// If one is missing or may not be read.
    pub(super) fn open(maildir: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, maildir, flags, Mode::empty())?;
        // Do not follow links, which could lead out of the Maildir.
        let inner = |name| openat(&root, name, flags | OFlags::NOFOLLOW, Mode::empty());
        Ok(Self {
            new: inner(c"new")?,
            cur: inner(c"cur")?,
            root,
        })
    }

    /// Locks the Maildir as long as the returned file is open.
    pub(super) fn lock(&self) -> Result<File, OpenError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&self.root, LOCK, flags, Mode::RUSR | Mode::WUSR);
        let lock = File::from(lock.map_err(io::Error::from)?);
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(lock),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::InUse),
            Err(error) => Err(OpenError::Io(error.into())),
        }
    }

    /// Calls `found` with the name of each file that may be a message. Skips hidden
    /// files, directories and links.
    pub(super) fn list(
        &self,
        directory: Directory,
        mut found: impl FnMut(&CStr),
    ) -> io::Result<()> {
        for entry in Dir::read_from(self.descriptor(directory))? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(b".") {
                continue;
            }
            let is_file = match entry.file_type() {
                FileType::Unknown => self.is_file(directory, name),
                kind => kind == FileType::RegularFile,
            };
            if is_file {
                found(name);
            }
        }
        Ok(())
    }

    /// Whether there is a regular file of this name.
    pub(super) fn is_file(&self, directory: Directory, name: &CStr) -> bool {
        let stat = statat(self.descriptor(directory), name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    }

    /// Returns the stamp of a file.
    pub(super) fn stamp(&self, directory: Directory, name: &CStr) -> io::Result<Stamp> {
        let stat = statat(self.descriptor(directory), name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Stamp::from(&stat))
    }

    pub(super) fn open_message(&self, directory: Directory, name: &CStr) -> io::Result<File> {
        // The file may have been replaced by a pipe: do not wait for its writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(self.descriptor(directory), name, flags, Mode::empty())?;
        let file = File::from(file);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    pub(super) fn remove_message(&self, directory: Directory, name: &CStr) -> io::Result<()> {
        Ok(unlinkat(
            self.descriptor(directory),
            name,
            AtFlags::empty(),
        )?)
    }

    /// Opens one of our own files in the Maildir.
    pub(super) fn open_own(&self, name: &CStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&self.root, name, flags, Mode::empty())?.into())
    }

    /// Writes one of our own files, which appears complete or not at all.
    pub(super) fn replace_own(&self, name: &CStr, octets: &[u8]) -> io::Result<()> {
        let part = CString::new([name.to_bytes(), b".part"].concat())?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.root, &part, flags, Mode::RUSR | Mode::WUSR)?);
        io::Write::write_all(&mut file, octets)?;
        Ok(renameat(&self.root, &part, &self.root, name)?)
    }

    const fn descriptor(&self, directory: Directory) -> &OwnedFd {
        match directory {
            Directory::New => &self.new,
            Directory::Cur => &self.cur,
        }
    }
}

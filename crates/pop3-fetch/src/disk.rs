//! What "on the disk" means, and all that a delivery does with a disk.
//!
//! # What is relied on
//!
//! - *`fsync` of a file* puts its octets on the disk. An error of it is told once,
//!   to a descriptor that was open when it happened; a second `fsync` may succeed
//!   though nothing was written. So a file stays open from its first octet to its
//!   `fsync`, and after an error nothing of its group counts: the next run begins
//!   with new files.
//! - *`fsync` of a directory* puts the names in it on the disk. A rename is one
//!   step for other programs, but takes an `fsync` of both directories; between
//!   the two, a loss of power may leave both names, or none.
//! - *`syncfs`* puts all of a file system on the disk, in a fraction of the time
//!   that an `fsync` of each file takes. It is trusted where it is known to do so
//!   ([`Syncs::Together`]), and from Linux 5.8 on: before, it reports no errors.
//!   A file system of FUSE passes on neither `syncfs` nor, mostly, the `fsync` of a
//!   directory; what lies below it puts a name on the disk with its file. So
//!   there, and wherever nothing is known, each file gets an `fsync` before its
//!   rename and one after it ([`Syncs::Each`]).
//!
//! # What is not promised
//!
//! Anything on disks that report as written what is not, and on memory that fails.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::Path,
};

pub use system::System;

#[cfg(test)]
pub(crate) mod recorded;
mod system;

/// What puts files on the disk, on one file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syncs {
    /// One `syncfs` for all of them, and one `fsync` for each directory.
    Together,
    /// One `fsync` for each of them, and one more after its rename.
    Each,
}

/// Directories and files: those of the operating system, or a model of them.
///
/// The errors of all methods are those of the system; only kinds that a delivery
/// depends on are named.
pub trait Disk: Clone + fmt::Debug + Send + Sync + 'static {
    /// A directory that is held open.
    type Directory: Directory;

    /// Opens a directory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn open(&self, path: &Path) -> io::Result<Self::Directory>;

    /// Makes a directory that only its owner may enter.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if that above it is missing.
    fn make(&self, path: &Path) -> io::Result<()>;

    /// Names the time since the system was started; empty if it has no name.
    fn boot(&self) -> String;
}

/// A directory that is held open. Names in it are single components.
pub trait Directory: fmt::Debug + Send + Sync + 'static {
    /// A file that is held open.
    type File: File;

    /// Makes a file that only its owner may read.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the name is taken.
    fn create(&self, name: &OsStr) -> io::Result<Self::File>;

    /// Opens a regular file to read and write.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn open(&self, name: &OsStr) -> io::Result<Self::File>;

    /// Gives a file another name, in the directory `to`. A file that had that name
    /// loses it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if it is taken.
    fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()>;

    /// Takes a name away.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn remove(&self, name: &OsStr) -> io::Result<()>;

    /// Whether a file has this name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if no file has it.
    fn names_file(&self, name: &OsStr, file: &Self::File) -> io::Result<bool>;

    /// All names.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn names(&self) -> io::Result<Vec<OsString>>;

    /// Puts the names on the disk.
    ///
    /// # Errors
    ///
    /// If that failed.
    fn sync(&self) -> io::Result<()>;

    /// Puts all of the file system on the disk.
    ///
    /// # Errors
    ///
    /// If anything could not be written since this directory was opened, where
    /// [`syncs`](Self::syncs) gives [`Together`](Syncs::Together).
    fn sync_file_system(&self) -> io::Result<()>;

    /// What puts files on the disk here.
    fn syncs(&self) -> Syncs;
}

/// A file that is held open.
pub trait File: fmt::Debug + Send + Sync + 'static {
    /// Writes all octets at an offset.
    ///
    /// # Errors
    ///
    /// Part of them may be written.
    fn write(&self, octets: &[u8], at: u64) -> io::Result<()>;

    /// Reads octets at an offset. Gives how many there were; 0 behind the end.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn read(&self, octets: &mut [u8], at: u64) -> io::Result<usize>;

    /// Its octets.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn size(&self) -> io::Result<u64>;

    /// Cuts off what stands behind `size` octets.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn cut(&self, size: u64) -> io::Result<()>;

    /// Puts it on the disk.
    ///
    /// # Errors
    ///
    /// If that failed: now, or for what was written before.
    fn sync(&self) -> io::Result<()>;

    /// Locks it with `fcntl` and `flock` until it is dropped. Gives whether no other
    /// program had it locked.
    ///
    /// # Errors
    ///
    /// If it cannot be locked at all.
    fn lock(&self) -> io::Result<bool>;

    /// Whether it was written last before the system was started, or more than
    /// `seconds` ago.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn is_older(&self, seconds: u64) -> io::Result<bool>;
}

/// Opens the directory that a file is in. Gives its name there, too.
pub(crate) fn open_parent<D: Disk>(disk: &D, path: &Path) -> io::Result<(D::Directory, OsString)> {
    match path.file_name() {
        Some(name) => Ok((disk.open(above(path))?, name.to_owned())),
        None => Err(io::Error::other("it names no file")),
    }
}

/// Opens a file to read and write. If it has to be made, it is on the disk, empty.
pub(crate) fn open_or_make<D: Directory>(directory: &D, name: &OsStr) -> io::Result<D::File> {
    let file = loop {
        match directory.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(file) => break file,
        }
        match directory.create(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                file.sync()?;
                break file;
            }
        }
    };
    // A run that made it may have been killed before this.
    directory.sync()?;
    Ok(file)
}

/// Makes a directory, and those above it, on the disk; each is left alone if it is
/// there.
pub(crate) fn make_directories<D: Disk>(disk: &D, path: &Path) -> io::Result<()> {
    match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    make_directories(disk, above(path))?;
    match disk.make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    disk.open(above(path))?.sync()
}

/// The directory that something is in.
pub(crate) fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Takes it for done if there was nothing to do it with.
pub(crate) fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

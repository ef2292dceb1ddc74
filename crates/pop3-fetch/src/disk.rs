//! The meaning of "on disk", and the operations of a delivery on a disk.
//!
//! # Assumptions
//!
//! - *`fsync` of a file* writes its octets to the disk. The kernel reports an error
//!   only once, to a descriptor that was open at the time; a second `fsync` may
//!   succeed although nothing was written. So a file stays open from its first
//!   octet to its `fsync`, and after an error none of its group counts: the next
//!   run begins with new files.
//! - *`fsync` of a directory* writes its names to the disk. A rename is one step
//!   for other programs, but needs an `fsync` of both directories; between the two,
//!   a loss of power may leave both names, or neither.
//! - *`syncfs`* writes a whole file system to the disk, in a fraction of the time
//!   that an `fsync` of each file takes. It is trusted on file systems that are
//!   known to do so ([`Syncs::Together`]), from Linux 5.8 on; earlier versions
//!   report no errors. A FUSE file system does not pass on `syncfs`, and mostly not
//!   the `fsync` of a directory; the file system below it writes a name together
//!   with its file. So on FUSE and on unknown file systems, each file gets an
//!   `fsync` before its rename and another one afterwards ([`Syncs::Each`]).
//!
//! # Limits
//!
//! Nothing is promised for disks that report writes as done when they are not, or for
//! faulty memory.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::Path,
};

pub use system::System;

#[cfg(test)]
pub(crate) mod recorded;
mod system;

/// The way to sync files on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syncs {
    /// One `syncfs` for all files, and one `fsync` for each directory.
    Together,
    /// One `fsync` for each file, and another one after its rename.
    Each,
}

/// Directories and files of the operating system, or a model of them.
///
/// All methods return the errors of the system; their docs name only the kinds that
/// a delivery depends on.
///
/// A test can deliver to a disk that fails:
///
/// ```
/// use std::{io, path::Path};
///
/// use pop3_fetch::{Disk, Form, Group, Journal, Kind, Place, System};
///
/// /// The disk of the system, without room for another directory.
/// #[derive(Clone, Debug)]
/// struct Full;
///
/// impl Disk for Full {
///     type Directory = <System as Disk>::Directory;
///     fn open(&self, path: &Path) -> io::Result<Self::Directory> {
///         System.open(path)
///     }
///     fn make(&self, _: &Path) -> io::Result<()> {
///         Err(io::ErrorKind::StorageFull.into())
///     }
///     fn boot(&self) -> String {
///         System.boot()
///     }
/// }
///
/// let home = tempfile::tempdir()?;
/// let journal = Journal::open(&home.path().join("journal"), "me@mail.example.org")?;
/// let place = Place::Maildir(home.path().join("Maildir"));
/// let opened = Group::open(&Full, journal, &place, Form::Raw, |_, _| {});
/// assert_eq!(opened.unwrap_err().kind(), Kind::CannotCreate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Disk: Clone + fmt::Debug + Send + Sync + 'static {
    /// A directory that is held open.
    type Directory: Directory;

    /// Opens a directory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn open(&self, path: &Path) -> io::Result<Self::Directory>;

    /// Creates a directory that only its owner may enter.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if its parent directory is missing.
    fn make(&self, path: &Path) -> io::Result<()>;

    /// Returns the boot-id of the system; empty if it has none.
    fn boot(&self) -> String;
}

/// A directory that is held open. Names in it are single components.
pub trait Directory: fmt::Debug + Send + Sync + 'static {
    /// A file that is held open.
    type File: File;

    /// Creates a file that only its owner may read.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the name is taken.
    fn create(&self, name: &OsStr) -> io::Result<Self::File>;

    /// Opens a regular file for reading and writing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn open(&self, name: &OsStr) -> io::Result<Self::File>;

    /// Renames a file to `new` in the directory `to`, replacing a file of that
    /// name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the second name is taken.
    fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()>;

    /// Removes a name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn remove(&self, name: &OsStr) -> io::Result<()>;

    /// Whether `name` is a name of `file`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if no file has it.
    fn names_file(&self, name: &OsStr, file: &Self::File) -> io::Result<bool>;

    /// Returns all names in the directory.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn names(&self) -> io::Result<Vec<OsString>>;

    /// Syncs the names in the directory.
    ///
    /// # Errors
    ///
    /// If a name could not be written.
    fn sync(&self) -> io::Result<()>;

    /// Syncs the whole file system.
    ///
    /// # Errors
    ///
    /// If anything could not be written since this directory was opened, provided
    /// that [`syncs`](Self::syncs) returns [`Together`](Syncs::Together).
    fn sync_file_system(&self) -> io::Result<()>;

    /// Returns the way to sync files on this file system.
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

    /// Reads octets at an offset. Returns their number, which is 0 at or after the
    /// end.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn read(&self, octets: &mut [u8], at: u64) -> io::Result<usize>;

    /// Returns the size of the file in octets.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn size(&self) -> io::Result<u64>;

    /// Truncates the file to `size` octets.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn cut(&self, size: u64) -> io::Result<()>;

    /// Syncs the file.
    ///
    /// # Errors
    ///
    /// If this sync or an earlier write failed.
    fn sync(&self) -> io::Result<()>;

    /// Locks the file with `fcntl` and `flock` until it is dropped. Returns false
    /// if another program has locked it.
    ///
    /// # Errors
    ///
    /// If it cannot be locked at all.
    fn lock(&self) -> io::Result<bool>;

    /// Whether the file was last written before the system started, or more than
    /// `seconds` ago.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn is_older(&self, seconds: u64) -> io::Result<bool>;
}

/// Opens the directory of a file. Returns it with the file's name.
pub(crate) fn open_parent<D: Disk>(disk: &D, path: &Path) -> io::Result<(D::Directory, OsString)> {
    match path.file_name() {
        Some(name) => Ok((disk.open(above(path))?, name.to_owned())),
        None => Err(io::Error::other("the path names no file")),
    }
}

/// Opens a file for reading and writing. Creates and syncs an empty one if needed.
pub(crate) fn open_or_make<D: Directory>(directory: &D, name: &OsStr) -> io::Result<D::File> {
    let file = match directory.create(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => directory.open(name)?,
        created => {
            let file = created?;
            file.sync()?;
            file
        }
    };
    // The run that created the file may have been killed before it synced.
    directory.sync()?;
    Ok(file)
}

/// Creates and syncs a directory and its parents, where they are missing.
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

/// The parent directory of a path.
pub(crate) fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Treats [`NotFound`](io::ErrorKind::NotFound) as success.
pub(crate) fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{io::ErrorKind, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn opens_or_makes_a_file() {
        let home = tempfile::tempdir().unwrap();
        let directory = System.open(home.path()).unwrap();
        let open = |name: &str| open_or_make(&directory, name.as_ref());
        open("mail").unwrap().write(b"From ", 0).unwrap();
        assert_eq!(open("mail").unwrap().size().unwrap(), 5);
        System.make(&home.path().join("directory")).unwrap();
        symlink("nothing", home.path().join("link")).unwrap();
        assert!(open("directory").is_err());
        assert_eq!(open("link").unwrap_err().kind(), ErrorKind::NotFound);
        let system = System.open(Path::new("/sys")).unwrap();
        let refused = open_or_make(&system, "mail".as_ref()).unwrap_err();
        assert_ne!(refused.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn makes_directories_where_they_are_missing() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        make_directories(&System, &home.join("a/b/c")).unwrap();
        assert!(home.join("a/b/c").is_dir());
        std::fs::write(home.join("file"), "").unwrap();
        assert!(make_directories(&System, &home.join("file")).is_err());
        assert!(make_directories(&System, Path::new("/sys/mail")).is_err());
        // Another program may make it after `open` has found nothing, as with this link.
        symlink("nothing", home.join("link")).unwrap();
        make_directories(&System, &home.join("link")).unwrap();
    }

    #[test]
    fn a_name_alone_is_in_the_working_directory() {
        assert_eq!(above(Path::new("mail")), Path::new("."));
        assert_eq!(above(Path::new("/")), Path::new("/"));
    }

    #[test]
    fn ignores_only_what_is_missing() {
        ignore_missing(Err(ErrorKind::NotFound.into())).unwrap();
        assert!(ignore_missing(Err(ErrorKind::PermissionDenied.into())).is_err());
    }
}

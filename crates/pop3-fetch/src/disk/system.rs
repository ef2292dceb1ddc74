//! The disk of the operating system.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, ErrorKind},
    os::{
        fd::OwnedFd,
        unix::{
            ffi::OsStrExt as _,
            fs::{DirBuilderExt as _, FileExt as _},
        },
    },
    path::Path,
    time::SystemTime,
};

use rustix::{
    fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fsync, linkat, openat},
    io::{Errno, pread, retry_on_intr},
};

use super::{Directory, Disk, File, Syncs};

/// The directories and files of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

/// An open directory of the operating system.
#[derive(Debug)]
pub struct SystemDirectory {
    directory: OwnedFd,
    syncs: Syncs,
}

impl Disk for System {
    type Directory = SystemDirectory;

    fn open(&self, path: &Path) -> io::Result<SystemDirectory> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(SystemDirectory {
            syncs: syncs(&directory),
            directory,
        })
    }

    fn make(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }

    fn boot(&self) -> String {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        boot.trim().to_owned()
    }
}

impl Directory for SystemDirectory {
    type File = fs::File;

    fn create(&self, name: &OsStr) -> io::Result<fs::File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    fn open(&self, name: &OsStr) -> io::Result<fs::File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = fs::File::from(openat(&self.directory, name, flags, Mode::empty())?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("it is not a regular file")),
        }
    }

    fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(
            &self.directory,
            name,
            &to.directory,
            new,
        )?)
    }

    fn link(&self, name: &OsStr, second: &OsStr) -> io::Result<()> {
        let directory = &self.directory;
        Ok(linkat(
            directory,
            name,
            directory,
            second,
            AtFlags::empty(),
        )?)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.directory,
            name,
            AtFlags::empty(),
        )?)
    }

    fn names_file(&self, name: &OsStr, file: &fs::File) -> io::Result<bool> {
        // Do not open the file: closing it would release locks.
        let named = rustix::fs::statat(&self.directory, name, AtFlags::empty())?;
        let file = rustix::fs::fstat(file)?;
        Ok((named.st_dev, named.st_ino) == (file.st_dev, file.st_ino))
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        match fsync(&self.directory) {
            // Some network and FUSE file systems do not support `fsync` of a
            // directory.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(()),
            synced => Ok(synced?),
        }
    }

    fn sync_file_system(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::syncfs(&self.directory)?);
        #[cfg(not(target_os = "linux"))]
        return Err(ErrorKind::Unsupported.into());
    }

    fn syncs(&self) -> Syncs {
        self.syncs
    }
}

impl File for fs::File {
    fn write(&self, octets: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(octets, at)
    }

    fn read(&self, octets: &mut [u8], at: u64) -> io::Result<usize> {
        Ok(retry_on_intr(|| pread(self, &mut *octets, at))?)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn lock(&self) -> io::Result<bool> {
        for lock in [fcntl_lock, flock_lock] {
            if let Err(error) = lock(self) {
                return match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::PermissionDenied => Ok(false),
                    _ => Err(error),
                };
            }
        }
        Ok(true)
    }

    fn is_older(&self, seconds: u64) -> io::Result<bool> {
        let written = self.metadata()?.modified()?;
        let age = SystemTime::now().duration_since(written);
        let age = age.unwrap_or_default().as_secs();
        Ok(age > seconds.min(up().unwrap_or(u64::MAX)))
    }
}

fn flock_lock(file: &fs::File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// Locks this open file description: a plain `fcntl` lock belongs to the process,
/// and ends when another thread closes the same file.
#[cfg(target_os = "linux")]
fn fcntl_lock(file: &fs::File) -> io::Result<()> {
    use nix::{fcntl::FcntlArg, libc};
    let whole = libc::flock {
        l_type: libc::F_WRLCK as _,
        l_whence: libc::SEEK_SET as _,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    nix::fcntl::fcntl(file, FcntlArg::F_OFD_SETLK(&whole))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn fcntl_lock(file: &fs::File) -> io::Result<()> {
    let operation = FlockOperation::NonBlockingLockExclusive;
    Ok(rustix::fs::fcntl_lock(file, operation)?)
}

/// Returns the uptime of the system in seconds.
fn up() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.parse().ok()
}

/// ext2 to ext4, XFS, Btrfs, and file systems in memory.
#[cfg(target_os = "linux")]
const HONOUR_SYNCFS: [u64; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994];

#[cfg(target_os = "linux")]
fn syncs(directory: &OwnedFd) -> Syncs {
    let kernel = rustix::system::uname();
    let file_system = rustix::fs::fstatfs(directory);
    let is_known = file_system.is_ok_and(|found| {
        u64::try_from(found.f_type).is_ok_and(|magic| HONOUR_SYNCFS.contains(&magic))
    });
    match is_known && reports_errors(&kernel.release().to_string_lossy()) {
        true => Syncs::Together,
        false => Syncs::Each,
    }
}

#[cfg(not(target_os = "linux"))]
fn syncs(_: &OwnedFd) -> Syncs {
    Syncs::Each
}

/// Whether `syncfs` of this release of Linux does.
#[cfg(target_os = "linux")]
fn reports_errors(release: &str) -> bool {
    let mut numbers = release.split(|char: char| !char.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    (next(), next()) >= (Some(5), Some(8))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn syncfs_reports_errors_from_linux_5_8_on() {
        for (release, reports) in [
            ("4.19.0-26-amd64", false),
            ("5.7.19", false),
            ("5.8.0", true),
            ("5.10.0-28-amd64", true),
            ("6.1.0", true),
            ("10.0", true),
            ("unknown", false),
        ] {
            assert_eq!(reports_errors(release), reports, "{release}");
        }
    }

    #[test]
    fn syncs_each_file_on_unknown_file_systems() {
        let of = |path: &str| System.open(Path::new(path)).unwrap().syncs();
        assert_eq!(of("/proc"), Syncs::Each);
        assert_eq!(of("/sys"), Syncs::Each);
    }

    #[test]
    fn opens_only_directories_as_a_directory() {
        let opened = System.open(Path::new("/proc/version"));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::NotADirectory);
    }

    #[test]
    fn the_boot_id_is_a_uuid() {
        let is_uuid = |octet: u8| octet == b'-' || octet.is_ascii_hexdigit();
        let boot = System.boot();
        assert!(boot.len() == 36 && boot.bytes().all(is_uuid), "{boot}");
    }

    #[test]
    fn a_file_that_was_replaced_has_lost_its_name() {
        let home = tempfile::tempdir().unwrap();
        let directory = System.open(home.path()).unwrap();
        let file = directory.create("mail".as_ref()).unwrap();
        assert!(directory.names_file("mail".as_ref(), &file).unwrap());
        directory.create("other".as_ref()).unwrap();
        let replaced = directory.rename("other".as_ref(), &directory, "mail".as_ref());
        replaced.unwrap();
        assert!(!directory.names_file("mail".as_ref(), &file).unwrap());
    }

    /// A descriptor of only a path can neither be synced nor locked.
    #[test]
    fn reports_errors_of_syncs_and_locks() {
        let open = |path: &str| {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty()).unwrap()
        };
        let directory = SystemDirectory {
            directory: open("/"),
            syncs: Syncs::Together,
        };
        assert!(directory.sync().is_err());
        assert!(directory.sync_file_system().is_err());
        let file = fs::File::from(open("/proc/version"));
        assert!(file.sync().is_err());
        assert!(file.lock().is_err());
    }

    #[test]
    fn a_file_is_older_than_a_number_of_seconds_or_the_start_of_the_system() {
        let file = tempfile::tempfile().unwrap();
        let ago = |seconds| SystemTime::now() - std::time::Duration::from_secs(seconds);
        file.set_modified(ago(10)).unwrap();
        assert!(file.is_older(9).unwrap());
        assert!(!file.is_older(1000).unwrap());
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(file.is_older(u64::MAX).unwrap());
    }
}

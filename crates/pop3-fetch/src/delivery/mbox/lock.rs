//! Locks an mbox file against other programs.
//!
//! It takes `fcntl` and `flock` locks first, then the dot-lock (`FILE.lock`), in
//! the order of the Debian policy, 11.6. The system releases the first two when the
//! process ends, however it ends; the dot-lock stays. So a `pop3` that holds the
//! first two knows that a dot-lock of a `pop3` on this host belongs to a process
//! that has ended.
//!
//! A dot-lock names its owner from the beginning, on disk too: it is written under
//! another name and then linked. So a loss of power never leaves an empty one.
//! Dot-locks of other programs are removed after [`STALE`], or if they are older
//! than the start of the system.

use std::{
    ffi::{OsStr, OsString},
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::Mailbox;
use crate::{
    disk::{Directory, File, Syncs, ignore_missing, open_or_make},
    failure::{Failure, Kind},
};

/// How often to try to lock a file that another program has locked: for 30 seconds.
const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);
/// The age in seconds after which a dot-lock counts as forgotten.
const STALE: u64 = 15 * 60;

/// An mbox file that is locked against other programs.
pub(super) struct Locked<D: Directory> {
    pub(super) file: D::File,
    mailbox: Mailbox<D>,
    has_dot_lock: bool,
}

/// Another program holds the lock of this name.
struct Held(OsString);

impl<D: Directory> Locked<D> {
    pub(super) fn new(mailbox: &Mailbox<D>) -> Result<Self, Failure> {
        Self::within(mailbox, TRIES)
    }

    fn within(mailbox: &Mailbox<D>, tries: u32) -> Result<Self, Failure> {
        let mut held = mailbox.name.clone();
        for _ in 0..tries {
            let cannot_lock = |error| Failure::cannot_open(&mailbox.path, &error);
            match lock(mailbox).map_err(cannot_lock)? {
                Ok(locked) => return Ok(locked),
                Err(Held(name)) => held = name,
            }
            thread::sleep(PAUSE);
        }
        Err(Failure::new(
            Kind::Temporary,
            format_args!(
                "another program keeps the lock {}; try again later",
                mailbox.path.with_file_name(held).display()
            ),
        ))
    }

    /// Syncs the file, removes the dot-lock, and syncs that too.
    ///
    /// # Errors
    ///
    /// After an error the dot-lock may be gone; the other locks are still held.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let directory = Arc::clone(&self.mailbox.directory);
        match directory.syncs() {
            Syncs::Together => {
                self.file.sync()?;
                self.remove_dot_lock()?;
            }
            // Syncing the file syncs its name too, if that was changed. Programs
            // that use the other locks still have to wait.
            Syncs::Each => {
                self.remove_dot_lock()?;
                self.file.cut(self.file.size()?)?;
                self.file.sync()?;
            }
        }
        directory.sync()
    }

    fn remove_dot_lock(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.has_dot_lock) {
            true => self.mailbox.directory.remove(&dot_lock(&self.mailbox)),
            false => Ok(()),
        }
    }
}

impl<D: Directory> Drop for Locked<D> {
    fn drop(&mut self) {
        let _ = self.remove_dot_lock();
    }
}

/// Tries once to take all locks.
fn lock<D: Directory>(mailbox: &Mailbox<D>) -> io::Result<Result<Locked<D>, Held>> {
    let Mailbox {
        directory, name, ..
    } = mailbox;
    let file = open_or_make(&**directory, name)?;
    // Another program may have replaced the file.
    if !file.lock()? || !directory.names_file(name, &file)? {
        return Ok(Err(Held(name.clone())));
    }
    // From here on no other `pop3` uses this file.
    let dot_lock = dot_lock(mailbox);
    remove_unfinished(&**directory, &dot_lock)?;
    if is_stale(&**directory, &dot_lock)? {
        ignore_missing(directory.remove(&dot_lock))?;
    }
    match make(&**directory, &dot_lock) {
        Ok(()) => Ok(Ok(Locked {
            file,
            mailbox: mailbox.clone(),
            has_dot_lock: true,
        })),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Err(Held(dot_lock))),
        Err(error) => Err(error),
    }
}

fn dot_lock<D>(mailbox: &Mailbox<D>) -> OsString {
    let mut name = mailbox.name.clone();
    name.push(".lock");
    name
}

/// Makes the dot-lock by a link, so that it names its owner from the beginning.
fn make<D: Directory>(directory: &D, dot_lock: &OsStr) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut own = dot_lock.to_owned();
    own.push(format!(".{}-{count}", std::process::id()));
    let owner = format!("{}{}", std::process::id(), owner());
    let create = |name: &OsStr| {
        let file = directory.create(name)?;
        let written = file.write(owner.as_bytes(), 0).and_then(|()| file.sync());
        if written.is_err() {
            // An empty one would look like that of another program.
            directory.remove(name)?;
        }
        written
    };
    let linked = create(&own).and_then(|()| directory.link(&own, dot_lock));
    ignore_missing(directory.remove(&own))?;
    match linked {
        Err(error) if is_without_links(&error) => create(dot_lock),
        linked => linked,
    }
}

/// Whether the error is that of a file system without links.
fn is_without_links(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | Unsupported)
}

/// The text of our dot-lock after the process id.
fn owner() -> String {
    let host = rustix::system::uname();
    format!(" pop3 {}\n", host.nodename().to_string_lossy())
}

/// Removes the unfinished dot-locks of killed runs.
fn remove_unfinished<D: Directory>(directory: &D, dot_lock: &OsStr) -> io::Result<()> {
    for name in directory.names()? {
        let own = name.as_encoded_bytes();
        let own = own.strip_prefix(dot_lock.as_encoded_bytes());
        let own = own.and_then(|own| own.strip_prefix(b"."));
        let is_number = |octet: &u8| octet.is_ascii_digit() || *octet == b'-';
        if own.is_some_and(|own| !own.is_empty() && own.iter().all(is_number)) {
            ignore_missing(directory.remove(&name))?;
        }
    }
    Ok(())
}

/// Whether a dot-lock is forgotten. The caller holds the other locks.
fn is_stale<D: Directory>(directory: &D, dot_lock: &OsStr) -> io::Result<bool> {
    // There may be none, or it belongs to another user.
    let Ok(file) = directory.open(dot_lock) else {
        return Ok(false);
    };
    let mut text = vec![0; 512];
    let read = file.read(&mut text, 0)?;
    let behind = text[..read]
        .iter()
        .position(|octet| !octet.is_ascii_digit());
    let is_ours = behind.is_some_and(|behind| text[behind..read] == *owner().as_bytes());
    Ok(is_ours || file.is_older(STALE)?)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File as SystemFile},
        os::unix::fs::PermissionsExt as _,
        path::Path,
        time::SystemTime,
    };

    use rustix::fs::{FlockOperation, fcntl_lock, flock};

    use super::*;
    use crate::{
        Journal,
        disk::{System, recorded::Recorded},
    };

    fn mailbox(home: &Path) -> Mailbox<<System as crate::disk::Disk>::Directory> {
        let path = home.join("mbox");
        fs::write(&path, "").unwrap();
        Mailbox::new(&System, &path).unwrap()
    }

    fn is_free(home: &Path) -> bool {
        lock(&Mailbox::new(&System, &home.join("mbox")).unwrap())
            .unwrap()
            .is_ok()
    }

    fn by_flock(file: &SystemFile) -> rustix::io::Result<()> {
        flock(file, FlockOperation::NonBlockingLockExclusive)
    }

    fn by_fcntl(file: &SystemFile) -> rustix::io::Result<()> {
        fcntl_lock(file, FlockOperation::NonBlockingLockExclusive)
    }

    #[test]
    fn waits_for_each_lock_of_another_program() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        mailbox(home);
        let open = || {
            SystemFile::options()
                .write(true)
                .open(home.join("mbox"))
                .unwrap()
        };
        for lock in [by_flock, by_fcntl] {
            let file = open();
            lock(&file).unwrap();
            assert!(!is_free(home));
            drop(file);
            assert!(is_free(home));
        }
        // Some programs create an empty lock file, others write its owner into it.
        for text in ["", "1 elsewhere\n", "1 pop3 elsewhere\n"] {
            fs::write(home.join("mbox.lock"), text).unwrap();
            assert!(!is_free(home), "{text:?}");
        }
        let mailbox = Mailbox::new(&System, &home.join("mbox")).unwrap();
        let failure = Locked::within(&mailbox, 1).err().unwrap().to_string();
        assert!(failure.contains("mbox.lock; try again"), "{failure}");
        fs::remove_file(home.join("mbox.lock")).unwrap();
        assert!(is_free(home));
    }

    #[test]
    fn locks_an_mbox_when_another_program_releases_it() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let _journal = Journal::open(&home.join("journal"), "me@host:110").unwrap();
        let disk = Recorded::new(home, Syncs::Together);
        let mailbox = Mailbox::new(&disk, &home.join("mbox")).unwrap();
        let other = SystemFile::create(home.join("mbox")).unwrap();
        by_flock(&other).unwrap();
        thread::scope(|scope| {
            let locked = scope.spawn(|| Locked::new(&mailbox).map(drop));
            disk.wait_for_two_locks();
            drop(other);
            locked.join().unwrap().unwrap();
        });
    }

    #[test]
    fn makes_a_dot_lock_without_links_where_there_are_none() {
        for (error, is_made) in [
            (io::ErrorKind::PermissionDenied, true),
            (io::ErrorKind::Unsupported, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let home = tempfile::tempdir().unwrap();
            let home = home.path();
            let _journal = Journal::open(&home.join("journal"), "me@host:110").unwrap();
            let disk = Recorded::new(home, Syncs::Together);
            let mailbox = Mailbox::new(&disk, &home.join("mail")).unwrap();
            disk.fail("link mail.lock.own mail.lock", error);
            let locked = lock(&mailbox);
            assert_eq!(locked.is_ok(), is_made, "{error}");
            let owner = fs::read_to_string(home.join("mail.lock"));
            assert_eq!(owner.is_ok_and(|text| text.contains(" pop3 ")), is_made);
        }
    }

    #[test]
    fn locks_other_programs_out_with_each_lock() {
        let home = tempfile::tempdir().unwrap();
        let mailbox = mailbox(home.path());
        let held = lock(&mailbox).unwrap().ok().unwrap();
        let dot_lock = home.path().join("mbox.lock");
        assert!(fs::read_to_string(&dot_lock).unwrap().contains(" pop3 "));
        let other = SystemFile::options()
            .write(true)
            .open(home.path().join("mbox"))
            .unwrap();
        for lock in [by_flock, by_fcntl] {
            assert!(lock(&other).is_err());
        }
        // Closing the file in another thread of this process releases no lock.
        assert!(lock(&mailbox).unwrap().is_err());
        drop(other);
        let other = SystemFile::open(home.path().join("mbox")).unwrap();
        assert!(fcntl_lock(&other, FlockOperation::NonBlockingLockShared).is_err());
        drop(held);
        assert!(!dot_lock.exists());
        assert!(is_free(home.path()));
    }

    #[test]
    fn removes_a_forgotten_dot_lock() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        mailbox(home);
        let dot_lock = home.join("mbox.lock");
        // A killed run on this host left it; another process now has its id.
        fs::write(&dot_lock, format!("1{}", owner())).unwrap();
        fs::write(home.join("mbox.lock.1-0"), "").unwrap();
        fs::write(home.join("mbox.lock.of-another-program"), "").unwrap();
        assert!(is_free(home));
        assert_eq!(fs::read_dir(home).unwrap().count(), 2);
        assert!(home.join("mbox.lock.of-another-program").exists());
        // Another program left it long ago.
        fs::write(&dot_lock, "").unwrap();
        let old = SystemTime::now() - Duration::from_secs(STALE + 60);
        let file = SystemFile::options().write(true).open(&dot_lock).unwrap();
        file.set_modified(old).unwrap();
        assert!(is_free(home));
    }

    #[test]
    fn creates_an_mbox_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mbox");
        let mailbox = Mailbox::new(&System, &path).unwrap();
        let locked = lock(&mailbox).unwrap().ok().unwrap();
        for file in ["mbox", "mbox.lock"] {
            let mode = fs::metadata(home.path().join(file)).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
        }
        drop(locked);
    }
}

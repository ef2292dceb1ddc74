//! One run at a time for an account, and one at a time that opens the journal.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::retry_on_intr,
};

use crate::failure::{Failure, Kind};

/// A lock on a file. It ends when this is dropped, or with the process, however that
/// ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Locks the file at `path`, unless another run of `account` has.
    pub(super) fn take(path: &Path, account: &str) -> Result<Self, Failure> {
        let locked = Self::with(path, FlockOperation::NonBlockingLockExclusive);
        locked.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Failure::new(
                Kind::Temporary,
                format_args!("another run is fetching {account}; try again later"),
            ),
            _ => Failure::new(
                Kind::CannotCreate,
                format_args!("cannot lock {}: {error}", path.display()),
            ),
        })
    }

    /// Locks the file at `path`, once no other has.
    pub(super) fn wait(path: &Path) -> io::Result<Self> {
        Self::with(path, FlockOperation::LockExclusive)
    }

    fn with(path: &Path, operation: FlockOperation) -> io::Result<Self> {
        let mut file = OpenOptions::new();
        let file = file.create(true).append(true).mode(0o600).open(path)?;
        retry_on_intr(|| flock(&file, operation))?;
        Ok(Self(file))
    }
}

/// Closing the file would not be enough: a command that another thread is starting has
/// a copy of its descriptor until `exec`.
impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it is all that is left to try.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn ends_though_a_copy_of_the_descriptor_is_open() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("lock");
        let lock = Lock::take(&path, "me@host").unwrap();
        let _copy = lock.0.try_clone().unwrap();
        let other = Lock::take(&path, "me@host").err().unwrap();
        assert!(
            other
                .to_string()
                .contains("another run is fetching me@host")
        );
        drop(lock);
        Lock::take(&path, "me@host").unwrap();
    }
}

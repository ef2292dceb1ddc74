//! One run at a time for an account.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use crate::failure::{Failure, Kind};

/// A lock on a file. It ends when this is dropped, or with the process, however that
/// ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Locks the file at `path`, unless another run of `account` has.
    pub(super) fn take(path: &Path, account: &str) -> Result<Self, Failure> {
        let cannot_lock = |error: &dyn std::fmt::Display| {
            Failure::new(
                Kind::CannotCreate,
                format_args!("cannot lock {}: {error}", path.display()),
            )
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| cannot_lock(&error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::new(
                Kind::Temporary,
                format_args!("another run is fetching {account}; try again later"),
            )),
            Err(error) => Err(cannot_lock(&error)),
        }
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

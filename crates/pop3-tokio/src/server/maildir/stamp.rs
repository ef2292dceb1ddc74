//! A stamp that shows whether a file has changed.

use std::{
    fs::File,
    io,
    time::{Duration, SystemTime},
};

use rustix::fs::{Stat, fstat};

/// The coarsest time stamps of file systems: a file may change twice within this
/// time without a change of its stamp.
const GRANULARITY: Duration = Duration::from_secs(2);

/// The length, inode and modification time of a file. As long as they are the same,
/// its octets are too. Renaming or moving the file does not change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) octets: u64,
    pub(super) inode: u64,
    /// In nanoseconds since 1970.
    pub(super) modified: i64,
}

impl Stamp {
    /// Reads the stamp of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&fstat(file)?))
    }

    /// Whether every later change of the file will change the stamp, because it was
    /// modified long enough before `now`.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(SystemTime::UNIX_EPOCH) else {
            return false;
        };
        let settled = now.saturating_sub(GRANULARITY).as_nanos();
        i128::from(self.modified) < i128::try_from(settled).unwrap_or(i128::MAX)
    }
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Self {
        // The types of these fields differ between systems.
        let seconds = i128::from(stat.st_mtime);
        let modified = seconds * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
        Self {
            octets: u64::try_from(i128::from(stat.st_size)).unwrap_or(0),
            inode: u64::try_from(i128::from(stat.st_ino)).unwrap_or(0),
            modified: i64::try_from(modified).unwrap_or(i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_settled_when_the_next_change_has_another_time() {
        let stamp = Stamp {
            octets: 1,
            inode: 1,
            modified: 1_000_000_007,
        };
        let at = |nanos| SystemTime::UNIX_EPOCH + GRANULARITY + Duration::from_nanos(nanos);
        assert!(!stamp.is_settled(SystemTime::UNIX_EPOCH));
        assert!(!stamp.is_settled(at(1_000_000_007)));
        assert!(stamp.is_settled(at(1_000_000_008)));
    }
}

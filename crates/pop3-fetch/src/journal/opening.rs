//! Opens the journal, and makes its file.

use std::{fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt as _, path::Path};

use rusqlite::{Connection, ErrorCode};

use super::{
    Journal, beside,
    lock::Lock,
    schema::{Refusal, prepare},
    why,
};
use crate::{
    disk::{System, above, make_directories},
    failure::{Failure, Kind},
};

impl Journal {
    /// Opens the journal in `file`, creates it if it is missing, and locks
    /// `account` in it. Waits while another opens it.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, or if another run has locked the
    /// account.
    pub fn open(file: &Path, account: &str) -> Result<Self, Failure> {
        let cannot_open = |why: &dyn std::fmt::Display| {
            Failure::new(
                Kind::CannotCreate,
                format_args!("cannot open the journal {}: {why}", file.display()),
            )
        };
        if file.is_dir() {
            return Err(cannot_open(
                &"it is a directory; name a file with --journal",
            ));
        }
        make_directories(&System, above(file)).map_err(|error| cannot_open(&error))?;
        // SQLite does not wait for another connection that creates the same database.
        let _opening = Lock::wait(&beside(file, "lock")).map_err(|error| cannot_open(&error))?;
        make_private(file).map_err(|error| cannot_open(&error))?;
        let of_sqlite = |error| cannot_open(&why(file, &error));
        let mut db = Connection::open(file).map_err(of_sqlite)?;
        let id = prepare(&mut db, account).map_err(|error| match error {
            Refusal::Newer(schema) => Failure::new(
                Kind::Data,
                format_args!(
                    "the journal {} has format {schema}, from a newer pop3; update pop3, or name \
                 another journal with --journal",
                    file.display()
                ),
            ),
            Refusal::Sqlite(error) if is_damaged(&error) => Failure::new(
                Kind::Data,
                format_args!(
                    "the file {} is not a journal, or damaged: {error}; name another journal \
                 with --journal",
                    file.display()
                ),
            ),
            Refusal::Sqlite(error) => of_sqlite(error),
        })?;
        let lock = Lock::take(&beside(file, &format!("{id}.lock")), account)?;
        Ok(Self {
            db,
            file: file.to_owned(),
            account: id,
            _lock: Some(lock),
        })
    }

    /// A journal in a database that the caller opened; messages call it `name`.
    /// This does not lock out other runs.
    ///
    /// # Errors
    ///
    /// Fails if the tables cannot be created.
    pub fn in_database(mut db: Connection, name: &Path, account: &str) -> Result<Self, Failure> {
        let id = prepare(&mut db, account).map_err(|_| {
            Failure::new(
                Kind::CannotCreate,
                format_args!("cannot open the journal {}", name.display()),
            )
        })?;
        Ok(Self {
            db,
            file: name.to_owned(),
            account: id,
            _lock: None,
        })
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Creates the journal so that only its owner can read it: it shows who writes to
/// them. A journal that exists is not opened, because closing it here would end the
/// locks of every connection that this process has to it (POSIX `fcntl`).
fn make_private(file: &Path) -> std::io::Result<()> {
    let mut new = OpenOptions::new();
    match new.create_new(true).append(true).mode(0o600).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt as _, sync::Barrier, thread};

    use super::*;

    #[test]
    fn a_directory_gets_no_lock_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("journals");
        fs::create_dir(&directory).unwrap();
        let error = Journal::open(&directory, "me").unwrap_err().to_string();
        assert!(
            error.ends_with("journals: it is a directory; name a file with --journal"),
            "{error}"
        );
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    /// As the first run of `fetch --every` with several accounts does.
    #[test]
    fn many_accounts_can_open_a_new_journal_at_once() {
        for _ in 0..10 {
            let home = tempfile::tempdir().unwrap();
            let file = &home.path().join("journal");
            let begin = &Barrier::new(8);
            thread::scope(|scope| {
                let open = |account: usize| {
                    scope.spawn(move || {
                        begin.wait();
                        Journal::open(file, &account.to_string()).map(drop)
                    })
                };
                let all: Vec<_> = (0..8).map(open).collect();
                for opened in all {
                    opened.join().unwrap().unwrap();
                }
            });
        }
    }

    /// POSIX locks of a process end as soon as it closes the file, wherever it does
    /// that. Without them another process takes itself for the last user of the
    /// journal, and removes the log to which this one still writes.
    #[test]
    fn a_second_account_leaves_the_locks_of_the_first_in_force() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("journal");
        let locks = || {
            let inode = fs::metadata(&file).unwrap().ino().to_string();
            let all = fs::read_to_string("/proc/locks").unwrap();
            let of_file = all
                .lines()
                .filter(|line| line.contains("POSIX") && line.contains(&format!(":{inode} ")));
            of_file.count()
        };
        let _first = Journal::open(&file, "first").unwrap();
        assert!(locks() > 0);
        let _second = Journal::open(&file, "second").unwrap();
        assert!(locks() > 0);
    }
}

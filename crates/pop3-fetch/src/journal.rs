//! The journal: an SQLite database of the messages fetched from each account.
//!
//! A row is a message of an account: its unique-id as the server sent it, its copy
//! number among messages with that unique-id, and its [`State`]. A unique-id is only
//! a key, never a file name. Pending messages ([`Pending`]) have a table of their own
//! until they are settled.
//!
//! Each change is a transaction that is on disk when the call returns
//! (`synchronous=FULL`). [`group`](crate::delivery::group) describes what the states
//! promise.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::{
    disk::above,
    failure::{Failure, Kind},
    sizes::Learned,
};
use lock::Lock;
pub use message::{Key, Seen, Spelling};
pub(crate) use message::{Leftover, Origin, Pending, State, Waits};
use records::Record;
pub use records::Records;

mod lock;
mod message;
pub(crate) mod nameless;
mod opening;
pub(crate) mod records;
mod schema;

/// How long a lesson about a server counts, in seconds: 90 days.
const LEARNED_KEPT: i64 = 90 * 24 * 60 * 60;

/// How long a warning of too large messages is not repeated, in seconds: a week.
const LARGE_SILENT: i64 = 7 * 24 * 60 * 60;

/// The column of a size that is not known.
const UNKNOWN: i64 = u64::MAX.cast_signed();

/// The journal of one account, locked against other runs.
///
/// ```
/// use pop3_fetch::{Journal, Key, Seen, Spelling};
///
/// let home = tempfile::tempdir()?;
/// let file = home.path().join("journal");
/// let mut journal = Journal::open(&file, "me@mail.example.org")?;
/// // Another program has already fetched this message.
/// let seen = Seen {
///     key: Key { unique_id: b"QhdPYR:00WBw1Ph7x7".to_vec(), copy: 0 },
///     octets: Some(120),
///     since: 1_800_000_000,
/// };
/// assert_eq!(journal.see(&[seen], Spelling::Exact)?, 1);
/// // The account is locked, and other accounts are not.
/// assert!(Journal::open(&file, "me@mail.example.org").is_err());
/// assert!(Journal::open(&file, "you@mail.example.org").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Journal {
    db: Connection,
    file: PathBuf,
    account: i64,
    _lock: Option<Lock>,
}

impl Journal {
    /// What was learned of the server, unless that is too long ago: the server may
    /// have been fixed since.
    pub(crate) fn learned(&self, now: i64) -> Result<Learned, Failure> {
        self.db
            .query_row(
                "SELECT learned FROM account WHERE id = ? AND learned_at > ?",
                [self.account, now - LEARNED_KEPT],
                |row| row.get(0),
            )
            .optional()
            .map(|bits| Learned::from_bits(bits.unwrap_or(0)))
            .map_err(|error| self.cannot_read(&error))
    }

    /// Records what was learned of the server.
    pub(crate) fn learn(&mut self, learned: Learned, now: i64) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            db.execute(
                "UPDATE account SET learned = ?, learned_at = ? WHERE id = ?",
                [learned.bits(), now, account],
            )?;
            Ok(())
        })
    }

    /// Whether to warn of this number of messages that are too large to fetch: if it
    /// has grown, or a week after the last warning. Records the number, and the
    /// time of a warning.
    pub(crate) fn warns_of_large(&mut self, messages: usize, now: i64) -> Result<bool, Failure> {
        let account = self.account;
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        let (before, at): (i64, i64) = self
            .db
            .query_row(
                "SELECT large, large_at FROM account WHERE id = ?",
                [account],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(|error| self.cannot_read(&error))?;
        let warns = messages > before || (messages > 0 && now - at >= LARGE_SILENT);
        if warns || messages != before {
            let at = if warns { now } else { at };
            self.write(|db| {
                db.execute(
                    "UPDATE account SET large = ?, large_at = ? WHERE id = ?",
                    [messages, at, account],
                )?;
                Ok(())
            })?;
        }
        Ok(warns)
    }

    /// The messages in doubt, those tried least often first.
    pub(crate) fn doubts(&self) -> Result<Vec<Key>, Failure> {
        let read = || {
            let mut query = self.db.prepare(
                "SELECT unique_id, copy FROM doubt WHERE account = ? ORDER BY tries, since",
            )?;
            let rows = query.query_map([self.account], |row| {
                Ok(Key {
                    unique_id: row.get(0)?,
                    copy: row.get(1)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<Key>>>()
        };
        read().map_err(|error| self.cannot_read(&error))
    }

    /// Records that messages were in doubt once more.
    pub(crate) fn doubt(&mut self, keys: &[Key], now: i64) -> Result<(), Failure> {
        self.update(
            keys,
            "INSERT INTO doubt VALUES (?1, ?2, ?3, 1, ?4)
             ON CONFLICT DO UPDATE SET tries = tries + 1, since = ?4",
            &[now],
        )
    }

    /// The recipients at `place` that accepted a message before.
    pub(crate) fn accepted(&self, key: &Key, place: &str) -> Result<Vec<String>, Failure> {
        let read = || {
            let mut query = self.db.prepare(
                "SELECT recipient FROM accepted
                 WHERE account = ? AND unique_id = ? AND copy = ? AND place = ?",
            )?;
            let of = params![self.account, key.unique_id, key.copy, place];
            let rows = query.query_map(of, |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()
        };
        read().map_err(|error| self.cannot_read(&error))
    }

    /// Records that recipients at `place` accepted a message, before all have.
    pub(crate) fn accept(
        &mut self,
        key: &Key,
        place: &str,
        recipients: &[String],
    ) -> Result<(), Failure> {
        if recipients.is_empty() {
            return Ok(());
        }
        let account = self.account;
        self.write(|db| {
            let mut insert = db.prepare("INSERT OR IGNORE INTO accepted VALUES (?, ?, ?, ?, ?)")?;
            for recipient in recipients {
                insert.execute(params![account, key.unique_id, key.copy, place, recipient])?;
            }
            Ok(())
        })
    }

    /// The path of the spool: a file beside the journal, used only for this
    /// account.
    pub(crate) fn spool(&self) -> PathBuf {
        beside(&self.file, &format!("{}.spool", self.account))
    }

    /// Returns all rows of the account, ordered by unique-id and copy.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be read.
    pub fn records(&self) -> Result<Records, Failure> {
        let read = || {
            let mut records = Records::default();
            let mut query = self.db.prepare(
                "SELECT unique_id, copy, state, octets, changed, missing_since IS NOT NULL, origin
                 FROM message WHERE account = ? ORDER BY unique_id, copy",
            )?;
            let mut rows = query.query([self.account])?;
            while let Some(row) = rows.next()? {
                records.push(&Record {
                    unique_id: row.get_ref(0)?.as_blob()?,
                    copy: row.get(1)?,
                    state: State::from_column(row.get(2)?)?,
                    octets: known(row.get(3)?),
                    changed: row.get(4)?,
                    missing: row.get(5)?,
                    origin: Origin::from_column(row.get(6)?)?,
                });
            }
            Ok(records)
        };
        read().map_err(|error| self.cannot_read(&error))
    }

    /// What killed runs left, by place.
    pub(crate) fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        self.read_leftovers()
            .map_err(|error| self.cannot_read(&error))
    }

    fn read_leftovers(&self) -> rusqlite::Result<Vec<Leftover>> {
        let mut leftovers: Vec<Leftover> = Vec::new();
        let mut runs = self
            .db
            .prepare("SELECT place, stem FROM run WHERE account = ?")?;
        let mut rows = runs.query([self.account])?;
        while let Some(row) = rows.next()? {
            at(&mut leftovers, row.get(0)?).stems.push(row.get(1)?);
        }
        let mut pending = self.db.prepare(
            "SELECT place, unique_id, copy, octets, name, since, boot FROM pending
             WHERE account = ?",
        )?;
        let mut rows = pending.query([self.account])?;
        while let Some(row) = rows.next()? {
            let message = Pending {
                key: Key {
                    unique_id: row.get(1)?,
                    copy: row.get(2)?,
                },
                octets: row.get::<_, i64>(3)?.cast_unsigned(),
                name: row.get(4)?,
            };
            at(&mut leftovers, row.get(0)?).pending.push(Waits {
                message,
                since: row.get(5)?,
                boot: row.get(6)?,
            });
        }
        Ok(leftovers)
    }

    /// Records the end of what killed runs left: pending messages become delivered,
    /// except those in `lost`, which are forgotten.
    pub(crate) fn close_leftovers(&mut self, lost: &[Key], now: i64) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            let mut forget =
                db.prepare("DELETE FROM pending WHERE account = ? AND unique_id = ? AND copy = ?")?;
            for key in lost {
                forget.execute(params![account, key.unique_id, key.copy])?;
            }
            end_run(db, account, now)
        })
    }

    /// Records places, each with the prefix of the names of unfinished files that
    /// may be there from now on.
    pub(crate) fn begin_run<'a>(
        &mut self,
        places: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            let mut insert = db.prepare("INSERT INTO run VALUES (?, ?, ?)")?;
            for (place, stem) in places {
                insert.execute(params![account, place, stem])?;
            }
            Ok(())
        })
    }

    /// Records that no unfinished files are left and all pending messages are
    /// delivered.
    pub(crate) fn end_run(&mut self, now: i64) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| end_run(db, account, now))
    }

    /// Records a group of messages as pending, each at its place. Messages that were
    /// pending before become delivered. `boot` is the boot-id of the system.
    pub(crate) fn pend<'a>(
        &mut self,
        group: impl Iterator<Item = (&'a str, &'a Pending)>,
        boot: &str,
        now: i64,
    ) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            settle(db, account, now)?;
            let mut insert = db.prepare("INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
            for (place, Pending { key, octets, name }) in group {
                insert.execute(params![
                    account,
                    key.unique_id,
                    key.copy,
                    octets.cast_signed(),
                    now,
                    place,
                    name,
                    boot
                ])?;
            }
            Ok(())
        })
    }

    /// Forgets the messages of a group that was given up before it was published.
    pub(crate) fn forget_pending(&mut self) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            db.execute("DELETE FROM pending WHERE account = ?", [account])?;
            Ok(())
        })
    }

    /// Records that all pending messages are delivered.
    pub(crate) fn settle(&mut self, now: i64) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| settle(db, account, now))
    }

    /// Records messages as seen, all of them or, if it fails, none. Messages that
    /// are in the journal already stay as they are. Returns how many were not.
    ///
    /// # Errors
    ///
    /// Fails if the journal cannot be written.
    pub fn see(&mut self, messages: &[Seen], spelling: Spelling) -> Result<usize, Failure> {
        let account = self.account;
        let mut added = 0;
        self.write(|db| {
            let mut insert = db.prepare(
                "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?)",
            )?;
            let mut forget =
                db.prepare("DELETE FROM doubt WHERE account = ? AND unique_id = ? AND copy = ?")?;
            for Seen { key, octets, since } in messages {
                let has_dash = key.unique_id.contains(&b'-');
                let origin = match spelling {
                    Spelling::SlashesAsDashes if has_dash => Origin::SeenDashed,
                    _ => Origin::Seen,
                };
                added += insert.execute(params![
                    account,
                    key.unique_id,
                    key.copy,
                    octets.map_or(UNKNOWN, u64::cast_signed),
                    State::Delivered as i64,
                    since,
                    origin as i64
                ])?;
                forget.execute(params![account, key.unique_id, key.copy])?;
            }
            Ok(())
        })?;
        Ok(added)
    }

    /// Corrects the unique-ids of seen messages that were recorded with `-` for `/`,
    /// as soon as the server lists one of them.
    pub(crate) fn respell(&mut self, listed: &BTreeSet<&[u8]>) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            let mut update = db.prepare(
                "UPDATE OR IGNORE message SET unique_id = ?1, origin = ?2
                 WHERE account = ?3 AND unique_id = ?4 AND origin = ?5",
            )?;
            let (exact, dashed) = (Origin::Seen as i64, Origin::SeenDashed as i64);
            let mut found = 0;
            // In order, so that one which has the dashes itself comes first.
            for unique_id in listed {
                let recorded = with_dashes(unique_id);
                found += update.execute(params![unique_id, exact, account, recorded, dashed])?;
            }
            if found > 0 {
                db.execute(
                    "UPDATE message SET origin = ? WHERE account = ? AND origin = ?",
                    [exact, account, dashed],
                )?;
            }
            Ok(())
        })
    }

    /// Records the sizes of messages whose size was unknown.
    pub(crate) fn size(&mut self, sizes: &[(Key, u64)]) -> Result<(), Failure> {
        if sizes.is_empty() {
            return Ok(());
        }
        let account = self.account;
        self.write(|db| {
            let mut update = db.prepare(
                "UPDATE message SET octets = ? WHERE account = ? AND unique_id = ? AND copy = ?",
            )?;
            for (key, octets) in sizes {
                let octets = octets.cast_signed();
                update.execute(params![octets, account, key.unique_id, key.copy])?;
            }
            Ok(())
        })
    }

    /// Moves messages to a later state.
    pub(crate) fn advance(&mut self, keys: &[Key], state: State, now: i64) -> Result<(), Failure> {
        self.update(
            keys,
            "UPDATE message SET state = ?4, changed = ?5, missing_since = NULL
             WHERE account = ?1 AND unique_id = ?2 AND copy = ?3",
            &[state as i64, now],
        )
    }

    /// Records that messages are no longer on the server.
    pub(crate) fn miss(&mut self, keys: &[Key], now: i64) -> Result<(), Failure> {
        self.update(
            keys,
            "UPDATE message SET missing_since = ?4
             WHERE account = ?1 AND unique_id = ?2 AND copy = ?3",
            &[now],
        )
    }

    /// Records that messages are on the server again.
    pub(crate) fn find_again(&mut self, keys: &[Key]) -> Result<(), Failure> {
        self.update(
            keys,
            "UPDATE message SET missing_since = NULL
             WHERE account = ?1 AND unique_id = ?2 AND copy = ?3",
            &[],
        )
    }

    /// Forgets messages that have been missing since before `time`.
    pub(crate) fn expire(&mut self, time: i64) -> Result<(), Failure> {
        let account = self.account;
        self.write(|db| {
            db.execute(
                "DELETE FROM message WHERE account = ? AND missing_since < ?",
                params![account, time],
            )?;
            Ok(())
        })
    }

    fn update(&mut self, keys: &[Key], sql: &str, values: &[i64]) -> Result<(), Failure> {
        if keys.is_empty() {
            return Ok(());
        }
        let account = self.account;
        self.write(|db| {
            let mut update = db.prepare(sql)?;
            for key in keys {
                update.raw_bind_parameter(1, account)?;
                update.raw_bind_parameter(2, &key.unique_id)?;
                update.raw_bind_parameter(3, key.copy)?;
                for (index, value) in values.iter().enumerate() {
                    update.raw_bind_parameter(4 + index, value)?;
                }
                update.raw_execute()?;
            }
            Ok(())
        })
    }

    /// Runs `change` as one transaction.
    fn write(
        &mut self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), Failure> {
        let transact = || {
            let transaction = self
                .db
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction)?;
            transaction.commit()
        };
        transact().map_err(|error| {
            Failure::new(
                Kind::Io,
                format_args!(
                    "cannot write the journal {}: {}; it is unchanged, and the next run \
                     continues from there",
                    self.file.display(),
                    why(&self.file, &error)
                ),
            )
        })
    }

    fn cannot_read(&self, error: &rusqlite::Error) -> Failure {
        Failure::new(
            Kind::Io,
            format_args!(
                "cannot read the journal {}: {}",
                self.file.display(),
                why(&self.file, error)
            ),
        )
    }
}

/// Explains an error of SQLite, which says "disk I/O error" even if the disk is
/// full.
fn why(file: &Path, error: &rusqlite::Error) -> String {
    /// Blocks of the file system that a transaction may need.
    const FEW: u64 = 256;
    let disk = rustix::fs::statvfs(above(file));
    match disk.is_ok_and(|disk| disk.f_bavail < FEW) {
        true => format!(
            "{error}; the disk is full: free some space there and run the command again; no mail \
             is lost"
        ),
        false => error.to_string(),
    }
}

/// The size in a column.
fn known(octets: i64) -> Option<u64> {
    (octets != UNKNOWN).then(|| octets.cast_unsigned())
}

/// A unique-id as getmail writes it.
fn with_dashes(unique_id: &[u8]) -> Vec<u8> {
    let octets = unique_id.iter();
    octets
        .map(|&octet| if octet == b'/' { b'-' } else { octet })
        .collect()
}

fn settle(db: &Connection, account: i64, now: i64) -> rusqlite::Result<()> {
    for table in ["doubt", "accepted"] {
        db.execute(
            &format!(
                "DELETE FROM {table} WHERE account = ?1 AND (unique_id, copy) IN
                     (SELECT unique_id, copy FROM pending WHERE account = ?1)"
            ),
            [account],
        )?;
    }
    db.execute(
        "INSERT OR REPLACE INTO message
         SELECT account, unique_id, copy, octets, ?, ?, NULL, place, name, ?
         FROM pending WHERE account = ?",
        params![
            State::Delivered as i64,
            now,
            Origin::Fetched as i64,
            account
        ],
    )?;
    db.execute("DELETE FROM pending WHERE account = ?", [account])?;
    Ok(())
}

fn end_run(db: &Connection, account: i64, now: i64) -> rusqlite::Result<()> {
    settle(db, account, now)?;
    db.execute("DELETE FROM run WHERE account = ?", [account])?;
    Ok(())
}

fn at(leftovers: &mut Vec<Leftover>, place: String) -> &mut Leftover {
    let index = match leftovers.iter().position(|other| other.place == place) {
        Some(index) => index,
        None => {
            leftovers.push(Leftover {
                place,
                ..Leftover::default()
            });
            leftovers.len() - 1
        }
    };
    &mut leftovers[index]
}

fn beside(journal: &Path, what: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(format!(".{what}"));
    PathBuf::from(name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn says_that_the_disk_is_full_only_if_it_is() {
        let home = tempfile::tempdir().unwrap();
        let error = rusqlite::Error::InvalidQuery;
        let why = |directory: &Path| why(&directory.join("journal"), &error);
        assert_eq!(why(home.path()), error.to_string());
        // No block of this file system is ever free.
        assert!(why(Path::new("/proc")).contains("the disk is full"));
    }
}

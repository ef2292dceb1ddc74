//! The tables, and their migration from older formats.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

/// The format of the tables. A newer `pop3` may use a higher one.
const SCHEMA: i64 = 5;

const TABLES: &str = "
    CREATE TABLE account (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    );
    CREATE TABLE message (
        account INTEGER NOT NULL REFERENCES account,
        unique_id BLOB NOT NULL,
        copy INTEGER NOT NULL,
        octets INTEGER NOT NULL,
        state INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        missing_since INTEGER,
        place TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account, unique_id, copy)
    ) WITHOUT ROWID;
    CREATE TABLE run (
        account INTEGER NOT NULL REFERENCES account,
        place TEXT NOT NULL,
        stem TEXT NOT NULL
    );";

/// Pending messages have their own table, where adding and removing them costs
/// least.
const PENDING: &str = "
    CREATE TABLE pending (
        account INTEGER NOT NULL REFERENCES account,
        unique_id BLOB NOT NULL,
        copy INTEGER NOT NULL,
        octets INTEGER NOT NULL,
        since INTEGER NOT NULL,
        place TEXT NOT NULL,
        name TEXT NOT NULL
    );";

/// Format 1 had pending messages among the others, as state 0.
const FROM_1: &str = "
    INSERT INTO pending
        SELECT account, unique_id, copy, octets, changed, place, name FROM message WHERE state = 0;
    DELETE FROM message WHERE state = 0;";

/// What was learned about the server of an account, and its messages in doubt:
/// format 2 had neither.
const DOUBTS: &str = "
    ALTER TABLE account ADD COLUMN learned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE account ADD COLUMN learned_at INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE doubt (
        account INTEGER NOT NULL REFERENCES account,
        unique_id BLOB NOT NULL,
        copy INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (account, unique_id, copy)
    ) WITHOUT ROWID;";

/// The boot-id under which a message became pending: format 3 did not have it.
const BOOT: &str = "ALTER TABLE pending ADD COLUMN boot TEXT NOT NULL DEFAULT '';";

/// The recipients that accepted a message which others have not accepted yet:
/// format 4 did not have them.
const ACCEPTED: &str = "
    CREATE TABLE accepted (
        account INTEGER NOT NULL REFERENCES account,
        unique_id BLOB NOT NULL,
        copy INTEGER NOT NULL,
        place TEXT NOT NULL,
        recipient TEXT NOT NULL,
        PRIMARY KEY (account, unique_id, copy, place, recipient)
    ) WITHOUT ROWID;";

/// How a message came into the journal. In format 4, `pop3` had fetched each.
const ORIGIN: &str = "ALTER TABLE message ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;";

/// The number of too large messages at the last look, and the time of the last
/// warning of them: format 4 had neither.
const LARGE: &str = "
    ALTER TABLE account ADD COLUMN large INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE account ADD COLUMN large_at INTEGER NOT NULL DEFAULT 0;";

/// Why the journal could not be prepared.
pub(super) enum Refusal {
    /// The journal has this newer format.
    Newer(i64),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Creates the tables if they are missing, and returns the account's row id.
pub(super) fn prepare(db: &mut Connection, account: &str) -> Result<i64, Refusal> {
    // Accounts that are fetched in parallel write in turn.
    db.busy_timeout(Duration::from_secs(60))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // The data that undoes one statement of a transaction is never needed after a
    // kill. In a file it would cost more writes than all the mail.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    let schema = |db: &Connection| db.query_row("PRAGMA user_version", [], |row| row.get(0));
    let find = |db: &Connection| {
        db.query_row("SELECT id FROM account WHERE name = ?", [account], |row| {
            row.get(0)
        })
        .optional()
    };
    // Do not write, and so do not wait for the disk, if there is nothing to create.
    if schema(db)? == SCHEMA
        && let Some(id) = find(db)?
    {
        return Ok(id);
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let steps: &[&str] = match schema(&transaction)? {
        0 => &[TABLES, PENDING, DOUBTS, BOOT, ACCEPTED, ORIGIN, LARGE],
        1 => &[
            "DROP INDEX pending",
            PENDING,
            FROM_1,
            DOUBTS,
            BOOT,
            ACCEPTED,
            ORIGIN,
            LARGE,
        ],
        2 => &[DOUBTS, BOOT, ACCEPTED, ORIGIN, LARGE],
        3 => &[BOOT, ACCEPTED, ORIGIN, LARGE],
        4 => &[ACCEPTED, ORIGIN, LARGE],
        SCHEMA => &[],
        newer => return Err(Refusal::Newer(newer)),
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    let id = match find(&transaction)? {
        Some(id) => id,
        None => {
            transaction.execute("INSERT INTO account (name) VALUES (?)", [account])?;
            transaction.last_insert_rowid()
        }
    };
    transaction.commit()?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pending messages of a killed run of an older `pop3` must stay known.
    #[test]
    fn keeps_pending_messages_of_format_1_pending() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLES).unwrap();
        db.execute_batch(
            "CREATE INDEX pending ON message (account) WHERE state = 0;
             INSERT INTO account VALUES (7, 'me@host:110');
             INSERT INTO message VALUES (7, x'61', 0, 12, 0, 99, NULL, 'maildir:m', 'n');
             INSERT INTO message VALUES (7, x'62', 0, 12, 1, 99, NULL, 'maildir:m', 'o');
             PRAGMA user_version = 1;",
        )
        .unwrap();
        assert!(matches!(prepare(&mut db, "me@host:110"), Ok(7)));
        let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            count("SELECT count(*) FROM pending WHERE since = 99 AND name = 'n'"),
            1
        );
        assert_eq!(count("SELECT count(*) FROM message WHERE state = 1"), 1);
        assert_eq!(count("SELECT count(*) FROM message"), 1);
        assert_eq!(count("PRAGMA user_version"), SCHEMA);
        assert_eq!(count("SELECT learned FROM account WHERE id = 7"), 0);
        assert_eq!(count("SELECT count(*) FROM doubt"), 0);
    }

    #[test]
    fn adds_what_each_older_format_lacks() {
        for (form, steps) in [
            (2, &[TABLES, PENDING][..]),
            (3, &[TABLES, PENDING, DOUBTS]),
            (4, &[TABLES, PENDING, DOUBTS, BOOT]),
            (
                SCHEMA,
                &[TABLES, PENDING, DOUBTS, BOOT, ACCEPTED, ORIGIN, LARGE],
            ),
        ] {
            let mut db = Connection::open_in_memory().unwrap();
            db.execute_batch(&steps.concat()).unwrap();
            db.pragma_update(None, "user_version", form).unwrap();
            assert!(prepare(&mut db, "me").is_ok(), "format {form}");
            for query in [
                "SELECT boot FROM pending",
                "SELECT learned FROM account",
                "SELECT recipient FROM accepted",
                "SELECT origin FROM message",
                "SELECT large, large_at FROM account",
            ] {
                assert!(db.prepare(query).is_ok(), "format {form}");
            }
        }
    }

    /// Otherwise a loss of power would undo what was recorded, and mail would be
    /// delivered twice, or deleted on the server before it is stored.
    #[test]
    fn syncs_each_transaction() {
        let home = tempfile::tempdir().unwrap();
        let mut db = Connection::open(home.path().join("journal")).unwrap();
        assert!(prepare(&mut db, "me").is_ok());
        let of = |pragma: &str| {
            let read = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
            db.query_row(&format!("PRAGMA {pragma}"), [], read).unwrap()
        };
        const FULL: i64 = 2;
        assert_eq!(of("synchronous"), FULL.into());
        assert_eq!(of("journal_mode"), String::from("wal").into());
    }

    #[test]
    fn leaves_a_newer_format_unchanged() {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        assert!(matches!(prepare(&mut db, "me"), Err(Refusal::Newer(_))));
    }
}

//! The rows of an account in the journal, in memory.

use std::collections::BTreeSet;

use super::{Key, Origin, State, UNKNOWN, known, nameless};

/// The rows of an account, ordered by unique-id and copy. One allocation holds all
/// unique-ids, so that each of 100,000 rows costs about 30 octets and its
/// unique-id.
#[derive(Debug, Default)]
pub struct Records {
    ids: Vec<u8>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id_end: usize,
    copy: u32,
    state: State,
    missing: bool,
    origin: Origin,
    /// As in the column.
    octets: i64,
    changed: i64,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) unique_id: &'a [u8],
    pub(crate) copy: u32,
    pub(crate) state: State,
    /// Its size as the server listed it when it was fetched; unknown for some seen
    /// messages.
    pub(crate) octets: Option<u64>,
    /// The time of its last change of state, in seconds since 1970.
    pub(crate) changed: i64,
    /// Whether it was missing on the server the last time.
    pub(crate) missing: bool,
    pub(crate) origin: Origin,
}

impl Record<'_> {
    pub(crate) fn key(&self) -> Key {
        Key {
            unique_id: self.unique_id.to_vec(),
            copy: self.copy,
        }
    }

    /// Whether the message is delivered, as far as is known, and may still be on
    /// the server.
    pub(crate) const fn is_held(&self) -> bool {
        !matches!(self.state, State::Deleted)
    }
}

impl Records {
    /// Appends a row, which must come after the others in order.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        self.ids.extend_from_slice(record.unique_id);
        self.rows.push(Row {
            id_end: self.ids.len(),
            copy: record.copy,
            state: record.state,
            missing: record.missing,
            origin: record.origin,
            octets: record.octets.map_or(UNKNOWN, u64::cast_signed),
            changed: record.changed,
        });
    }

    /// Whether unique-ids may be spelled with `-` for `/`.
    pub(crate) fn any_dashed(&self) -> bool {
        self.rows.iter().any(|row| row.origin == Origin::SeenDashed)
    }

    pub(crate) fn any_missing(&self) -> bool {
        self.rows.iter().any(|row| row.missing)
    }

    /// The keys of messages that are recognized by their octets.
    pub(crate) fn nameless(&self) -> BTreeSet<Key> {
        let all = (0..self.rows.len()).filter_map(|index| self.get(index));
        all.filter(|row| row.is_held() && nameless::is_digest(row.unique_id))
            .map(|row| row.key())
            .collect()
    }

    pub(crate) fn get(&self, index: usize) -> Option<Record<'_>> {
        let row = self.rows.get(index)?;
        let start = match index {
            0 => 0,
            _ => self.rows[index - 1].id_end,
        };
        Some(Record {
            unique_id: &self.ids[start..row.id_end],
            copy: row.copy,
            state: row.state,
            octets: known(row.octets),
            changed: row.changed,
            missing: row.missing,
            origin: row.origin,
        })
    }
}

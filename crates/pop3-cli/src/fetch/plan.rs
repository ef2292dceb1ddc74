//! What to do with each message of a maildrop: a pure function of the server's
//! listings, the journal, and what the user wants.
//!
//! Both sides are put in the order of unique-ids and walked through once, side
//! by side. A message-number decides nothing but the order in which messages are
//! fetched, since the next session may number them otherwise (RFC 1939 §5).
//!
//! Decisions:
//!
//! - *A unique-id is what tells messages apart*, and a listed size is not: some
//!   servers change their estimate once a message was read. But a message is not
//!   deleted on the word of an earlier session if its size is another now. A
//!   server that reuses unique-ids may mean another message by it, so it stays,
//!   and the user hears of it.
//! - *A unique-id that comes back after a confirmed deletion is a new message*;
//!   RFC 1939 §7 lets a server use it again. Rather twice than never.
//! - *A unique-id that is gone keeps its row* for [`MISSING_KEPT`]: a server that
//!   shows an empty maildrop for a day does not have everything fetched again.
//! - *Equal unique-ids, told apart* ([`EqualUniqueIds::Apart`]): of the messages
//!   of one id, as many are fetched as there are more than the journal holds, and
//!   those are the ones with the highest numbers, since mail arrives at the end.
//!   While it is open which are the ones held, none of these is deleted.
//! - *Equal unique-ids as Outlook takes them*
//!   ([`EqualUniqueIds::Interchangeable`], C0041): one message.

use pop3_proto::{
    EqualUniqueIds, MessageNumber,
    client::{IndexedMessage, MaildropIndex},
};

use super::{
    journal::{Key, State},
    records::{Record, Records},
};

/// Seconds that the journal remembers a message which the server no longer
/// lists: 90 days.
pub(crate) const MISSING_KEPT: i64 = 90 * 24 * 60 * 60;

/// What becomes of a message on the server once it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Keep,
    Delete,
    /// Delete it so many seconds after its delivery.
    DeleteAfter(i64),
}

impl Afterwards {
    /// Whether a message that was delivered at `delivered` is to be deleted.
    const fn deletes(self, delivered: i64, now: i64) -> bool {
        match self {
            Self::Keep => false,
            Self::Delete => true,
            Self::DeleteAfter(seconds) => now.saturating_sub(delivered) >= seconds,
        }
    }
}

/// What the user wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    pub(crate) equal_unique_ids: EqualUniqueIds,
    pub(crate) afterwards: Afterwards,
    /// Messages to fetch at most.
    pub(crate) limit: usize,
    /// Octets of a message to fetch, as listed.
    pub(crate) max_octets: u64,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// A message to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retrieve {
    pub(crate) number: MessageNumber,
    /// Which of the copies under its unique-id it becomes.
    pub(crate) copy: u32,
}

/// A message that an earlier session delivered, to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delete {
    pub(crate) number: MessageNumber,
    pub(crate) copy: u32,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// From the lowest number.
    pub(crate) retrieve: Vec<Retrieve>,
    /// From the lowest number.
    pub(crate) delete: Vec<Delete>,
    /// Whether to delete what is retrieved.
    pub(crate) delete_retrieved: bool,
    /// Rows whose message the server lists no longer.
    pub(crate) missing: Vec<Key>,
    /// Rows whose deletion was requested, and whose message is gone: it worked.
    pub(crate) deleted: Vec<Key>,
    /// Rows that were missing and are there again.
    pub(crate) found_again: Vec<Key>,
    /// Messages that are held already.
    pub(crate) held: usize,
    /// New messages left on the server because of their size.
    pub(crate) too_large: usize,
    /// New messages left for the next run by the limit.
    pub(crate) over_limit: usize,
    /// Messages without a unique-id: nothing is known of them.
    pub(crate) nameless: usize,
    /// Further messages under a unique-id that are taken for the same.
    pub(crate) interchangeable: usize,
    /// Messages not deleted because their size is another than when they were
    /// fetched.
    pub(crate) changed: usize,
}

impl Plan {
    pub(crate) fn new(maildrop: &MaildropIndex, records: &Records, wishes: &Wishes) -> Self {
        let mut plan = Self {
            delete_retrieved: wishes.afterwards.deletes(wishes.now, wishes.now),
            ..Self::default()
        };
        let named = |message: &IndexedMessage<'_>| message.unique_id.is_some();
        let count = maildrop.iter().filter(named).count();
        plan.nameless = maildrop.len() - count;
        let mut numbers = Vec::with_capacity(count);
        numbers.extend(maildrop.iter().filter(named).map(|message| message.number));
        // Most servers list them in this order anyway, and then it costs one pass.
        numbers.sort_by(|&a, &b| {
            let ids = unique_id(maildrop, a).cmp(unique_id(maildrop, b));
            ids.then(a.cmp(&b))
        });

        let mut planner = Planner {
            maildrop,
            wishes,
            plan: &mut plan,
        };
        let mut at = 0;
        let mut rows: Vec<Record<'_>> = Vec::new();
        for group in numbers.chunk_by(|&a, &b| unique_id(maildrop, a) == unique_id(maildrop, b)) {
            let id = group
                .first()
                .map_or(&[][..], |&number| unique_id(maildrop, number));
            while let Some(record) = records.get(at).filter(|record| record.unique_id < id) {
                planner.gone(&record);
                at += 1;
            }
            rows.clear();
            while let Some(record) = records.get(at).filter(|record| record.unique_id == id) {
                rows.push(record);
                at += 1;
            }
            planner.decide(group, &mut rows);
        }
        while let Some(record) = records.get(at) {
            planner.gone(&record);
            at += 1;
        }

        plan.retrieve
            .sort_unstable_by_key(|retrieve| retrieve.number);
        plan.over_limit = plan.retrieve.len().saturating_sub(wishes.limit);
        plan.retrieve.truncate(wishes.limit);
        plan.delete.sort_unstable_by_key(|delete| delete.number);
        plan
    }
}

/// The unique-id of a message; empty if UIDL gave none.
pub(crate) fn unique_id(maildrop: &MaildropIndex, number: MessageNumber) -> &[u8] {
    let unique_id = maildrop.get(number).and_then(|message| message.unique_id);
    unique_id.map_or(&[], |unique_id| unique_id.as_bytes())
}

/// The size that LIST gave.
pub(crate) fn octets(maildrop: &MaildropIndex, number: MessageNumber) -> Option<u64> {
    maildrop.get(number)?.octets
}

struct Planner<'a> {
    maildrop: &'a MaildropIndex,
    wishes: &'a Wishes,
    plan: &'a mut Plan,
}

impl Planner<'_> {
    /// A row whose message is not on the server.
    fn gone(&mut self, record: &Record<'_>) {
        if record.state == State::DeletionRequested {
            self.plan.deleted.push(record.key());
        }
        if !record.missing {
            self.plan.missing.push(record.key());
        }
    }

    /// The messages of one unique-id, and the rows of the same.
    fn decide(&mut self, numbers: &[MessageNumber], rows: &mut [Record<'_>]) {
        // What may have been deleted comes first: if messages are gone, then those.
        rows.sort_unstable_by_key(|row| {
            let place = match row.state {
                State::Deleted => 0,
                State::DeletionRequested => 1,
                _ => 2,
            };
            (place, row.copy)
        });
        let deleted = rows.iter().take_while(|row| !row.is_held()).count();
        let held = &rows[deleted..];

        if self.wishes.equal_unique_ids == EqualUniqueIds::Interchangeable {
            self.plan.interchangeable += numbers.len() - 1;
            match held.last() {
                Some(record) => {
                    self.found(record);
                    for &number in numbers {
                        self.keep_or_delete(number, record);
                    }
                    self.plan.held += 1;
                }
                None => self.retrieve(&numbers[..1], held),
            }
            return;
        }
        let surplus = held.len().saturating_sub(numbers.len());
        for record in &held[..surplus] {
            self.gone(record);
        }
        let there = &held[surplus..];
        let (old, new) = numbers.split_at(there.len());
        self.plan.held += old.len();
        for (&number, record) in old.iter().zip(there) {
            self.found(record);
            if new.is_empty() {
                self.keep_or_delete(number, record);
            }
        }
        self.retrieve(new, held);
    }

    /// A row whose message is on the server.
    fn found(&mut self, record: &Record<'_>) {
        if record.missing {
            self.plan.found_again.push(record.key());
        }
    }

    fn keep_or_delete(&mut self, number: MessageNumber, record: &Record<'_>) {
        let Wishes {
            afterwards, now, ..
        } = self.wishes;
        // Whoever asked for a deletion is owed it, whatever the wish is now.
        if record.state != State::DeletionRequested && !afterwards.deletes(record.changed, *now) {
            return;
        }
        let octets = octets(self.maildrop, number);
        if octets.is_some_and(|octets| octets != record.octets) {
            self.plan.changed += 1;
            return;
        }
        self.plan.delete.push(Delete {
            number,
            copy: record.copy,
        });
    }

    /// New messages of one unique-id. Each becomes a copy that no row holds.
    fn retrieve(&mut self, numbers: &[MessageNumber], held: &[Record<'_>]) {
        let mut taken: Vec<u32> = held.iter().map(|record| record.copy).collect();
        taken.sort_unstable();
        let mut taken = taken.into_iter().peekable();
        let mut copy = 0;
        for &number in numbers {
            let octets = octets(self.maildrop, number).unwrap_or(0);
            if octets > self.wishes.max_octets {
                self.plan.too_large += 1;
                continue;
            }
            while taken
                .next_if(|&other| other <= copy)
                .is_some_and(|other| other == copy)
            {
                copy += 1;
            }
            self.plan.retrieve.push(Retrieve { number, copy });
            copy += 1;
        }
    }
}

#[cfg(test)]
mod tests;

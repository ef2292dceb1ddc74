//! Decides what to do with each message of a maildrop: a pure function of the
//! server's listings, the journal, and the user's wishes.
//!
//! Both sides are sorted by unique-id and merged in one pass. A message-number only
//! decides the order in which messages are fetched, because the next session may
//! number them differently (RFC 1939 §5).
//!
//! Decisions:
//!
//! - *Unique-ids distinguish messages*; sizes in LIST do not, because some servers
//!   change their estimate after a message was read. But a message that an earlier
//!   session delivered is not deleted if its size has changed: a server that reuses
//!   unique-ids may mean another message, so the message stays, and the user gets a
//!   warning.
//! - *A unique-id that comes back after a confirmed deletion, with another size, is
//!   a new message*; RFC 1939 §7 lets a server use it again. With the same size,
//!   the server most likely did not delete it: the message is neither fetched again
//!   nor deleted, and the user gets a warning.
//! - *A message that disappeared before its deletion was confirmed* may come back:
//!   only the reply to QUIT says that it is deleted.
//! - *A unique-id that disappeared keeps its row* for [`MISSING_KEPT`], so that a
//!   server that shows an empty maildrop for a day does not cause everything to be
//!   fetched again.
//! - *A message that was only recorded as seen* is never fetched, and is deleted
//!   only if the user wants that of such messages too. Its size is recorded the
//!   first time that LIST gives it, so that the rules above protect it from then
//!   on.
//! - *Equal unique-ids, told apart* ([`EqualUniqueIds::Apart`]): if there are more
//!   messages with one unique-id than the journal holds, the excess is fetched:
//!   first messages whose sizes differ from those of the rows, then those with the
//!   highest numbers, because mail arrives at the end. As long as it is unclear
//!   which messages the rows stand for, none of them is deleted.
//! - *Equal unique-ids as in Outlook* ([`EqualUniqueIds::Interchangeable`], C0041)
//!   stand for one message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pop3_proto::{
    EqualUniqueIds, MessageNumber,
    client::{IndexedMessage, MaildropIndex},
};

use crate::journal::{
    Key, Origin, State,
    records::{Record, Records},
};

/// How long the journal remembers a message that the server no longer lists, in
/// seconds: 90 days.
pub(crate) const MISSING_KEPT: i64 = 90 * 24 * 60 * 60;

/// What to do with a message on the server after its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Keep it.
    Keep,
    /// Delete it.
    Delete,
    /// Delete it this many seconds after its delivery.
    DeleteAfter(i64),
}

impl Afterwards {
    /// Whether to delete a message that was delivered at `delivered`.
    const fn deletes(self, delivered: i64, now: i64) -> bool {
        match self {
            Self::Keep => false,
            Self::Delete => true,
            Self::DeleteAfter(seconds) => now.saturating_sub(delivered) >= seconds,
        }
    }
}

/// What the user wants.
///
/// ```
/// use std::time::{SystemTime, UNIX_EPOCH};
///
/// use pop3_fetch::{Afterwards, Wishes};
/// use pop3_proto::EqualUniqueIds;
///
/// let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
/// // Fetches all messages of up to 50 MiB, and deletes each one after 30 days.
/// let wishes = Wishes {
///     equal_unique_ids: EqualUniqueIds::Apart,
///     afterwards: Afterwards::DeleteAfter(30 * 24 * 60 * 60),
///     delete_imported: false,
///     limit: usize::MAX,
///     max_octets: 50 << 20,
///     now: now.cast_signed(),
/// };
/// # assert!(wishes.now > 0);
/// # Ok::<(), std::time::SystemTimeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// How to treat messages with equal unique-ids.
    pub equal_unique_ids: EqualUniqueIds,
    /// What to do with a message after its delivery.
    pub afterwards: Afterwards,
    /// Whether that also applies to messages that were only recorded as seen
    /// ([`Seen`](crate::Seen)), and not delivered by this program.
    pub delete_imported: bool,
    /// The most messages to fetch.
    pub limit: usize,
    /// The most octets of a message to fetch, as listed.
    pub max_octets: u64,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// A message to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retrieve {
    /// Its message-number in this session.
    pub number: MessageNumber,
    /// The copy number that it gets among messages with its unique-id.
    pub copy: u32,
}

/// A message that an earlier session delivered, to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Its message-number in this session.
    pub number: MessageNumber,
    /// Its copy number among messages with its unique-id.
    pub copy: u32,
}

/// What to do with the messages of a maildrop.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Messages to retrieve, from the lowest number up.
    pub retrieve: Vec<Retrieve>,
    /// New messages that were in doubt before; they are retrieved last.
    pub doubtful: Vec<Retrieve>,
    /// Messages to delete, from the lowest number up.
    pub delete: Vec<Delete>,
    /// Whether to delete the retrieved messages.
    pub delete_retrieved: bool,
    /// Rows of unknown size, with the sizes in LIST.
    pub sizes: Vec<(Key, u64)>,
    /// Rows whose message the server no longer lists.
    pub missing: Vec<Key>,
    /// Rows whose message was missing and is listed again.
    pub found_again: Vec<Key>,
    /// The number of messages that are held already.
    pub held: usize,
    /// The number of new messages left on the server because of their size.
    pub too_large: usize,
    /// The number of new messages that the limit leaves for the next run.
    pub over_limit: usize,
    /// The number of messages that LIST lists and UIDL does not.
    pub nameless: usize,
    /// The number of further messages with a unique-id that count as the same
    /// message.
    pub interchangeable: usize,
    /// The number of messages not deleted because their size has changed since they
    /// were fetched.
    pub changed: usize,
    /// The number of messages whose deletion the server confirmed, but which it
    /// lists again.
    pub undeleted: usize,
}

impl Plan {
    /// Makes the plan. `doubts`: messages that were in doubt on an earlier visit,
    /// in the order in which to try them. `except`: messages not to retrieve.
    pub(crate) fn new(
        maildrop: &MaildropIndex,
        records: &Records,
        wishes: &Wishes,
        (doubts, except): (&[Key], &BTreeSet<Key>),
    ) -> Self {
        let mut plan = Self {
            delete_retrieved: wishes.afterwards.deletes(wishes.now, wishes.now),
            ..Self::default()
        };
        let named = |message: &IndexedMessage<'_>| message.unique_id.is_some();
        let count = maildrop.iter().filter(named).count();
        plan.nameless = maildrop.len() - count;
        let mut numbers = Vec::with_capacity(count);
        numbers.extend(maildrop.iter().filter(named).map(|message| message.number));
        // Most servers list them in this order anyway; then sorting costs one pass.
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
        let key = |wanted: &Retrieve| key(maildrop, wanted.number, wanted.copy);
        let wanted = std::mem::take(&mut plan.retrieve).into_iter();
        let wanted = wanted.filter(|wanted| !except.contains(&key(wanted)));
        (plan.doubtful, plan.retrieve) = wanted.partition(|wanted| doubts.contains(&key(wanted)));
        let place = |wanted: &Retrieve| doubts.iter().position(|doubt| *doubt == key(wanted));
        plan.doubtful.sort_by_key(place);
        let all = plan.retrieve.len() + plan.doubtful.len();
        plan.over_limit = all.saturating_sub(wishes.limit);
        plan.retrieve.truncate(wishes.limit);
        plan.doubtful
            .truncate(wishes.limit.saturating_sub(plan.retrieve.len()));
        plan.delete.sort_unstable_by_key(|delete| delete.number);
        plan
    }

    /// Plans to fetch the messages that LIST names and UIDL does not, each alone.
    /// Until their octets are known, their numbers distinguish them.
    pub(crate) fn retrieve_nameless(
        &mut self,
        maildrop: &MaildropIndex,
        wishes: &Wishes,
        except: &BTreeSet<Key>,
    ) {
        for message in maildrop
            .iter()
            .filter(|message| message.unique_id.is_none())
        {
            let number = message.number;
            let copy = number.get();
            if except.contains(&key(maildrop, number, copy)) {
                continue;
            }
            self.nameless = self.nameless.saturating_sub(1);
            if message
                .octets
                .is_some_and(|octets| octets > wishes.max_octets)
            {
                self.too_large += 1;
            } else if self.retrieve.len() + self.doubtful.len() >= wishes.limit {
                self.over_limit += 1;
            } else {
                self.doubtful.push(Retrieve { number, copy });
            }
        }
    }
}

/// The unique-id of a message; empty if UIDL gave none.
pub(crate) fn unique_id(maildrop: &MaildropIndex, number: MessageNumber) -> &[u8] {
    let unique_id = maildrop.get(number).and_then(|message| message.unique_id);
    unique_id.map_or(&[], |unique_id| unique_id.as_bytes())
}

/// The key that a message has in the journal if it has a unique-id.
pub(crate) fn key(maildrop: &MaildropIndex, number: MessageNumber, copy: u32) -> Key {
    Key {
        unique_id: unique_id(maildrop, number).to_vec(),
        copy,
    }
}

/// The size of a message in LIST.
pub(crate) fn octets(maildrop: &MaildropIndex, number: MessageNumber) -> Option<u64> {
    maildrop.get(number)?.octets
}

struct Planner<'a> {
    maildrop: &'a MaildropIndex,
    wishes: &'a Wishes,
    plan: &'a mut Plan,
}

impl Planner<'_> {
    /// Handles a row whose message is not on the server.
    fn gone(&mut self, record: &Record<'_>) {
        if !record.missing {
            self.plan.missing.push(record.key());
        }
    }

    /// Handles the messages and rows of one unique-id.
    fn decide(&mut self, numbers: &[MessageNumber], rows: &mut [Record<'_>]) {
        // Rows that may have been deleted come first: if messages are gone, then
        // those.
        rows.sort_unstable_by_key(|row| {
            let place = match row.state {
                State::Deleted => 0,
                State::DeletionRequested => 1,
                _ => 2,
            };
            (place, row.copy)
        });
        let deleted = rows.iter().take_while(|row| !row.is_held()).count();
        let (deleted, held) = rows.split_at(deleted);

        if self.wishes.equal_unique_ids == EqualUniqueIds::Interchangeable {
            self.plan.interchangeable += numbers.len() - 1;
            match held.last() {
                Some(record) => {
                    self.found(numbers[0], record);
                    for &number in numbers {
                        self.keep_or_delete(number, record);
                    }
                    self.plan.held += 1;
                }
                None => {
                    let new = self.leave_undeleted(&numbers[..1], deleted);
                    self.retrieve(&new, held);
                }
            }
            return;
        }
        let surplus = held.len().saturating_sub(numbers.len());
        for record in &held[..surplus] {
            self.gone(record);
        }
        let there = &held[surplus..];
        let (old, new) = self.pair(numbers, there);
        self.plan.held += old.len();
        for (number, record) in old {
            self.found(number, record);
            if new.is_empty() {
                self.keep_or_delete(number, record);
            }
        }
        let new = self.leave_undeleted(&new, deleted);
        self.retrieve(&new, held);
    }

    /// Returns the new messages, without those that are listed although their
    /// deletion was confirmed.
    fn leave_undeleted(
        &mut self,
        numbers: &[MessageNumber],
        deleted: &[Record<'_>],
    ) -> Vec<MessageNumber> {
        let mut sizes: Vec<u64> = deleted.iter().filter_map(|row| row.octets).collect();
        let mut new = numbers.to_vec();
        new.retain(|&number| {
            let listed = octets(self.maildrop, number);
            let row = sizes.iter().position(|&size| listed == Some(size));
            row.is_none_or(|row| {
                sizes.swap_remove(row);
                self.plan.undeleted += 1;
                false
            })
        });
        new
    }

    /// Pairs rows with messages, and returns the messages that are new. Among
    /// messages with one unique-id, a row pairs with one of its size; otherwise the
    /// lowest numbers are the old messages, because mail arrives at the end. Only a
    /// message of the size in its row may be deleted.
    fn pair<'r, 'd>(
        &self,
        numbers: &[MessageNumber],
        rows: &'r [Record<'d>],
    ) -> (Vec<(MessageNumber, &'r Record<'d>)>, Vec<MessageNumber>) {
        let sized = |number| octets(self.maildrop, number);
        let may_be = |number, row: &Record<'_>| {
            row.state != State::DeletionRequested
                || row
                    .octets
                    .is_some_and(|known| sized(number).is_none_or(|octets| octets == known))
        };
        let pairs = || numbers.iter().copied().zip(rows);
        if numbers.len() == rows.len() && pairs().all(|(number, row)| may_be(number, row)) {
            return (pairs().collect(), Vec::new());
        }
        let mut by_size: BTreeMap<u64, VecDeque<MessageNumber>> = BTreeMap::new();
        for &number in numbers {
            if let Some(octets) = sized(number) {
                by_size.entry(octets).or_default().push_back(number);
            }
        }
        let mut old = BTreeMap::new();
        let mut others = Vec::new();
        for row in rows {
            let same = row.octets.and_then(|octets| by_size.get_mut(&octets));
            match same.and_then(VecDeque::pop_front) {
                Some(number) => _ = old.insert(number, row),
                None => others.push(row),
            }
        }
        let mut others = others.into_iter().peekable();
        let mut new = Vec::new();
        for &number in numbers {
            if old.contains_key(&number) {
                continue;
            }
            while others.next_if(|row| !may_be(number, row)).is_some() {}
            match others.next() {
                Some(row) => _ = old.insert(number, row),
                None => new.push(number),
            }
        }
        (old.into_iter().collect(), new)
    }

    /// Handles a row whose message is on the server.
    fn found(&mut self, number: MessageNumber, record: &Record<'_>) {
        if let (None, Some(octets)) = (record.octets, octets(self.maildrop, number)) {
            self.plan.sizes.push((record.key(), octets));
        }
        if record.missing {
            self.plan.found_again.push(record.key());
        }
    }

    fn keep_or_delete(&mut self, number: MessageNumber, record: &Record<'_>) {
        let Wishes {
            afterwards,
            delete_imported,
            now,
            ..
        } = self.wishes;
        let is_ours = record.origin == Origin::Fetched || *delete_imported;
        // A requested deletion is completed, whatever the wish is now.
        let is_requested = record.state == State::DeletionRequested;
        let is_due = is_ours && afterwards.deletes(record.changed, *now);
        if !is_requested && !is_due {
            return;
        }
        let is_same = match (octets(self.maildrop, number), record.octets) {
            (Some(listed), Some(known)) => listed == known,
            // Another message may have the unique-id since the request.
            (_, None) => !is_requested,
            (None, Some(_)) => true,
        };
        if !is_same {
            self.plan.changed += 1;
            return;
        }
        self.plan.delete.push(Delete {
            number,
            copy: record.copy,
        });
    }

    /// Plans to retrieve new messages of one unique-id. Each gets a copy number
    /// that no row has.
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

//! A compact index of a maildrop, from LIST and UIDL.

use super::Event;
use crate::{MessageNumber, UniqueId};

/// The messages of a maildrop: number, size, unique-id.
///
/// It is built from the [`Event`]s of LIST, of UIDL, or of both in either order. It
/// needs 24 octets per message plus its unique-id, and at most a quarter more while
/// it grows, so that 15 million messages fit where a `String` and a `Vec` for each
/// would not. The session's [`Limits`](super::Limits) bound the number of messages.
///
/// ```
/// use pop3_proto::client::{Event, MaildropIndex};
/// use pop3_proto::{FieldRule, MessageNumber, ScanListing, UniqueIdListing};
///
/// let mut index = MaildropIndex::new();
/// index.handle(&Event::Scan(ScanListing::parse(b"1 120", FieldRule::RFC1939)?));
/// index.handle(&Event::UniqueId(UniqueIdListing::parse(b"1 whqt", FieldRule::RFC1939)?));
///
/// let message = index.get(MessageNumber::FIRST).unwrap();
/// assert_eq!(message.octets, Some(120));
/// assert_eq!(message.unique_id.unwrap().as_str(), "whqt");
/// # Ok::<(), pop3_proto::ListingError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MaildropIndex {
    /// The rows, sorted by number.
    rows: Vec<Row>,
    /// Rows whose numbers came out of order; empty after [`Event::End`].
    late: Vec<Row>,
    /// The most likely place of the next number.
    cursor: usize,
    unique_ids: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// 0 if LIST did not list it, otherwise its octets plus one; no message has
    /// 2^64 - 1.
    octets_and_one: u64,
    number: MessageNumber,
    /// The place and length of its unique-id; 0 if UIDL did not list it.
    start: u32,
    length: u8,
}

/// A message of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedMessage<'a> {
    /// Which message.
    pub number: MessageNumber,
    /// Its octets, if LIST listed it.
    pub octets: Option<u64>,
    /// Its unique-id, if UIDL listed it. Another message may have the same one.
    pub unique_id: Option<UniqueId<'a>>,
}

impl MaildropIndex {
    /// An index without messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the information in an event. The last event about a message counts;
    /// events other than those of listings are ignored.
    ///
    /// Messages that come out of order can be found only after [`Event::End`].
    pub fn handle(&mut self, event: &Event<'_>) {
        match event {
            Event::Scan(listing) => {
                self.row(listing.number).octets_and_one = listing.octets.saturating_add(1);
            }
            Event::UniqueId(listing) => {
                let octets = listing.unique_id.as_bytes();
                // A listing of 2^32 octets exceeds all limits: then ignore the
                // unique-id.
                if let Ok(start) = u32::try_from(self.unique_ids.len()) {
                    grow(&mut self.unique_ids, octets.len());
                    self.unique_ids.extend_from_slice(octets);
                    let row = self.row(listing.number);
                    row.start = start;
                    row.length = octets.len() as u8;
                }
            }
            Event::End(_) => self.sort(),
            _ => {}
        }
    }

    /// The number of messages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no message.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the message with this number.
    #[must_use]
    pub fn get(&self, number: MessageNumber) -> Option<IndexedMessage<'_>> {
        // Without gaps, the number of a message is its place.
        let row = match self.rows.get(number.index()) {
            Some(row) if row.number == number => row,
            _ => {
                let at = self.rows.binary_search_by_key(&number, |row| row.number);
                &self.rows[at.ok()?]
            }
        };
        Some(self.message(row))
    }

    /// All messages, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = IndexedMessage<'_>> + Clone {
        self.rows.iter().map(|row| self.message(row))
    }

    fn message(&self, row: &Row) -> IndexedMessage<'_> {
        let start = row.start as usize;
        let unique_id = &self.unique_ids[start..start + usize::from(row.length)];
        IndexedMessage {
            number: row.number,
            octets: row.octets_and_one.checked_sub(1),
            unique_id: (row.length > 0).then(|| UniqueId::trusted(unique_id)),
        }
    }

    /// Returns the row of a message, which may be new.
    fn row(&mut self, number: MessageNumber) -> &mut Row {
        let row = Row {
            octets_and_one: 0,
            number,
            start: 0,
            length: 0,
        };
        let found = match self.rows.get(self.cursor) {
            Some(row) if row.number == number => Ok(self.cursor),
            None if self.rows.last().is_none_or(|last| last.number < number) => Err(self.cursor),
            _ => self.rows.binary_search_by_key(&number, |row| row.number),
        };
        let at = match found {
            Ok(at) => at,
            Err(at) if at == self.rows.len() => {
                grow(&mut self.rows, 1);
                self.rows.push(row);
                at
            }
            Err(_) => {
                let at = self.late.len();
                self.late.push(row);
                return &mut self.late[at];
            }
        };
        self.cursor = at + 1;
        &mut self.rows[at]
    }

    /// Sorts the rows that came out of order.
    fn sort(&mut self) {
        self.cursor = 0;
        if self.late.is_empty() {
            return;
        }
        self.rows.append(&mut self.late);
        self.late = Vec::new();
        // The sort is stable: of two rows of a message, the later one counts.
        self.rows.sort_by_key(|row| row.number);
        self.rows.dedup_by(|later, row| {
            let same = later.number == row.number;
            if same && later.octets_and_one > 0 {
                row.octets_and_one = later.octets_and_one;
            }
            if same && later.length > 0 {
                (row.start, row.length) = (later.start, later.length);
            }
            same
        });
    }
}

/// Reserves room for `more` elements, and at least a quarter of all: less than
/// `Vec` does.
fn grow<T>(vec: &mut Vec<T>, more: usize) {
    if vec.capacity() - vec.len() < more {
        vec.reserve_exact(more.max(vec.len() / 4).max(64));
    }
}

#[cfg(test)]
mod tests {
    use super::{MaildropIndex, grow};
    use crate::{MessageNumber, ScanListing, client::Event};

    #[test]
    fn finds_the_next_message_after_the_last_one() {
        let mut index = MaildropIndex::new();
        assert!(index.is_empty());
        for number in 1..=5 {
            let number = MessageNumber::new(number).unwrap();
            index.handle(&Event::Scan(ScanListing { number, octets: 1 }));
            assert_eq!(index.cursor, number.get() as usize);
        }
        assert!(!index.is_empty());
    }

    #[test]
    fn grows_by_a_quarter_and_only_when_full() {
        let mut octets = Vec::<u8>::with_capacity(1000);
        octets.resize(995, 0);
        grow(&mut octets, 5);
        assert_eq!(octets.capacity(), 1000);
        grow(&mut octets, 6);
        assert_eq!(octets.capacity(), 995 + 995 / 4);
        octets = Vec::new();
        grow(&mut octets, 1);
        assert_eq!(octets.capacity(), 64);
        grow(&mut octets, 65);
        assert_eq!(octets.capacity(), 65);
    }
}

//! What LIST and UIDL say of a maildrop, side by side and small.

use super::Event;
use crate::{MessageNumber, UniqueId};

/// The messages of a maildrop: number, size, unique-id.
///
/// Made of the [`Event`]s of LIST and of UIDL, in either order or of one alone.
/// 24 octets a message and its unique-id, a quarter more at most while it
/// grows: 15 million messages fit where a `String` and a `Vec` for each do not.
/// How many there can be is a matter of the session's [`Limits`](super::Limits).
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
    /// By number.
    rows: Vec<Row>,
    /// Those whose number came too late for its place; none after
    /// [`Event::End`].
    late: Vec<Row>,
    /// Where the next number most likely is.
    cursor: usize,
    unique_ids: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// 0 if LIST did not name it, or one more than its octets: none has 2^64 - 1.
    octets_and_one: u64,
    number: MessageNumber,
    /// Where the unique-id is, and its octets; 0 if UIDL did not name it.
    start: u32,
    length: u8,
}

/// A message of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedMessage<'a> {
    /// Which message.
    pub number: MessageNumber,
    /// Its octets, if LIST named it.
    pub octets: Option<u64>,
    /// Its unique-id, if UIDL named it. Another message may have the same.
    pub unique_id: Option<UniqueId<'a>>,
}

impl MaildropIndex {
    /// No messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it says of a message. The last word on it counts. Events that
    /// have nothing to do with listings change nothing.
    ///
    /// Messages that come out of order are found after [`Event::End`].
    pub fn handle(&mut self, event: &Event<'_>) {
        match event {
            Event::Scan(listing) => {
                self.row(listing.number).octets_and_one = listing.octets.saturating_add(1);
            }
            Event::UniqueId(listing) => {
                let octets = listing.unique_id.as_bytes();
                // A listing of 2^32 octets is beyond all limits: none is kept then.
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

    /// How many messages there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no message.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The message of that number.
    #[must_use]
    pub fn get(&self, number: MessageNumber) -> Option<IndexedMessage<'_>> {
        // Without gaps a message stands where its number says.
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

    /// The row of a message, old or new.
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

    /// Brings those that came too late to their places.
    fn sort(&mut self) {
        self.cursor = 0;
        if self.late.is_empty() {
            return;
        }
        self.rows.append(&mut self.late);
        self.late = Vec::new();
        // Stable: of two rows of a message the later one says more.
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

/// Makes room for so many more, and for a quarter of all at least: less to
/// spare than `Vec` leaves.
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
    fn the_next_message_is_looked_for_behind_the_last() {
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
    fn room_is_made_for_a_quarter_more_and_only_if_there_is_none() {
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

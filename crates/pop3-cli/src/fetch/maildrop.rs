//! What lies on the server: the answers to LIST and UIDL, joined.

use pop3_proto::MessageNumber;

/// The messages of a maildrop by number: size and unique-id. The unique-ids
/// stand in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Maildrop {
    ids: Vec<u8>,
    /// At the index of the message-number.
    messages: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    octets: Option<u64>,
    id_start: usize,
    /// 0: no unique-id.
    id_octets: u8,
}

impl Maildrop {
    /// A line of LIST.
    pub(crate) fn set_octets(&mut self, number: MessageNumber, octets: u64) {
        self.entry(number).octets = Some(octets);
    }

    /// A line of UIDL.
    pub(crate) fn set_unique_id(&mut self, number: MessageNumber, id: &[u8]) {
        let id_start = self.ids.len();
        self.ids.extend_from_slice(id);
        let entry = self.entry(number);
        entry.id_start = id_start;
        // At most `UniqueId::MAX`, which is 70.
        entry.id_octets = u8::try_from(id.len()).unwrap_or(u8::MAX);
    }

    fn entry(&mut self, number: MessageNumber) -> &mut Entry {
        let index = number.index();
        if index >= self.messages.len() {
            self.messages.resize(index + 1, Entry::default());
        }
        &mut self.messages[index]
    }

    /// The size that LIST gave.
    pub(crate) fn octets(&self, number: MessageNumber) -> Option<u64> {
        self.messages.get(number.index())?.octets
    }

    /// The unique-id; empty if UIDL gave none.
    pub(crate) fn unique_id(&self, number: MessageNumber) -> &[u8] {
        match self.messages.get(number.index()) {
            Some(entry) => &self.ids[entry.id_start..entry.id_start + usize::from(entry.id_octets)],
            None => &[],
        }
    }

    /// All message-numbers that LIST or UIDL has, from the lowest.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = MessageNumber> + '_ {
        let there = |(index, entry): (usize, &Entry)| match entry {
            Entry {
                octets: None,
                id_octets: 0,
                ..
            } => None,
            _ => MessageNumber::from_index(index),
        };
        self.messages.iter().enumerate().filter_map(there)
    }
}

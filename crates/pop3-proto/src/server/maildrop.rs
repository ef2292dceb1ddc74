//! What a session asks of a mail store, and which messages are marked.

use std::io;

use crate::{MessageNumber, UniqueId};

/// A maildrop that the driver has opened and locked for one session (RFC 1939
/// §4).
///
/// From then on its messages, their order and their sizes stay as they are
/// until the session ends. Dropping it without [`commit`](Self::commit) gives
/// the lock back and removes nothing: so ends every session but one that sends
/// QUIT in the TRANSACTION state (RFC 1939 §6).
///
/// The session calls these methods while it handles input or fills a transmit
/// buffer. Each should do a bounded amount of work; what takes long, locking
/// and listing a large maildrop, is the driver's to do before it answers
/// [`Verdict::Accept`](super::Verdict::Accept).
///
/// ```
/// use std::io;
///
/// use pop3_proto::{MessageNumber, UniqueId, server::Maildrop};
///
/// struct Mail {
///     unique_id: &'static str,
///     text: &'static str,
/// }
///
/// /// A maildrop in memory.
/// struct Memory<'a>(&'a mut Vec<Mail>);
///
/// impl Maildrop for Memory<'_> {
///     type Message = &'static [u8];
///     fn messages(&self) -> u32 {
///         self.0.len() as u32
///     }
///     fn octets(&self, number: MessageNumber) -> u64 {
///         self.0[number.index()].text.len() as u64
///     }
///     fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
///         UniqueId::new(self.0[number.index()].unique_id.as_bytes()).unwrap()
///     }
///     fn open(&mut self, number: MessageNumber) -> io::Result<&'static [u8]> {
///         Ok(self.0[number.index()].text.as_bytes())
///     }
///     fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
///         let deleted: Vec<usize> = deleted.map(MessageNumber::index).collect();
///         for index in deleted.into_iter().rev() {
///             self.0.remove(index);
///         }
///         Ok(())
///     }
/// }
///
/// let mut mails = vec![
///     Mail { unique_id: "a", text: "Subject: Hello\r\n\r\nHi\r\n" },
///     Mail { unique_id: "b", text: "Subject: Bye\r\n\r\nBye\r\n" },
/// ];
/// let mut maildrop = Memory(&mut mails);
/// assert_eq!(maildrop.octets(MessageNumber::FIRST), 22);
/// assert!(io::read_to_string(maildrop.open(MessageNumber::FIRST)?)?.ends_with("Hi\r\n"));
/// maildrop.commit(&mut std::iter::once(MessageNumber::FIRST))?;
/// assert_eq!(mails[0].unique_id, "b");
/// # Ok::<(), io::Error>(())
/// ```
pub trait Maildrop {
    /// An open message.
    ///
    /// Read in pieces of at most [`MESSAGE_PIECE`](super::MESSAGE_PIECE) octets, to
    /// its end. It need not have CRLF line ends: a bare CR or LF is sent as CRLF.
    /// An error, including [`io::ErrorKind::WouldBlock`], closes the session before
    /// the termination octet, so that the client sees a truncated message.
    type Message: io::Read;

    /// The number of messages, which are numbered from 1 (RFC 1939 §4, MS-STANOPOP3
    /// C0011). Called once.
    fn messages(&self) -> u32;

    /// The size of a message as it is sent: two octets for each line end (RFC 1939
    /// §11), including the CRLF that is added to a last line without one; without
    /// byte-stuffing and termination octet.
    ///
    /// `number` is at most [`messages`](Self::messages).
    fn octets(&self, number: MessageNumber) -> u64;

    /// The unique-id of a message (RFC 1939 §7): the same in every session, and
    /// never reused for another message.
    ///
    /// `number` is at most [`messages`](Self::messages).
    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_>;

    /// Whether a message cannot be sent to a client that has not asked for UTF8,
    /// because it has UTF-8 where ASCII is required and the maildrop makes no
    /// surrogate for it (RFC 6856 §2.1). Such a client gets `-ERR [UTF8]`.
    ///
    /// `number` is at most [`messages`](Self::messages). The default is false.
    fn needs_utf8(&self, number: MessageNumber) -> bool {
        let _ = number;
        false
    }

    /// Opens a message.
    ///
    /// `number` is at most [`messages`](Self::messages), and not that of a deleted
    /// message.
    ///
    /// # Errors
    ///
    /// Any; the client gets `-ERR [SYS/PERM]` for
    /// [`InvalidData`](io::ErrorKind::InvalidData), a damaged message, and `-ERR
    /// [SYS/TEMP]` for all others (RFC 3206 §4).
    fn open(&mut self, number: MessageNumber) -> io::Result<Self::Message>;

    /// Removes the messages marked as deleted (in ascending order of their numbers;
    /// there may be none), and releases the lock. Called once, in the UPDATE state
    /// (RFC 1939 §6).
    ///
    /// # Errors
    ///
    /// Any, if some of these messages are still there; the client gets `-ERR
    /// [SYS/TEMP]`. No other messages may be removed in any case.
    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()>
    where
        Self: Sized;
}

/// A maildrop in the TRANSACTION state, with the marks of DELE.
pub(super) struct Marked<M> {
    pub(super) maildrop: M,
    messages: u32,
    octets: u128,
    /// One bit per message, up to the highest one that was ever deleted.
    deleted: Vec<u64>,
    left: u32,
    octets_left: u128,
}

impl<M: Maildrop> Marked<M> {
    pub(super) fn new(maildrop: M) -> Self {
        let messages = maildrop.messages();
        // The sum of 2^32 sizes of 64 bits fits.
        let octets = (1..=messages)
            .filter_map(MessageNumber::new)
            .map(|number| u128::from(maildrop.octets(number)))
            .sum();
        Self {
            maildrop,
            messages,
            octets,
            deleted: Vec::new(),
            left: messages,
            octets_left: octets,
        }
    }

    /// Removes all marks.
    pub(super) fn reset(&mut self) {
        self.deleted = Vec::new();
        self.left = self.messages;
        self.octets_left = self.octets;
    }

    /// The number and octets of the messages that are not deleted.
    pub(super) const fn totals(&self) -> (u32, u128) {
        (self.left, self.octets_left)
    }

    /// Whether there is such a message that is not deleted.
    pub(super) fn holds(&self, number: MessageNumber) -> bool {
        number.get() <= self.messages && !self.is_deleted(number)
    }

    /// Marks a message for which [`holds`](Self::holds) is true.
    pub(super) fn delete(&mut self, number: MessageNumber) {
        let (word, bit) = place(number);
        if self.deleted.len() <= word {
            self.deleted.resize(word + 1, 0);
        }
        self.deleted[word] |= bit;
        self.left = self.left.saturating_sub(1);
        let octets = u128::from(self.maildrop.octets(number));
        self.octets_left = self.octets_left.saturating_sub(octets);
    }

    /// The first message at or after `number` that is not deleted.
    pub(super) fn next_held(&self, number: Option<MessageNumber>) -> Option<MessageNumber> {
        (number?.get()..=self.messages)
            .filter_map(MessageNumber::new)
            .find(|number| !self.is_deleted(*number))
    }

    pub(super) fn commit(self) -> io::Result<()> {
        let deleted = self.deleted;
        let mut numbers = (1..=self.messages)
            .filter_map(MessageNumber::new)
            .filter(|number| is_marked(&deleted, *number));
        self.maildrop.commit(&mut numbers)
    }

    fn is_deleted(&self, number: MessageNumber) -> bool {
        is_marked(&self.deleted, number)
    }
}

fn is_marked(deleted: &[u64], number: MessageNumber) -> bool {
    let (word, bit) = place(number);
    deleted.get(word).is_some_and(|word| word & bit != 0)
}

/// The word and the bit of a message's mark.
const fn place(number: MessageNumber) -> (usize, u64) {
    (number.index() / 64, 1 << (number.index() % 64))
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::MessageNumber;

    #[test]
    fn stores_marks_as_bits_in_the_order_of_the_messages() {
        for (number, word, bit) in [(1, 0, 0), (64, 0, 63), (65, 1, 0), (200, 3, 7)] {
            let number = MessageNumber::new(number).unwrap();
            assert_eq!(place(number), (word, 1 << bit));
        }
    }
}

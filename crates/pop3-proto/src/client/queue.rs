//! The queue of commands: waiting, sent, and not yet answered.
//!
//! A reply without its terminator swallows the next one, and each later reply is
//! taken for the reply to an earlier command. Then one command is never answered.
//! So DELE waits until all earlier commands except other DELEs are answered: only
//! then are their replies known to be right. And QUIT, which makes the server
//! delete, waits for the replies to DELE.

use core::fmt;
use std::collections::VecDeque;

use super::Request;

/// Octets to send, overwritten with zeros after they are sent, moved or dropped,
/// because they may contain passwords.
#[derive(Default)]
pub(super) struct Outgoing {
    octets: Vec<u8>,
    /// The number of octets at the front that are sent and erased.
    sent: usize,
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        self.octets.len() - self.sent
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.octets[self.sent..]
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.octets.capacity() - self.octets.len() < octets.len() {
            // Vec would free the old octets without erasing them.
            let mut grown = Vec::with_capacity(2 * (self.len() + octets.len()));
            grown.extend_from_slice(self.as_slice());
            wipe(&mut self.octets);
            self.octets = grown;
            self.sent = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn advance(&mut self, octets: usize) {
        let end = self.octets.len().min(self.sent + octets);
        wipe(&mut self.octets[self.sent..end]);
        self.sent = end;
        if self.sent == self.octets.len() {
            self.octets.clear();
            self.sent = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.advance(self.len());
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        wipe(&mut self.octets);
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} octets)", self.len())
    }
}

/// Overwrites octets with zeros, in a way that the compiler does not remove.
pub(super) fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    core::hint::black_box(octets);
}

#[derive(Debug)]
struct Entry {
    request: Request,
    octets: usize,
    /// The octets not yet sent.
    unsent: usize,
}

/// The commands in order: first those that are sent or may be sent, then those that
/// wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    outgoing: Outgoing,
    entries: VecDeque<Entry>,
    /// The number of entries that may be sent.
    released: usize,
    /// The octets of these entries.
    released_octets: usize,
    /// The number of these octets that are not yet sent.
    ready_octets: usize,
    /// The number of DELEs among the entries that may be sent.
    released_deles: usize,
}

impl Queue {
    pub(super) fn push(&mut self, request: Request, octets: &[u8]) {
        self.outgoing.push(octets);
        self.entries.push_back(Entry {
            request,
            octets: octets.len(),
            unsent: octets.len(),
        });
    }

    /// The number of octets not yet sent.
    pub(super) fn octets(&self) -> usize {
        self.outgoing.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = Request> {
        self.entries.iter().map(|entry| entry.request)
    }

    /// Releases the commands that may be sent now: the first one, and with a window
    /// those after it that fit. A command that may change the state is the last,
    /// because nothing is queued after it.
    pub(super) fn release(&mut self, window: Option<usize>) {
        while let Some(entry) = self.entries.get(self.released) {
            let fits = window.is_some_and(|window| {
                self.may_follow(entry.request) && self.released_octets + entry.octets <= window
            });
            if self.released > 0 && !fits {
                break;
            }
            self.released += 1;
            self.released_octets += entry.octets;
            self.ready_octets += entry.octets;
            self.released_deles += usize::from(entry.request.is_dele());
        }
    }

    /// Whether a request may be sent while replies to released commands are
    /// outstanding.
    fn may_follow(&self, request: Request) -> bool {
        match request {
            Request::Dele(_) => self.released == self.released_deles,
            Request::Quit => self.released_deles == 0,
            request => !request.changes_state(),
        }
    }

    pub(super) fn transmit(&self) -> Option<&[u8]> {
        let ready = &self.outgoing.as_slice()[..self.ready_octets];
        (!ready.is_empty()).then_some(ready)
    }

    pub(super) fn transmitted(&mut self, octets: usize) {
        let octets = octets.min(self.ready_octets);
        self.outgoing.advance(octets);
        self.ready_octets -= octets;
        let mut left = octets;
        for entry in self.entries.iter_mut().take(self.released) {
            let sent = entry.unsent.min(left);
            entry.unsent -= sent;
            left -= sent;
        }
    }

    /// The request that the next reply answers: the first command, if it is sent
    /// completely.
    pub(super) fn expected(&self) -> Option<Request> {
        let first = self.entries.front()?;
        (first.unsent == 0).then_some(first.request)
    }

    /// Removes the first command, whose reply is complete.
    pub(super) fn answered(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.released -= 1;
            self.released_octets -= entry.octets;
            self.released_deles -= usize::from(entry.request.is_dele());
        }
    }

    pub(super) fn clear(&mut self) {
        self.outgoing.clear();
        self.entries.clear();
        (self.released, self.released_deles) = (0, 0);
        (self.released_octets, self.ready_octets) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Outgoing, Queue, Request};

    #[test]
    fn overwrites_sent_octets() {
        let mut outgoing = Outgoing::default();
        outgoing.push(b"PASS tanstaaf\r\n");
        outgoing.advance(8);
        assert_eq!(&outgoing.octets[..8], &[0; 8]);
        assert_eq!(outgoing.as_slice(), b"staaf\r\n");
        // Also if the buffer has to grow.
        outgoing.push(&[b'x'; 1000]);
        assert_eq!(outgoing.len(), 1007);
        assert_eq!(&outgoing.as_slice()[..8], b"staaf\r\nx");
        outgoing.advance(2000);
        assert_eq!((outgoing.len(), outgoing.octets.len()), (0, 0));
        outgoing.push(b"PASS");
        outgoing.clear();
        assert_eq!((outgoing.len(), outgoing.octets.len()), (0, 0));
    }

    #[test]
    fn grows_when_full_and_erases_the_old_buffer() {
        let mut outgoing = Outgoing::default();
        outgoing.push(&[b'x'; 10]);
        let (capacity, place) = (outgoing.octets.capacity(), outgoing.octets.as_ptr());
        assert_eq!(capacity, 20);
        outgoing.push(&[b'x'; 10]);
        assert_eq!(
            (outgoing.octets.capacity(), outgoing.octets.as_ptr()),
            (20, place)
        );
        // Vec itself would double to 40, and free the old octets without erasing
        // them.
        outgoing.push(&[b'x'; 1]);
        assert_eq!(outgoing.octets.capacity(), 42);
        assert_eq!(format!("{outgoing:?}"), "Outgoing(21 octets)");
    }

    #[test]
    fn expects_a_reply_only_to_a_completely_sent_command() {
        let mut queue = Queue::default();
        queue.push(Request::Noop, b"NOOP\r\n");
        queue.push(Request::Stat, b"STAT\r\n");
        assert_eq!(queue.expected(), None);
        queue.release(Some(100));
        queue.transmitted(5);
        assert_eq!(queue.expected(), None);
        queue.transmitted(4);
        assert_eq!(queue.expected(), Some(Request::Noop));
        queue.answered();
        assert_eq!(queue.expected(), None);
        assert_eq!(queue.transmit(), Some(&b"T\r\n"[..]));
        queue.transmitted(3);
        assert_eq!(
            (queue.expected(), queue.transmit()),
            (Some(Request::Stat), None)
        );
    }
}

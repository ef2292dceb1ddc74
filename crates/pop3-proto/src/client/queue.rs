//! Commands on their way: waiting, sent, not answered yet.
//!
//! A reply whose terminator is missing swallows the next one, and every reply
//! behind it is taken for that to the command before its own. Then one command
//! is never answered. So DELE waits until all before it are answered but for
//! other DELEs: what it rests on was said by a server that owes nothing. And
//! QUIT, which carries the deletions out, waits for the replies to them.

use core::fmt;
use std::collections::VecDeque;

use super::Request;

/// Octets to send, overwritten with zeros once they are sent, moved or dropped:
/// there may be passwords among them.
#[derive(Default)]
pub(super) struct Outgoing {
    octets: Vec<u8>,
    /// Octets at the front that are sent, and zero.
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
            // Not left to Vec, which would free the old octets as they are.
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

/// Zeros, in a way that the compiler has no reason to leave out.
pub(super) fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    core::hint::black_box(octets);
}

#[derive(Debug)]
struct Entry {
    request: Request,
    octets: usize,
    /// Octets not sent yet.
    unsent: usize,
}

/// The commands in their order: first those that may be sent, or are, then
/// those that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    outgoing: Outgoing,
    entries: VecDeque<Entry>,
    /// How many of the entries may be sent.
    released: usize,
    /// Their octets.
    released_octets: usize,
    /// How many of those are not sent yet.
    ready_octets: usize,
    /// How many of the entries that may be sent are DELE.
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

    /// Octets not sent yet.
    pub(super) fn octets(&self) -> usize {
        self.outgoing.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = Request> {
        self.entries.iter().map(|entry| entry.request)
    }

    /// Lets go of what may be sent now: the first command, and with a window
    /// those after it that fit. What may change the state is the last: nothing
    /// is queued behind it.
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

    /// Whether a request may be sent while the replies to those released are
    /// due.
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

    /// What the next reply answers: the first command, if all of it is sent.
    pub(super) fn expected(&self) -> Option<Request> {
        let first = self.entries.front()?;
        (first.unsent == 0).then_some(first.request)
    }

    /// The first command has its whole reply.
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
    fn what_is_sent_is_overwritten() {
        let mut outgoing = Outgoing::default();
        outgoing.push(b"PASS tanstaaf\r\n");
        outgoing.advance(8);
        assert_eq!(&outgoing.octets[..8], &[0; 8]);
        assert_eq!(outgoing.as_slice(), b"staaf\r\n");
        // Also where more comes than there is room for.
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
    fn it_grows_when_it_must_and_wipes_what_it_leaves() {
        let mut outgoing = Outgoing::default();
        outgoing.push(&[b'x'; 10]);
        let (capacity, place) = (outgoing.octets.capacity(), outgoing.octets.as_ptr());
        assert_eq!(capacity, 20);
        outgoing.push(&[b'x'; 10]);
        assert_eq!(
            (outgoing.octets.capacity(), outgoing.octets.as_ptr()),
            (20, place)
        );
        // Vec itself would double to 40, and free what it copied as it was.
        outgoing.push(&[b'x'; 1]);
        assert_eq!(outgoing.octets.capacity(), 42);
        assert_eq!(format!("{outgoing:?}"), "Outgoing(21 octets)");
    }

    #[test]
    fn a_reply_is_expected_to_what_is_sent_whole() {
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

//! A maildrop that counts the operations of a session, for the log.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use pop3_proto::{MessageNumber, UniqueId, server::Maildrop};

/// The operations on a maildrop.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The number of messages opened by RETR and TOP.
    pub(super) opened: AtomicU64,
    pub(super) deleted: AtomicU64,
}

impl Counts {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) struct Counted<M> {
    pub(super) maildrop: M,
    pub(super) counts: Arc<Counts>,
}

impl<M: Maildrop> Maildrop for Counted<M> {
    type Message = M::Message;

    fn messages(&self) -> u32 {
        self.maildrop.messages()
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        self.maildrop.octets(number)
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        self.maildrop.unique_id(number)
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Self::Message> {
        let opened = self.maildrop.open(number);
        match &opened {
            Ok(_) => Counts::add(&self.counts.opened),
            Err(error) => tracing::warn!(message = %number, %error, "cannot open a message"),
        }
        opened
    }

    fn commit(self, deleted: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        let mut counted = 0;
        let done = self.maildrop.commit(&mut deleted.inspect(|_| counted += 1));
        match &done {
            Ok(()) => self.counts.deleted.store(counted, Ordering::Relaxed),
            Err(error) => {
                tracing::error!(messages = counted, %error, "cannot remove every deleted message");
            }
        }
        done
    }
}

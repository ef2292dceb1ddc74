//! Deletes messages with DELE.

use pop3_proto::{
    MessageNumber,
    client::{DeleteProof, Event, Request, Session},
};

use super::{Error, Refusal, driver::Call, refusal::Words};

/// The result of a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// The number of messages marked as deleted. The server removes them after
    /// QUIT.
    pub marked: u64,
    /// The messages that the server refused to mark.
    pub refused: Vec<MessageNumber>,
    /// The first refusal.
    pub first_refusal: Option<Refusal>,
}

pub(super) struct Delete<I> {
    proofs: I,
    outstanding: usize,
    most: usize,
    deletion: Deletion,
}

impl<I: Iterator> Delete<core::iter::Fuse<I>> {
    pub(super) fn new(proofs: I, most: usize) -> Self {
        Self {
            proofs: proofs.fuse(),
            outstanding: 0,
            most,
            deletion: Deletion::default(),
        }
    }
}

impl<I: Iterator<Item: Into<DeleteProof>>> Call for Delete<I> {
    type Output = Deletion;
    type Error = Error;

    fn next(
        &mut self,
        session: &mut Session,
        now: std::time::Instant,
    ) -> Result<Option<Deletion>, Error> {
        if self.outstanding <= self.most / 2 {
            while self.outstanding < self.most
                && let Some(proof) = self.proofs.next()
            {
                session.enqueue_dele(now, proof)?;
                self.outstanding += 1;
            }
        }
        Ok((self.outstanding == 0).then(|| core::mem::take(&mut self.deletion)))
    }

    fn event(&mut self, event: Event<'_>, words: Words<'_>) -> Result<Option<Deletion>, Error> {
        if let Event::Status(reply) = event
            && let Request::Dele(number) = reply.request
        {
            self.outstanding -= 1;
            if reply.is_positive() {
                self.deletion.marked += 1;
            } else {
                self.deletion.refused.push(number);
                let refusal = || Refusal::of(&reply, words);
                self.deletion.first_refusal.get_or_insert_with(refusal);
            }
        }
        Ok(None)
    }
}

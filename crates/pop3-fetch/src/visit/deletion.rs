//! The DELE commands of a visit, after its messages are delivered.

use std::{collections::BTreeMap, time::Instant};

use pop3_proto::{
    MessageNumber,
    client::{DeleteProof, Delivered, Reply, Session},
};

use super::{Decisions, Phase, Visit, are, plan::key, refuse};
use crate::{Failure, Intake, Key, journal::State};

/// The state of the DELE commands.
#[derive(Default)]
pub(super) struct Deletion {
    /// The messages still to be deleted, the next one last.
    to_mark: Vec<(MessageNumber, DeleteProof)>,
    /// The copy of each message, and its key if that is not the unique-id.
    keys: BTreeMap<MessageNumber, (u32, Option<Box<Key>>)>,
    outstanding: usize,
    /// The messages whose DELE was accepted.
    pub(super) marked: Vec<Key>,
    refused: usize,
    first_refusal: String,
}

impl<I: Intake, D: Decisions> Visit<'_, I, D> {
    pub(super) fn delete(&mut self, session: &mut Session, now: Instant) -> Result<(), Failure> {
        if self.phase != Phase::Delete {
            self.phase = Phase::Delete;
            self.order_deletions();
        }
        let Deletion {
            to_mark,
            outstanding,
            ..
        } = &mut self.deletion;
        let window = match self.retrieval.as_ref().is_some_and(|r| !r.is_pipelined()) {
            true => 1,
            false => self.way.window,
        };
        if *outstanding <= window / 2 {
            while *outstanding < window
                && let Some((_, proof)) = to_mark.pop()
            {
                session.enqueue_dele(now, proof).map_err(refuse)?;
                *outstanding += 1;
            }
        }
        match *outstanding {
            0 => self.request_deletion(session, now),
            _ => Ok(()),
        }
    }

    fn order_deletions(&mut self) {
        let mut proofs: BTreeMap<MessageNumber, DeleteProof> = BTreeMap::new();
        let Deletion { to_mark, keys, .. } = &mut self.deletion;
        for delete in &self.plan.delete {
            let proof = Delivered::in_an_earlier_session(delete.number);
            proofs.insert(delete.number, proof.into());
            keys.insert(delete.number, (delete.copy, None));
        }
        if self.plan.delete_retrieved
            && let Some(retrieval) = &self.retrieval
        {
            for kept in &retrieval.outcome.proofs {
                let number = kept.retrieved.number();
                proofs.insert(number, kept.retrieved.into());
                keys.insert(number, (kept.wanted.copy, kept.digest.clone()));
            }
        }
        let mut numbers: Vec<MessageNumber> = proofs.keys().copied().collect();
        self.decisions.order_deletions(&mut numbers);
        let next_last = numbers.into_iter().rev();
        to_mark.extend(next_last.filter_map(|number| Some((number, *proofs.get(&number)?))));
    }

    /// Records the deletions that the server accepted, and quits.
    fn request_deletion(&mut self, session: &mut Session, now: Instant) -> Result<(), Failure> {
        let Deletion {
            marked,
            refused,
            first_refusal,
            ..
        } = &self.deletion;
        if *refused > 0 {
            self.report.warn(&format!(
                "{} not deleted, because the server refuses DELE: {first_refusal}",
                are(*refused)
            ));
        }
        let state = match self.decisions.trusts_dele() {
            true => State::Deleted,
            false => State::DeletionRequested,
        };
        if let (Some(journal), false) = (&mut self.journal, marked.is_empty()) {
            journal.advance(marked, state, self.orders.wishes.now)?;
        }
        self.quit(session, now)
    }

    pub(super) fn marked(&mut self, number: MessageNumber, reply: &Reply<'_>) {
        let deletion = &mut self.deletion;
        deletion.outstanding = deletion.outstanding.saturating_sub(1);
        if !reply.is_positive() {
            if deletion.refused == 0 {
                deletion.first_refusal = self.report.shown(reply.status.text());
            }
            deletion.refused += 1;
        } else if let Some((copy, digest)) = deletion.keys.remove(&number) {
            let own = || key(&self.maildrop, number, copy);
            let key = digest.map_or_else(own, |digest| *digest);
            deletion.marked.push(key);
        }
    }
}

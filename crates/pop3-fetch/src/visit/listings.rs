//! From the listings of a visit to its plan, and from the plan to the commands.

use std::{collections::BTreeSet, time::Instant};

use pop3_proto::{Command, Counted, client::Session};

use super::{
    Decisions, Phase, Visit, Wishes, are, enqueue,
    plan::{self, MISSING_KEPT, Plan},
    retrieval::Retrieval,
};
use crate::{Failure, Intake, Journal, Kind, Records, Seen, Spelling, Total};

impl<I: Intake, D: Decisions> Visit<'_, I, D> {
    /// Handles the end of UIDL.
    pub(super) fn unique_ids_listed(
        &mut self,
        session: &mut Session,
        now: Instant,
    ) -> Result<(), Failure> {
        if let Some(reading) = self.reading.take() {
            let (mut journal, records) = reading()?;
            self.records = match records.any_dashed() {
                true => self.respelled(&mut journal)?,
                false => records,
            };
            self.journal = Some(journal);
        }
        self.make_plan()?;
        let Plan {
            retrieve,
            doubtful,
            delete,
            ..
        } = &self.plan;
        // Sizes matter only for messages to fetch or delete, unless UIDL may have
        // left out messages.
        let is_idle = retrieve.is_empty() && doubtful.is_empty() && delete.is_empty();
        let named = match self.orders.without_unique_id {
            true => self.maildrop.len(),
            false => self.maildrop.len() + self.malformed,
        };
        let all = self.total.as_ref().and_then(Total::messages);
        if is_idle && all.is_some_and(|all| all as usize <= named) {
            return self.follow_plan(session, now);
        }
        self.phase = Phase::Sizes;
        enqueue(session, now, &Command::List(None))
    }

    pub(super) fn make_plan(&mut self) -> Result<(), Failure> {
        let doubts = match &self.journal {
            Some(journal) => journal.doubts()?,
            None => Vec::new(),
        };
        self.plan = Plan::new(
            &self.maildrop,
            &self.records,
            &self.orders.wishes,
            (&doubts, &self.except),
        );
        // LIST may name them, malformed lines may stand for them, or only STAT may
        // count them; mostly these are the same messages.
        let all = self.total.as_ref().and_then(Total::messages).unwrap_or(0) as usize;
        let named = self.maildrop.len() - self.plan.nameless;
        let nameless = self.plan.nameless.max(self.malformed);
        self.plan.nameless = nameless.max(all.saturating_sub(named));
        if self.orders.without_unique_id && self.phase == Phase::Sizes {
            let wishes = &self.orders.wishes;
            self.plan
                .retrieve_nameless(&self.maildrop, wishes, &self.except);
        }
        Ok(())
    }

    /// Acts on the plan once all listings have arrived.
    pub(super) fn follow_plan(
        &mut self,
        session: &mut Session,
        now: Instant,
    ) -> Result<(), Failure> {
        self.summary.plan(&self.plan);
        if self.orders.dry_run {
            self.report.plan(&self.plan);
            self.phase = Phase::Done;
            return Ok(());
        }
        let Some(mut journal) = self.journal.take() else {
            return Err(Failure::new(Kind::Io, "the journal is not open"));
        };
        note_what_changed(
            &mut journal,
            &self.plan,
            &self.records,
            self.orders.wishes.now,
        )?;
        let known = match self.orders.without_unique_id {
            true => self.records.nameless(),
            false => BTreeSet::new(),
        };
        self.records = Records::default();
        if self.plan.changed > 0 {
            self.report.warn(&format!(
                "{} not deleted, because the size has changed since a message with that unique-id \
                 was fetched. A server that reuses unique-ids may hide new mail this way",
                are(self.plan.changed)
            ));
        }
        if self.plan.undeleted > 0 {
            self.report.warn(&format!(
                "{} listed again although the server confirmed the deletion, and will be neither \
                 fetched again nor deleted. Delete them by webmail or IMAP",
                are(self.plan.undeleted)
            ));
        }
        if self.orders.catch_up {
            self.summary.caught_up = self.catch_up(&mut journal)?;
            self.journal = Some(journal);
            return self.quit(session, now);
        }
        let Wishes {
            max_octets,
            now: time,
            ..
        } = self.orders.wishes;
        if journal.warns_of_large(self.plan.too_large, time)? {
            self.report.warn(&format!(
                "{} left on the server, larger than --max-size ({}); a larger --max-size fetches \
                 them. This warning is repeated weekly",
                are(self.plan.too_large),
                Counted(max_octets, "octet")
            ));
        }
        // Messages in doubt may end the session, so the others come first.
        let is_busy = !(self.plan.retrieve.is_empty() && self.plan.delete.is_empty());
        if is_busy && !self.way.tries_doubts {
            self.ended.left = std::mem::take(&mut self.plan.doubtful).len();
        }
        let Plan {
            retrieve, doubtful, ..
        } = &self.plan;
        let (Some(total), Some(opening)) = (self.total.clone(), self.opening.take()) else {
            self.journal = Some(journal);
            return self.delete(session, now);
        };
        if retrieve.is_empty() && doubtful.is_empty() {
            self.journal = Some(journal);
            return self.delete(session, now);
        }
        let all = retrieve.iter().chain(doubtful);
        let octets = all.filter_map(|wanted| plan::octets(&self.maildrop, wanted.number));
        self.report.begins(octets.sum());
        let learned = journal.learned(self.orders.wishes.now)?;
        self.retrieval = Some(Retrieval::new(
            retrieve,
            doubtful,
            (
                self.way.window,
                self.orders.any_size,
                self.plan.delete_retrieved,
            ),
            known,
            total,
            learned,
            now,
        ));
        self.intake = Some(opening(journal)?);
        self.phase = Phase::Retrieve;
        self.retrieve(session, now)
    }

    /// Corrects unique-ids in the journal, and reads it again.
    fn respelled(&self, journal: &mut Journal) -> Result<Records, Failure> {
        let listed = self.maildrop.iter().filter_map(|message| message.unique_id);
        let listed = listed.map(|unique_id| unique_id.as_bytes());
        journal.respell(&listed.collect())?;
        journal.records()
    }

    /// Records the new messages as seen. Returns their number.
    fn catch_up(&self, journal: &mut Journal) -> Result<usize, Failure> {
        let new = self.plan.retrieve.iter().chain(&self.plan.doubtful);
        let seen: Vec<Seen> = new
            .map(|message| Seen {
                key: plan::key(&self.maildrop, message.number, message.copy),
                octets: plan::octets(&self.maildrop, message.number),
                since: self.orders.wishes.now,
            })
            .collect();
        journal.see(&seen, Spelling::Exact)
    }
}

/// Records in the journal what the listings show.
fn note_what_changed(
    journal: &mut Journal,
    plan: &Plan,
    records: &Records,
    now: i64,
) -> Result<(), Failure> {
    journal.size(&plan.sizes)?;
    journal.miss(&plan.missing, now)?;
    journal.find_again(&plan.found_again)?;
    if records.any_missing() {
        journal.expire(now - MISSING_KEPT)?;
    }
    Ok(())
}

//! One account, once: index, plan, retrieve, deliver, delete, quit.

use std::{collections::HashSet, thread};

use indicatif::MultiProgress;
use pop3_proto::{
    MessageNumber,
    client::{DeleteProof, Delivered, MaildropIndex, Retrieved},
};
use pop3_tokio::client::{Client, Credentials, Error, Refusal, RetrieveError};

use super::{
    clock,
    group::{Group, finish_leftovers},
    job::Job,
    journal::{Journal, Key, State},
    parcel::{Misfit, Outgoing, Sent, Unsent, Wanted},
    plan::{self, MISSING_KEPT, Plan, Retrieve},
    records::Records,
    report::{Report, Summary},
};
use crate::{
    exit::{Exit, Failure},
    remote::Remote,
};

pub(crate) async fn sync(
    job: &Job,
    credentials: &Credentials,
    bars: &MultiProgress,
) -> Result<(), Failure> {
    let report = Report::new(job);
    let mut remote = job.remote.clone();
    let mut earlier = Summary::default();
    loop {
        let run = Run {
            job,
            remote: &remote,
            report: &report,
            bars,
            earlier,
        };
        match run.whole(credentials).await? {
            Ended::Done => return Ok(()),
            Ended::Misfit(misfit, summary) => {
                report.warn(format_args!(
                    "{misfit}; it is fetched again, without pipelining"
                ));
                remote.settings.pipelining = false;
                earlier = summary;
            }
        }
    }
}

enum Ended {
    Done,
    /// Whether a reply was swallowed has to be found out by asking one by one.
    Misfit(Misfit, Summary),
}

/// One session.
struct Run<'a> {
    job: &'a Job,
    remote: &'a Remote,
    report: &'a Report,
    bars: &'a MultiProgress,
    /// What sessions before it have done.
    earlier: Summary,
}

impl Run<'_> {
    async fn whole(&self, credentials: &Credentials) -> Result<Ended, Failure> {
        let &Self {
            job,
            remote,
            report,
            ..
        } = self;
        let mut journal = Journal::open(&job.journal, &remote.account())?;
        if !job.dry_run {
            finish_leftovers(&mut journal)?;
        }
        // While the server is asked, the journal is read.
        let reading = thread::spawn(move || {
            let records = journal.records();
            (journal, records)
        });
        let mut client = remote.log_in(credentials).await?;
        let mut maildrop = MaildropIndex::new();
        let nameless = list_unique_ids(remote, &mut client, &mut maildrop).await?;
        let (mut journal, records) = reading
            .join()
            .map_err(|_| Failure::new(Exit::Io, "the journal's thread ended without a word"))?;
        let records = records?;

        let mut plan = Plan::new(&maildrop, &records, &job.wishes);
        if !(plan.retrieve.is_empty() && plan.delete.is_empty() && plan.over_limit == 0) {
            // Sizes matter only to what is fetched or deleted.
            list_sizes(remote, &mut client, &mut maildrop, report).await?;
            plan = Plan::new(&maildrop, &records, &job.wishes);
        }
        let ended = match nameless {
            0 => Ok(Ended::Done),
            lines => Err(nobody_knows(remote, lines)),
        };
        if job.dry_run {
            report.plan(&plan);
            // Whether the server likes QUIT changes nothing.
            let _ = client.quit().await;
            return ended;
        }
        note_what_changed(&mut journal, &plan, &records)?;
        if plan.changed > 0 {
            report.warn(format_args!(
                "{} messages have the unique-ids of messages fetched before and other sizes: they \
                 are not deleted. A server that reuses unique-ids may hide new mail this way",
                plan.changed
            ));
        }
        drop(records);

        let mut summary = Summary::of(remote.account(), &plan);
        summary.delivered = self.earlier.delivered;
        summary.octets = self.earlier.octets;
        let retrieved = self.retrieve(&mut client, journal, &maildrop, &plan, &mut summary);
        let (mut journal, proofs, stopped) = match retrieved.await {
            Ok(retrieved) => retrieved,
            Err(failure) => {
                report.summary(&summary);
                return Err(failure);
            }
        };
        let refused = match stopped {
            None => None,
            Some(Stopped::Refused(failure)) => Some(failure),
            Some(Stopped::Misfit(misfit)) => return Ok(Ended::Misfit(misfit, summary)),
            Some(Stopped::Lost(failure)) => {
                report.summary(&summary);
                return Err(failure);
            }
        };
        let deleted = delete_and_quit(
            remote,
            client,
            &mut journal,
            &maildrop,
            &plan,
            proofs,
            report,
        )
        .await;
        summary.deleted = *deleted.as_ref().unwrap_or(&0);
        report.summary(&summary);
        deleted?;
        refused.map_or(ended, Err)
    }

    /// Fetches what is new. Gives the proofs for what is to be deleted, and why
    /// not all came.
    async fn retrieve(
        &self,
        client: &mut Client,
        journal: Journal,
        maildrop: &MaildropIndex,
        plan: &Plan,
        summary: &mut Summary,
    ) -> Result<(Journal, Vec<(Retrieve, Retrieved)>, Option<Stopped>), Failure> {
        let &Self {
            job,
            remote,
            report,
            bars,
            ..
        } = self;
        if plan.retrieve.is_empty() {
            return Ok((journal, Vec::new(), None));
        }
        let on_delivered = {
            let report = report.clone();
            move |key: &Key, octets| report.message(key, octets)
        };
        let group = Group::open(journal, &job.to, job.form, on_delivered)?;
        let numbers = || plan.retrieve.iter().map(|wanted| wanted.number);
        let total = numbers()
            .filter_map(|number| plan::octets(maildrop, number))
            .sum();
        let bar = report.bar(bars, total);
        let wanted = Wanted {
            messages: plan.retrieve.iter(),
            maildrop,
            for_deletion: plan.delete_retrieved,
            pipelining: client.is_pipelining(),
        };
        let mut outgoing = Outgoing::new(group, wanted, job.line_ends, bar.clone())?;
        let retrieved = client.retrieve(numbers(), &mut outgoing).await;
        let Sent {
            committed,
            proofs,
            refused,
        } = outgoing.finish();
        bar.finish_and_clear();
        summary.delivered += committed.messages;
        summary.octets += bar.position();
        summary.refused = refused.len();
        let journal = committed.journal?;
        let stopped = match (retrieved, refused.first()) {
            (Err(RetrieveError::Client(error)), _) => Some(Stopped::Lost(remote.failure(&error))),
            (Err(RetrieveError::Sink(Unsent::Misfit(misfit))), _) => Some(Stopped::Misfit(misfit)),
            (_, Some((number, refusal))) => {
                Some(Stopped::Refused(not_given(remote, *number, refusal)))
            }
            _ => None,
        };
        Ok((journal, proofs, stopped))
    }
}

/// Why a retrieval did not bring all.
enum Stopped {
    /// The server refused a message; the others came.
    Refused(Failure),
    /// The connection is of no use any more.
    Lost(Failure),
    /// Nor is it here.
    Misfit(Misfit),
}

/// Gives how many lines of the listing name no message.
async fn list_unique_ids(
    remote: &Remote,
    client: &mut Client,
    maildrop: &mut MaildropIndex,
) -> Result<u64, Failure> {
    let listed = client
        .index_unique_ids(maildrop)
        .await
        .map_err(|error| match error {
            Error::Refused(refusal) => Failure::new(
                Exit::Unavailable,
                format_args!(
                    "{}: {refusal}; without unique-ids nobody can tell which messages are new",
                    remote.account()
                ),
            ),
            error => remote.failure(&error),
        })?;
    Ok(listed.malformed)
}

/// Whether those messages are new.
fn nobody_knows(remote: &Remote, lines: u64) -> Failure {
    Failure::new(
        Exit::Protocol,
        format_args!(
            "{}: {lines} lines of the unique-id listing are malformed: their messages stay on \
             the server; all others were fetched",
            remote.account()
        ),
    )
}

async fn list_sizes(
    remote: &Remote,
    client: &mut Client,
    maildrop: &mut MaildropIndex,
    report: &Report,
) -> Result<(), Failure> {
    let listed = client
        .index_sizes(maildrop)
        .await
        .map_err(|error| remote.failure(&error))?;
    if listed.malformed > 0 {
        report.warn(format_args!(
            "{} lines of the scan listing are malformed",
            listed.malformed
        ));
    }
    Ok(())
}

/// What the listings alone tell the journal.
fn note_what_changed(journal: &mut Journal, plan: &Plan, records: &Records) -> Result<(), Failure> {
    let now = clock();
    journal.advance(&plan.deleted, State::Deleted, now)?;
    journal.miss(&plan.missing, now)?;
    journal.find_again(&plan.found_again)?;
    if records.any_missing() {
        journal.expire(now - MISSING_KEPT)?;
    }
    Ok(())
}

fn not_given(remote: &Remote, number: MessageNumber, refusal: &Refusal) -> Failure {
    Failure::new(
        Exit::Protocol,
        format_args!(
            "{}: message {number} stays on the server: {refusal}; all others were fetched",
            remote.account()
        ),
    )
}

/// DELE, QUIT, and what the journal has to know of them. Gives how many messages
/// the server has deleted.
async fn delete_and_quit(
    remote: &Remote,
    mut client: Client,
    journal: &mut Journal,
    maildrop: &MaildropIndex,
    plan: &Plan,
    retrieved: Vec<(Retrieve, Retrieved)>,
    report: &Report,
) -> Result<usize, Failure> {
    let mut marked: Vec<(MessageNumber, u32, DeleteProof)> = Vec::new();
    for delete in &plan.delete {
        let proof = Delivered::in_an_earlier_session(delete.number);
        marked.push((delete.number, delete.copy, proof.into()));
    }
    for (wanted, proof) in retrieved {
        marked.push((wanted.number, wanted.copy, proof.into()));
    }
    let failed = |error: &Error| remote.failure(error);
    if marked.is_empty() {
        // Whether the server likes QUIT changes nothing then.
        return client.quit().await.map(|()| 0).or(Ok(0));
    }
    let proofs = marked.iter().map(|(_, _, proof)| *proof);
    let deletion = client
        .delete(proofs)
        .await
        .map_err(|error| failed(&error))?;
    if let Some(refusal) = &deletion.first_refusal {
        report.warn(format_args!(
            "{} messages are not deleted: {refusal}",
            deletion.refused.len()
        ));
    }
    let refused: HashSet<MessageNumber> = deletion.refused.iter().copied().collect();
    let keys: Vec<Key> = marked
        .iter()
        .filter(|(number, ..)| !refused.contains(number))
        .map(|(number, copy, _)| Key {
            unique_id: plan::unique_id(maildrop, *number).to_vec(),
            copy: *copy,
        })
        .collect();
    journal.advance(&keys, State::DeletionRequested, clock())?;
    client.quit().await.map_err(|error| {
        let failure = failed(&error);
        report.warn("QUIT was not confirmed; the next run looks what was deleted");
        failure
    })?;
    journal.advance(&keys, State::Deleted, clock())?;
    Ok(keys.len())
}

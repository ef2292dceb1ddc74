//! One session with a server, after the login.

use std::{collections::BTreeSet, time::Instant};

use pop3_proto::{
    Command, MessageNumber,
    client::{ClientError, Event, Exchange, MaildropIndex, Reply, Request, Session},
};

use crate::{
    Failure, Intake, Journal, Key, Kind, Orders, Records, Report, Summary, Total, Verdict,
    journal::State,
};
use deletion::Deletion;
use plan::{Retrieve, key};
use retrieval::{Misfit, Retrieval};

pub use decisions::{Careful, Decisions};
pub use plan::{Afterwards, Plan, Wishes};

mod answers;
mod decisions;
mod deletion;
mod listings;
pub(crate) mod plan;
pub(crate) mod retrieval;

/// Opens and reads the journal when it is needed.
pub(crate) type Reading<'a> = Box<dyn FnOnce() -> Result<(Journal, Records), Failure> + 'a>;
/// Opens the place for mail when the first message is due.
pub(crate) type Opening<'a, I> = Box<dyn FnOnce(Journal) -> Result<I, Failure> + 'a>;

/// The client's part of one session: UIDL, STAT and LIST, then RETR with a witness
/// between messages, then DELE and QUIT.
///
/// Made by [`Fetch::visit`](crate::Fetch::visit), run by a driver as an
/// [`Exchange`], and closed by [`Fetch::end`](crate::Fetch::end) however it ended.
pub struct Visit<'a, I, D> {
    orders: Orders,
    decisions: D,
    report: &'a dyn Report,
    /// Messages that this run does not retrieve again.
    except: BTreeSet<Key>,
    way: Way,
    reading: Option<Reading<'a>>,
    opening: Option<Opening<'a, I>>,
    phase: Phase,
    total: Option<Total>,
    maildrop: MaildropIndex,
    /// The number of malformed lines in UIDL.
    malformed: usize,
    records: Records,
    plan: Plan,
    journal: Option<Journal>,
    intake: Option<I>,
    retrieval: Option<Retrieval>,
    deletion: Deletion,
    pub(crate) summary: Summary,
    pub(crate) ended: Ended,
}

/// How to retrieve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// The number of commands that may await replies at once.
    pub(crate) window: usize,
    /// Whether to try messages in doubt even if there is other work.
    pub(crate) tries_doubts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Begin,
    UniqueIds,
    Sizes,
    Retrieve,
    Delete,
    Quit,
    Done,
}

/// What a visit passes on to the next one.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Messages in doubt because of a window or a broken session.
    pub(crate) in_doubt: Vec<Doubt>,
    /// Messages in doubt even though they were retrieved alone.
    pub(crate) given_up: Vec<Doubt>,
    /// The messages that the server refused, with the text of its reply.
    pub(crate) refused: Vec<(Key, MessageNumber, String)>,
    /// The messages that the command or the LMTP server declined.
    pub(crate) declined: Vec<(Key, Verdict)>,
    /// Whether commands were pipelined.
    pub(crate) was_pipelined: bool,
    /// Whether the session broke during retrieval.
    pub(crate) broke_off: bool,
    /// Whether the plan is done, so that nothing depends on the reply to QUIT.
    pub(crate) is_done: bool,
    /// The number of messages in doubt that are left for a visit of their own.
    pub(crate) left: usize,
}

/// A message in doubt: the reply may be that of another message, or a part.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    pub(crate) key: Key,
    pub(crate) misfit: Misfit,
}

impl<'a, I: Intake, D: Decisions> Visit<'a, I, D> {
    pub(crate) fn new(
        (orders, decisions): (Orders, D),
        report: &'a dyn Report,
        except: BTreeSet<Key>,
        way: Way,
        (reading, opening): (Reading<'a>, Opening<'a, I>),
    ) -> Self {
        Self {
            orders,
            decisions,
            report,
            except,
            way,
            reading: Some(reading),
            opening: Some(opening),
            phase: Phase::Begin,
            total: None,
            maildrop: MaildropIndex::new(),
            malformed: 0,
            records: Records::default(),
            plan: Plan::default(),
            journal: None,
            intake: None,
            retrieval: None,
            deletion: Deletion::default(),
            summary: Summary::default(),
            ended: Ended::default(),
        }
    }

    /// Records the messages in doubt at the end of the session.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        self.ended.is_done = self.phase == Phase::Done
            || (self.phase == Phase::Quit && self.deletion.marked.is_empty());
        if self.phase != Phase::Retrieve {
            return Ok(());
        }
        self.ended.broke_off = true;
        let maildrop = &self.maildrop;
        if let Some(retrieval) = &mut self.retrieval {
            let misfits = retrieval.in_doubt(maildrop);
            let is_alone = retrieval.is_alone() || !retrieval.is_pipelined();
            self.ended.was_pipelined = retrieval.is_pipelined();
            let doubts = misfits.into_iter().map(|misfit| doubt(maildrop, misfit));
            match is_alone {
                true => self.ended.given_up.extend(doubts),
                false => self.ended.in_doubt.extend(doubts),
            }
        }
        self.end_retrieval()
    }

    fn retrieve(&mut self, session: &mut Session, now: Instant) -> Result<(), Failure> {
        let Some(retrieval) = &mut self.retrieval else {
            return self.delete(session, now);
        };
        let is_over = retrieval
            .next(session, now, &self.maildrop, &self.decisions)
            .map_err(refuse)?;
        if !is_over {
            return Ok(());
        }
        self.end_retrieval()?;
        self.delete(session, now)
    }

    /// Waits until the confirmed messages are delivered.
    fn end_retrieval(&mut self) -> Result<(), Failure> {
        self.report.ends();
        let (Some(retrieval), Some(intake)) = (&mut self.retrieval, self.intake.take()) else {
            return Ok(());
        };
        let committed = intake.finish();
        let outcome = &mut retrieval.outcome;
        self.summary.delivered = committed.messages;
        self.summary.octets = committed.octets;
        self.ended.declined = answers::report(committed.answers, self.report);
        self.summary.declined = self.ended.declined.len();
        answers::withhold(
            &mut self.ended.declined,
            &mut outcome.proofs,
            &self.maildrop,
        );
        self.summary.refused = outcome.refused.len();
        let refused = outcome.refused.drain(..);
        self.ended.refused.extend(refused.map(|(wanted, words)| {
            let key = key(&self.maildrop, wanted.number, wanted.copy);
            (key, wanted.number, words)
        }));
        let doubtful = outcome.doubtful.drain(..);
        self.ended
            .given_up
            .extend(doubtful.map(|misfit| doubt(&self.maildrop, misfit)));
        let mut journal = committed.journal?;
        let now = self.orders.wishes.now;
        if outcome.learned != journal.learned(now)? {
            journal.learn(outcome.learned, now)?;
        }
        let doubts = self.ended.in_doubt.iter().chain(&self.ended.given_up);
        let declined = self.ended.declined.iter().map(|(key, _)| key.clone());
        // Declined messages come last too: they must not keep others from their turn.
        let keys = doubts.map(|doubt| doubt.key.clone()).chain(declined);
        let keys: Vec<Key> = keys.filter(|key| !key.unique_id.is_empty()).collect();
        journal.doubt(&keys, now)?;
        self.journal = Some(journal);
        Ok(())
    }

    fn quit(&mut self, session: &mut Session, now: Instant) -> Result<(), Failure> {
        self.phase = Phase::Quit;
        enqueue(session, now, &Command::Quit)
    }

    fn status(&mut self, reply: &Reply<'_>) -> Result<(), Failure> {
        let words = || self.report.shown(reply.status.text());
        match reply.request {
            Request::Stat => self.total = Some(Total::of(reply)),
            Request::Uidl(None) if !reply.is_positive() => {
                return Err(Failure::new(
                    Kind::Unavailable,
                    format_args!(
                        "the server refuses UIDL: {}; without unique-ids the program cannot know \
                         which messages are new",
                        words()
                    ),
                ));
            }
            Request::List(None) if !reply.is_positive() => {
                return Err(Failure::new(
                    Kind::Unavailable,
                    format_args!(
                        "the server refuses LIST: {}; without sizes the program cannot know \
                         whether a message is complete",
                        words()
                    ),
                ));
            }
            Request::Dele(number) => self.marked(number, reply),
            Request::Quit => {
                if !reply.is_positive() && !self.deletion.marked.is_empty() {
                    return Err(Failure::new(
                        Kind::Unavailable,
                        format_args!(
                            "the server refuses QUIT: {}; the next run checks which messages \
                             were deleted",
                            words()
                        ),
                    ));
                }
                if let (Some(journal), false) = (&mut self.journal, self.deletion.marked.is_empty())
                {
                    let now = self.orders.wishes.now;
                    journal.advance(&self.deletion.marked, State::Deleted, now)?;
                }
                self.summary.deleted = self.deletion.marked.len();
                self.phase = Phase::Done;
            }
            _ => {}
        }
        Ok(())
    }
}

impl<I: Intake, D: Decisions> Exchange for Visit<'_, I, D> {
    type Output = ();
    type Error = Failure;

    fn next(&mut self, session: &mut Session, now: Instant) -> Result<Option<()>, Failure> {
        match self.phase {
            Phase::Begin => {
                self.phase = Phase::UniqueIds;
                // Some servers add the unique-id to a message when it is first
                // requested, and STAT counts those octets from then on.
                enqueue(session, now, &Command::Uidl(None))?;
                enqueue(session, now, &Command::Stat)?;
            }
            Phase::UniqueIds if session.is_idle() => self.unique_ids_listed(session, now)?,
            Phase::Sizes if session.is_idle() => {
                self.make_plan()?;
                self.follow_plan(session, now)?;
            }
            Phase::Retrieve => self.retrieve(session, now)?,
            Phase::Delete => self.delete(session, now)?,
            Phase::UniqueIds | Phase::Sizes | Phase::Quit | Phase::Done => {}
        }
        Ok((self.phase == Phase::Done).then_some(()))
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), Failure> {
        let (Some(retrieval), Some(intake)) = (&mut self.retrieval, &mut self.intake) else {
            return match event {
                Event::Status(reply) => self.status(&reply),
                Event::End(end) => {
                    if end.request == Request::Uidl(None) {
                        self.malformed = usize::try_from(end.malformed).unwrap_or(usize::MAX);
                    }
                    self.maildrop.handle(&Event::End(end));
                    Ok(())
                }
                event => {
                    self.maildrop.handle(&event);
                    Ok(())
                }
            };
        };
        let step = match event {
            Event::Data(octets) => {
                self.report.received(octets.len() as u64);
                retrieval.data(octets, &self.maildrop, intake)
            }
            Event::Status(reply) => match reply.request {
                Request::Retr(number) => retrieval.status(number, &reply, intake, self.report),
                Request::Stat => retrieval.witness(&reply, intake, &self.decisions, self.report),
                _ => Ok(()),
            },
            Event::End(end) => match end.retrieved {
                Some(retrieved) => {
                    retrieval.end(retrieved, &self.maildrop, intake, &self.decisions)
                }
                None => Ok(()),
            },
            _ => Ok(()),
        };
        step.map_err(Failure::from)
    }
}

fn enqueue(session: &mut Session, now: Instant, command: &Command<'_>) -> Result<(), Failure> {
    session.enqueue(now, command).map_err(refuse)
}

fn refuse(error: ClientError) -> Failure {
    Failure::new(Kind::Unavailable, error)
}

fn doubt(maildrop: &MaildropIndex, misfit: Misfit) -> Doubt {
    let Retrieve { number, copy } = misfit.wanted;
    Doubt {
        key: key(maildrop, number, copy),
        misfit,
    }
}

fn are(messages: usize) -> String {
    match messages {
        1 => String::from("1 message is"),
        messages => format!("{messages} messages are"),
    }
}

#[cfg(test)]
mod tests;

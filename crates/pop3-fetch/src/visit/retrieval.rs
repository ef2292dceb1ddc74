//! Retrieves messages, with witnesses between them.
//!
//! There are three modes, from fast to careful:
//!
//! - *In a window*: several RETRs are sent at once, and STAT after 1, 2, 4 …
//!   messages, or after each if LIST says nothing of their sizes. A message that does not fit is discarded, and nothing more is
//!   requested until all replies have arrived, the last of which is the witness.
//! - *Step by step*: each command is sent after the reply to the previous one.
//! - *Alone*: one message, with the witness as the next command.
//!
//! The session refuses octets that arrive when no reply is due. So the octets after
//! a false end of a message either end the session, or are read as the reply to
//! STAT and differ from it.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use pop3_proto::{
    Command, MessageNumber,
    client::{ClientError, MaildropIndex, Reply, Retrieved, Session},
};

use super::plan::{self, Retrieve};
use crate::{
    Decisions, Failure, Intake, Key, Kind, Learned, Received, Reckoning, Report, Sizes, Total,
    delivery::Gone, journal::nameless::Digests,
};

/// The octets in LIST after which a witness is due.
const OCTETS: u64 = 4 << 20;
/// The time after which a witness is due.
const WAIT: Duration = Duration::from_secs(2);

/// The retrieval of one visit.
#[derive(Debug)]
pub(crate) struct Retrieval {
    /// Messages to retrieve.
    wanted: VecDeque<Retrieve>,
    /// Messages to retrieve alone.
    singly: VecDeque<Single>,
    /// Messages whose replies are not complete.
    sent: VecDeque<Retrieve>,
    /// The number of STAT commands that await replies.
    witnesses: usize,
    /// The most commands that may await replies at once.
    window: usize,
    any_size: bool,
    /// Whether retrieved messages will be deleted, which needs proofs.
    for_deletion: bool,
    /// Messages requested since the last STAT, and their octets in LIST.
    unwitnessed: usize,
    octets: u64,
    spacing: usize,
    last_witness: Instant,
    /// The reply to STAT before the first message.
    total: Total,
    /// The message that is being retrieved alone, until its witness.
    single: Option<Single>,
    /// Complete messages that fit, before their witness.
    kept: Vec<Kept>,
    refused: Vec<(Retrieve, String)>,
    /// The number at the start of the first line of the reply to RETR.
    announced: Option<u64>,
    digests: Digests,
    /// Messages recognized by their octets.
    known: BTreeSet<Key>,
    /// What is learned if the witness succeeds.
    lesson: Option<Lesson>,
    /// Messages that did not fit, before their witness.
    misfits: Vec<Misfit>,
    /// Whether a message in a window did not fit and further replies of the window
    /// are due; until the last one arrives, replies may be confused.
    is_draining: bool,
    pub(crate) outcome: Outcome,
}

/// The result of a retrieval.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Messages that may be deleted.
    pub(crate) proofs: Vec<Kept>,
    /// Messages that the server refused, with the text of its reply.
    pub(crate) refused: Vec<(Retrieve, String)>,
    /// Messages in doubt even though they were retrieved alone.
    pub(crate) doubtful: Vec<Misfit>,
    pub(crate) learned: Learned,
}

/// A message that was received and kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) wanted: Retrieve,
    /// Its key, if that is not its unique-id.
    pub(crate) digest: Option<Box<Key>>,
    pub(crate) retrieved: Retrieved,
}

/// A message whose octets do not fit its size in LIST.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misfit {
    pub(crate) wanted: Retrieve,
    /// The octets received; `None` if the session broke before the end.
    pub(crate) octets: Option<u64>,
    pub(crate) listed: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Single {
    wanted: Retrieve,
    /// Its octets when it was retrieved in a window, where they did not fit.
    before: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Lesson {
    Counts(Reckoning),
    MixesReplies,
}

/// The session is out of step: nothing received since the last witness counts.
#[derive(Debug)]
pub(crate) enum Stop {
    Intake,
    /// The reply to STAT differs.
    NoWitness,
    /// The first line of the reply may contain a line of the message.
    BareLf(MessageNumber),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            // `finish` reports the failure itself.
            Stop::Intake => Self::new(Kind::Io, "the delivery failed"),
            Stop::NoWitness => Self::new(
                Kind::Protocol,
                "the reply to STAT differs from the one before the messages: the messages since \
                 the last STAT may be incomplete or mixed up, and are not stored",
            ),
            Stop::BareLf(number) => Self::new(
                Kind::Protocol,
                format_args!(
                    "the server ends the first line of its reply to RETR {number} with a bare LF, \
                     so it is unclear where the message begins"
                ),
            ),
        }
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Intake
    }
}

impl Retrieval {
    /// A retrieval of `wanted` in a window of `window` commands, and of `doubtful`
    /// alone. `any_size`: sizes are ignored.
    pub(crate) fn new(
        wanted: &[Retrieve],
        doubtful: &[Retrieve],
        (window, any_size, for_deletion): (usize, bool, bool),
        known: BTreeSet<Key>,
        total: Total,
        learned: Learned,
        now: Instant,
    ) -> Self {
        let single = |&wanted: &Retrieve| Single {
            wanted,
            before: None,
        };
        Self {
            wanted: wanted.iter().copied().collect(),
            singly: doubtful.iter().map(single).collect(),
            sent: VecDeque::new(),
            witnesses: 0,
            window: match learned.mixes_replies() {
                true => 1,
                false => window,
            },
            any_size,
            for_deletion,
            unwitnessed: 0,
            octets: 0,
            spacing: 1,
            last_witness: now,
            total,
            single: None,
            kept: Vec::new(),
            refused: Vec::new(),
            announced: None,
            digests: Digests::default(),
            known,
            lesson: None,
            misfits: Vec::new(),
            is_draining: false,
            outcome: Outcome {
                learned,
                ..Outcome::default()
            },
        }
    }

    /// Whether several commands may await replies at once.
    pub(crate) const fn is_pipelined(&self) -> bool {
        self.window > 1
    }

    /// Returns all messages that are in doubt if the session breaks now.
    pub(crate) fn in_doubt(&mut self, maildrop: &MaildropIndex) -> Vec<Misfit> {
        let broken = |wanted: Retrieve| Misfit {
            wanted,
            octets: None,
            listed: plan::octets(maildrop, wanted.number),
        };
        let mut doubts = std::mem::take(&mut self.misfits);
        let alone = self.single.map(|single| single.wanted);
        if let Some(wanted) = alone.or(self.sent.front().copied())
            && doubts.iter().all(|misfit| misfit.wanted != wanted)
        {
            doubts.push(broken(wanted));
        }
        doubts
    }

    /// Whether a message is being retrieved alone.
    pub(crate) const fn is_alone(&self) -> bool {
        self.single.is_some()
    }

    /// Queues the next commands. Returns whether the retrieval is done.
    pub(crate) fn next(
        &mut self,
        session: &mut Session,
        now: Instant,
        maildrop: &MaildropIndex,
        decisions: &impl Decisions,
    ) -> Result<bool, ClientError> {
        let is_careful =
            self.single.is_some() || !self.misfits.is_empty() || !self.singly.is_empty();
        if is_careful {
            if self.unwitnessed > 0 {
                // A witness ends the window, unless a message is being retrieved
                // alone.
                if self.single.is_none() || self.outstanding() == 0 {
                    self.ask_witness(session, now, decisions)?;
                }
            } else if self.outstanding() == 0
                && let Some(single) = self.singly.pop_front()
            {
                self.single = Some(single);
                self.ask(session, now, maildrop, single.wanted)?;
            }
            return Ok(false);
        }
        if self.outstanding() <= self.window / 2 {
            while self.outstanding() < self.window {
                if self.unwitnessed > 0 && self.witness_is_due(now) {
                    self.ask_witness(session, now, decisions)?;
                } else if let Some(wanted) = self.wanted.pop_front() {
                    self.ask(session, now, maildrop, wanted)?;
                } else {
                    break;
                }
            }
        }
        Ok(self.outstanding() == 0)
    }

    fn outstanding(&self) -> usize {
        self.sent.len() + self.witnesses
    }

    fn witness_is_due(&self, now: Instant) -> bool {
        self.unwitnessed >= self.spacing
            || self.octets >= OCTETS
            || self.wanted.is_empty()
            || now.duration_since(self.last_witness) >= WAIT
    }

    fn ask(
        &mut self,
        session: &mut Session,
        now: Instant,
        maildrop: &MaildropIndex,
        wanted: Retrieve,
    ) -> Result<(), ClientError> {
        session.enqueue(now, &Command::Retr(wanted.number))?;
        self.sent.push_back(wanted);
        self.unwitnessed += 1;
        self.octets = self
            .octets
            .saturating_add(plan::octets(maildrop, wanted.number).unwrap_or(0));
        Ok(())
    }

    fn ask_witness(
        &mut self,
        session: &mut Session,
        now: Instant,
        decisions: &impl Decisions,
    ) -> Result<(), ClientError> {
        session.enqueue(now, &Command::Stat)?;
        let says_nothing = self.any_size || self.outcome.learned.has(Reckoning::Announced);
        self.spacing = decisions.messages_to_a_witness(self.spacing, says_nothing);
        self.witnesses += 1;
        self.unwitnessed = 0;
        self.octets = 0;
        self.last_witness = now;
        Ok(())
    }

    /// Handles the first line of the reply to RETR.
    pub(crate) fn status(
        &mut self,
        number: MessageNumber,
        reply: &Reply<'_>,
        intake: &mut impl Intake,
        report: &dyn Report,
    ) -> Result<(), Stop> {
        // This is the reply to STAT: the server left out a reply to RETR.
        if self.witnesses > 0 && self.total.is_line_of(reply) {
            return Err(Stop::NoWitness);
        }
        if reply.is_positive() {
            self.announced = leading_number(reply.status.text());
            self.digests.begin();
            return match reply.status.has_bare_lf() {
                true => Err(Stop::BareLf(number)),
                false => Ok(intake.begin(number)?),
            };
        }
        if let Some(wanted) = self.sent.pop_front() {
            let words = report.shown(reply.status.text());
            self.refused.push((wanted, words));
        }
        Ok(())
    }

    /// Handles octets of a message.
    pub(crate) fn data(
        &mut self,
        octets: &[u8],
        maildrop: &MaildropIndex,
        intake: &mut impl Intake,
    ) -> Result<(), Stop> {
        let is_nameless = |wanted: &Retrieve| plan::unique_id(maildrop, wanted.number).is_empty();
        if self.sent.front().is_some_and(is_nameless) {
            self.digests.update(octets);
        }
        Ok(intake.write(octets)?)
    }

    /// Handles the end of a message.
    pub(crate) fn end(
        &mut self,
        retrieved: Retrieved,
        maildrop: &MaildropIndex,
        intake: &mut impl Intake,
        decisions: &impl Decisions,
    ) -> Result<(), Stop> {
        let Some(wanted) = self.sent.pop_front() else {
            return Ok(intake.discard()?);
        };
        let listed = plan::octets(maildrop, wanted.number);
        let message = Received {
            octets: retrieved.octets(),
            lines: intake.lines(),
            announced: self.announced.take(),
        };
        let misfit = Misfit {
            wanted,
            octets: Some(message.octets),
            listed,
        };
        let sizes = Sizes {
            listed,
            learned: self.outcome.learned,
            maildrop,
        };
        if decisions.fits(&message, &sizes, self.any_size) {
            // The same octets do not fit in a window if a lesson came between.
            let before = self.single.and_then(|single| single.before);
            if before.is_some_and(|octets| octets != message.octets) {
                self.lesson = Some(Lesson::MixesReplies);
            }
        } else if self.single.is_some() || self.window == 1 {
            // No other command awaited a reply, so this message is alone.
            self.single.get_or_insert(Single {
                wanted,
                before: None,
            });
            let Some(way) = decisions.alone(&message, &sizes) else {
                self.misfits.push(misfit);
                return Ok(intake.discard()?);
            };
            self.lesson = Some(Lesson::Counts(way));
        } else {
            self.misfits.push(misfit);
            self.is_draining = true;
            return Ok(intake.discard()?);
        }
        let key = plan::key(maildrop, wanted.number, wanted.copy);
        let digest = (key.unique_id.is_empty()).then(|| Box::new(self.digests.key()));
        let key = digest.as_deref().cloned().unwrap_or(key);
        match self.known.contains(&key) {
            true => intake.discard()?,
            false => intake.keep(key, listed.unwrap_or(message.octets), message.octets)?,
        }
        self.kept.push(Kept {
            wanted,
            digest,
            retrieved,
        });
        if !decisions.waits_for_witness() {
            self.confirm(intake)?;
        }
        Ok(())
    }

    /// Handles the reply to STAT.
    pub(crate) fn witness(
        &mut self,
        reply: &Reply<'_>,
        intake: &mut impl Intake,
        decisions: &impl Decisions,
        report: &dyn Report,
    ) -> Result<(), Stop> {
        self.witnesses = self.witnesses.saturating_sub(1);
        if !decisions.is_witness(&self.total, &Total::of(reply)) {
            return Err(Stop::NoWitness);
        }
        match self.is_draining {
            false => self.confirm(intake)?,
            true => {
                intake.reject()?;
                for kept in self.kept.drain(..).rev() {
                    if let Some(digest) = &kept.digest {
                        self.digests.forget(digest);
                    }
                    self.wanted.push_front(kept.wanted);
                }
            }
        }
        self.is_draining &= self.outstanding() > 0;
        self.outcome.refused.append(&mut self.refused);
        let misfits = self.misfits.drain(..);
        match self.single.take() {
            Some(_) => self.outcome.doubtful.extend(misfits),
            None => self.singly.extend(misfits.map(|misfit| Single {
                wanted: misfit.wanted,
                before: misfit.octets,
            })),
        }
        match self.lesson.take() {
            Some(Lesson::Counts(way)) => {
                self.outcome.learned.learn(way);
                self.spacing = 1;
                report.warn(&format!(
                    "the server's LIST counts octets {way}; from now on, sizes are compared in \
                     that way"
                ));
            }
            Some(Lesson::MixesReplies) if self.window > 1 => {
                self.outcome.learned.learn_mixes_replies();
                self.window = 1;
                report.warn(
                    "the server mixes up the replies to pipelined commands; from now on, each \
                     command waits for the reply to the previous one",
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn confirm(&mut self, intake: &mut impl Intake) -> Result<(), Gone> {
        intake.confirm()?;
        if !self.for_deletion {
            // Without a unique-id, only this says which message a key stands for.
            self.kept.retain(|kept| kept.digest.is_some());
        }
        self.outcome.proofs.append(&mut self.kept);
        Ok(())
    }
}

/// The leading number of a text such as `120 octets`.
fn leading_number(text: &[u8]) -> Option<u64> {
    let word = text.split(|octet| *octet == b' ').next()?;
    let digits = word.iter().all(u8::is_ascii_digit);
    let number = core::str::from_utf8(word).ok()?.parse().ok();
    number.filter(|_| digits)
}

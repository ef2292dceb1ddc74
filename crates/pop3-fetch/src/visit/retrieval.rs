//! RETR of many messages, with witnesses between them.
//!
//! Three ways to ask, from fast to careful:
//!
//! - *A window* of RETRs, with STAT after 1, 2, 4 … messages. What does not fit
//!   is thrown away; no more is asked for until all replies are there, the last of
//!   them the witness.
//! - *Step by step*: each command when the one before it is answered.
//! - *Alone*: a message, and the witness as the very next command.
//!
//! The session refuses octets that come while no command is due. So what follows
//! a false end of a message either ends the session, or is taken for the answer
//! to STAT, and differs from it.

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
    Decisions, Intake, Key, Learned, Received, Reckoning, Report, Sizes, Total, delivery::Gone,
    journal::nameless::Digests,
};

/// Listed octets after which a witness is due.
const OCTETS: u64 = 4 << 20;
/// How long after the last witness one is due.
const WAIT: Duration = Duration::from_secs(2);

/// The messages of one visit, on their way.
#[derive(Debug)]
pub(crate) struct Retrieval {
    /// To be asked for.
    wanted: VecDeque<Retrieve>,
    /// To be asked for alone.
    singly: VecDeque<Single>,
    /// Asked for, without a whole reply.
    sent: VecDeque<Retrieve>,
    /// Witnesses on their way.
    witnesses: usize,
    /// Commands on their way at once, at most.
    window: usize,
    any_size: bool,
    /// Whether proofs are wanted.
    for_deletion: bool,
    /// Messages asked for since the last STAT, and their octets as listed.
    unwitnessed: usize,
    octets: u64,
    spacing: usize,
    last_witness: Instant,
    /// What STAT said before the first message.
    total: Total,
    /// The message that is asked for alone, until its witness.
    single: Option<Single>,
    /// Whole and fitting, before the witness.
    kept: Vec<Kept>,
    refused: Vec<(Retrieve, String)>,
    /// The number that the answer to RETR began with.
    announced: Option<u64>,
    digests: Digests,
    /// Messages known by their octets.
    known: BTreeSet<Key>,
    /// What is true if the witness comes.
    lesson: Option<Lesson>,
    /// Those that did not fit, before the witness.
    misfits: Vec<Misfit>,
    /// One did not fit within a window, and replies to that are still due: until
    /// the last of them is there, one may have been taken for another.
    is_draining: bool,
    pub(crate) outcome: Outcome,
}

/// What a retrieval came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What may be deleted, if anything may.
    pub(crate) proofs: Vec<Kept>,
    /// What the server refused, and its words.
    pub(crate) refused: Vec<(Retrieve, String)>,
    /// What cannot be told from other messages, asked for alone.
    pub(crate) doubtful: Vec<Misfit>,
    pub(crate) learned: Learned,
}

/// A message that was received.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) wanted: Retrieve,
    /// Its key, if that is not its unique-id.
    pub(crate) digest: Option<Box<Key>>,
    pub(crate) retrieved: Retrieved,
}

/// A message that has other octets than its listing says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misfit {
    pub(crate) wanted: Retrieve,
    /// `None`: the session broke before its end.
    pub(crate) octets: Option<u64>,
    pub(crate) listed: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Single {
    wanted: Retrieve,
    /// Whether it did not fit within a window.
    was_pipelined: bool,
}

#[derive(Clone, Copy, Debug)]
enum Lesson {
    Counts(Reckoning),
    MixesReplies,
}

/// The session is out of step: nothing that came since the last witness counts.
#[derive(Debug)]
pub(crate) enum Stop {
    Command(ClientError),
    Intake,
    /// STAT was answered in another way.
    NoWitness,
    /// The first line of the answer may hold a line of the message.
    BareLf(MessageNumber),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Command(error)
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Intake
    }
}

impl Retrieval {
    /// Asks for `wanted` in a window of that many commands, and for `doubtful`
    /// alone. `any_size`: sizes say nothing.
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
            was_pipelined: false,
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
            spacing: 0,
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

    /// Whether several commands may be on their way at once.
    pub(crate) const fn is_pipelined(&self) -> bool {
        self.window > 1
    }

    /// All that is in doubt, should the session break now.
    pub(crate) fn in_doubt(&mut self, maildrop: &MaildropIndex) -> Vec<Misfit> {
        let broken = |wanted: Retrieve| Misfit {
            wanted,
            octets: None,
            listed: plan::octets(maildrop, wanted.number),
        };
        let mut doubts = std::mem::take(&mut self.misfits);
        let known = |doubts: &[Misfit], wanted: Retrieve| {
            doubts.iter().any(|misfit| misfit.wanted == wanted)
        };
        let others = self.single.map(|single| single.wanted);
        for wanted in others.into_iter().chain(self.sent.front().copied()) {
            if !known(&doubts, wanted) {
                doubts.push(broken(wanted));
            }
        }
        doubts
    }

    /// Whether a message is asked for alone.
    pub(crate) const fn is_alone(&self) -> bool {
        self.single.is_some()
    }

    /// Puts commands into the queue. Whether all is done.
    pub(crate) fn next(
        &mut self,
        session: &mut Session,
        now: Instant,
        maildrop: &MaildropIndex,
        decisions: &impl Decisions,
    ) -> Result<bool, ClientError> {
        let is_careful =
            self.single.is_some() || !self.misfits.is_empty() || !self.singly.is_empty();
        if is_careful || self.window == 1 {
            if self.outstanding() > 0 {
                // A witness ends the window, but not beside a message alone.
                if self.window > 1 && self.single.is_none() && self.unwitnessed > 0 {
                    self.ask_witness(session, now, decisions)?;
                }
                return Ok(false);
            }
            if self.unwitnessed > 0 && (is_careful || self.witness_is_due(now)) {
                self.ask_witness(session, now, decisions)?;
                return Ok(false);
            }
            if self.unwitnessed == 0
                && let Some(single) = self.singly.pop_front()
            {
                self.single = Some(single);
                self.ask(session, now, maildrop, single.wanted)?;
                return Ok(false);
            }
        }
        if self.outstanding() <= self.window / 2 {
            while self.outstanding() < self.window {
                if self.unwitnessed > 0 && self.witness_is_due(now) {
                    self.ask_witness(session, now, decisions)?;
                    continue;
                }
                let Some(wanted) = self.wanted.pop_front() else {
                    break;
                };
                self.ask(session, now, maildrop, wanted)?;
            }
        }
        Ok(self.outstanding() == 0 && self.wanted.is_empty() && self.unwitnessed == 0)
    }

    fn outstanding(&self) -> usize {
        self.sent.len() + self.witnesses
    }

    fn witness_is_due(&self, now: Instant) -> bool {
        self.unwitnessed >= self.spacing.max(1)
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
        self.spacing = decisions.messages_to_a_witness(self.spacing, self.any_size);
        self.witnesses += 1;
        self.unwitnessed = 0;
        self.octets = 0;
        self.last_witness = now;
        Ok(())
    }

    /// The first line of the answer to RETR.
    pub(crate) fn status(
        &mut self,
        number: MessageNumber,
        reply: &Reply<'_>,
        intake: &mut impl Intake,
        report: &dyn Report,
    ) -> Result<(), Stop> {
        // The answer to STAT, where a reply to RETR was left out.
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

    /// Octets of a message.
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

    /// A message is whole.
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
            if self.single.is_some_and(|single| single.was_pipelined) {
                self.lesson = Some(Lesson::MixesReplies);
            }
        } else if self.single.is_some() || self.window == 1 {
            let Some(way) = decisions.alone(&message, &sizes) else {
                self.misfits.push(misfit);
                return Ok(intake.discard()?);
            };
            self.lesson = Some(Lesson::Counts(way));
            // It is the only command that was on its way, so it is alone.
            self.single.get_or_insert(Single {
                wanted,
                was_pipelined: false,
            });
        } else {
            self.misfits.push(misfit);
            self.is_draining = true;
            return Ok(intake.discard()?);
        }
        let unique_id = plan::unique_id(maildrop, wanted.number);
        let digest = unique_id.is_empty().then(|| Box::new(self.digests.key()));
        let key = match &digest {
            Some(digest) => Key::clone(digest),
            None => Key {
                unique_id: unique_id.to_vec(),
                copy: wanted.copy,
            },
        };
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

    /// The answer to STAT.
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
        let was_alone = self.single.take().is_some() || self.window == 1;
        let misfits = self.misfits.drain(..);
        match was_alone {
            true => self.outcome.doubtful.extend(misfits),
            false => self.singly.extend(misfits.map(|misfit| Single {
                wanted: misfit.wanted,
                was_pipelined: true,
            })),
        }
        match self.lesson.take() {
            Some(Lesson::Counts(way)) if !self.outcome.learned.has(way) => {
                self.outcome.learned.learn(way);
                self.spacing = 0;
                report.warn(&format!(
                    "the server's LIST counts octets {way}; its sizes are compared so from now on"
                ));
            }
            Some(Lesson::MixesReplies) if self.window > 1 => {
                self.outcome.learned.learn_mixes_replies();
                self.window = 1;
                report.warn(
                    "the server mixes the replies to pipelined commands: from now on each \
                     command waits for the reply to the one before it",
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn confirm(&mut self, intake: &mut impl Intake) -> Result<(), Gone> {
        intake.confirm()?;
        match self.for_deletion {
            true => self.outcome.proofs.append(&mut self.kept),
            false => self.kept.clear(),
        }
        Ok(())
    }
}

/// The number of `+OK 120 octets`.
fn leading_number(text: &[u8]) -> Option<u64> {
    let word = text.split(|octet| *octet == b' ').next()?;
    let digits = word.iter().all(u8::is_ascii_digit);
    let number = core::str::from_utf8(word).ok()?.parse().ok();
    number.filter(|_| digits)
}

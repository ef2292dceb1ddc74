//! The queued steps of a scripted server.

use std::{collections::VecDeque, time::Duration};

use super::{log::State, scenario::Then};

/// How long a server waits at a cut, so that the client reads the pieces
/// separately.
const PAUSE: Duration = Duration::from_millis(15);

/// How long a server waits if each octet is a piece.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// The end of a message, preceded by parts of the next answers.
    EndOfMessage {
        before: Vec<u8>,
        end: Vec<u8>,
    },
    Pause(Duration),
    /// Continue at this time.
    Until(Duration),
    /// Enter this state.
    Enter(State),
    /// What to do after everything is sent.
    End(Then),
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    steps: VecDeque<Step>,
    /// The number of octets in the steps.
    octets: usize,
}

impl Outbox {
    /// Returns the next step, or a [`Step::Until`] if it is not due yet.
    pub(super) fn next(&mut self, now: Duration) -> Option<Step> {
        loop {
            match self.steps.pop_front()? {
                Step::Pause(pause) => self.steps.push_front(Step::Until(now + pause)),
                Step::Until(due) if now < due => {
                    self.steps.push_front(Step::Until(due));
                    return Some(Step::Until(due));
                }
                Step::Until(_) => {}
                Step::EndOfMessage { before, end } => {
                    self.steps.push_front(Step::Send([before, end].concat()));
                }
                Step::Send(octets) => {
                    self.octets = self.octets.saturating_sub(octets.len());
                    return Some(Step::Send(octets));
                }
                step => return Some(step),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) const fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn wait(&mut self, pause: Duration) {
        if !pause.is_zero() {
            self.steps.push_back(Step::Pause(pause));
        }
    }

    /// Sends octets in pieces that end at the cuts.
    pub(super) fn send(&mut self, octets: &[u8], cuts: &[usize]) {
        let cuts = cuts.iter().copied().chain([octets.len()]);
        self.send_pieces(octets, cuts, PAUSE);
    }

    /// Sends octets one by one.
    pub(super) fn send_each(&mut self, octets: &[u8]) {
        self.send_pieces(octets, 1..=octets.len(), SHORT_PAUSE);
    }

    fn send_pieces(&mut self, octets: &[u8], ends: impl Iterator<Item = usize>, pause: Duration) {
        let mut from = 0;
        for end in ends {
            let piece = octets.get(from..end.min(octets.len())).unwrap_or_default();
            if piece.is_empty() {
                continue;
            }
            if from > 0 {
                self.steps.push_back(Step::Pause(pause));
            }
            self.push(Step::Send(piece.to_vec()), piece.len());
            from = end;
        }
    }

    /// Queues a step that sends this number of octets.
    fn push(&mut self, step: Step, octets: usize) {
        self.octets += octets;
        self.steps.push_back(step);
    }

    /// Sends the end of a message after a pause.
    pub(super) fn send_late(&mut self, end: &[u8]) {
        self.steps.push_back(Step::Pause(PAUSE));
        let step = Step::EndOfMessage {
            before: Vec::new(),
            end: end.to_vec(),
        };
        self.push(step, end.len());
    }

    /// Sends octets before the end of a message that is held back, if there is one.
    pub(super) fn send_before_the_end(&mut self, octets: &[u8]) -> bool {
        let mut steps = self.steps.iter_mut().rev();
        let end = steps.find_map(|step| match step {
            Step::EndOfMessage { before, .. } => Some(before),
            _ => None,
        });
        let Some(before) = end else {
            return false;
        };
        before.extend_from_slice(octets);
        self.octets += octets.len();
        true
    }

    /// Sets the state after everything queued is sent, and what follows.
    pub(super) fn end(&mut self, state: State, then: Then) {
        self.steps.push_back(Step::Enter(state));
        if then != Then::GoOn {
            self.steps.push_back(Step::End(then));
        }
    }

    /// The state after everything queued is sent.
    pub(super) fn state(&self) -> Option<State> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Enter(state) => Some(*state),
            _ => None,
        })
    }

    /// Whether further input gets no answer.
    pub(super) fn is_last(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step, Step::End(then) if *then != Then::Owe))
    }
}

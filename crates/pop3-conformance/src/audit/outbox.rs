//! What a scripted server has still to do, step by step.

use std::{collections::VecDeque, time::Duration};

use super::{log::State, scenario::Then};

/// How long a server waits where what it sends is cut, so that the client
/// reads the pieces apart.
const PAUSE: Duration = Duration::from_millis(15);

/// The same where each octet is a piece.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// The end of a message, and what of the next answers comes before it.
    EndOfMessage {
        before: Vec<u8>,
        end: Vec<u8>,
    },
    Pause(Duration),
    /// Go on at this time.
    Until(Duration),
    /// The session is in this state.
    Enter(State),
    /// Everything is said: what then?
    End(Then),
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    steps: VecDeque<Step>,
    /// How many octets are in the steps.
    octets: usize,
}

impl Outbox {
    /// The next step, unless it is not due yet: then a [`Step::Until`].
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

    /// Octets, in pieces that end at the cuts.
    pub(super) fn send(&mut self, octets: &[u8], cuts: &[usize]) {
        self.octets += octets.len();
        let mut from = 0;
        for &cut in cuts.iter().chain([&octets.len()]) {
            let piece = octets.get(from..cut.min(octets.len())).unwrap_or_default();
            if piece.is_empty() {
                continue;
            }
            if from > 0 {
                self.steps.push_back(Step::Pause(PAUSE));
            }
            self.steps.push_back(Step::Send(piece.to_vec()));
            from = cut;
        }
    }

    /// The end of a message, held back for a moment.
    pub(super) fn send_late(&mut self, end: &[u8]) {
        self.octets += end.len();
        self.steps.push_back(Step::Pause(PAUSE));
        self.steps.push_back(Step::EndOfMessage {
            before: Vec::new(),
            end: end.to_vec(),
        });
    }

    /// Octets before the end of a message that is held back, if one is.
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

    /// Octets, one by one.
    pub(super) fn send_each(&mut self, octets: &[u8]) {
        self.octets += octets.len();
        for (at, octet) in octets.iter().enumerate() {
            if at > 0 {
                self.steps.push_back(Step::Pause(SHORT_PAUSE));
            }
            self.steps.push_back(Step::Send(vec![*octet]));
        }
    }

    /// Where the session is once all of this is sent, and what then.
    pub(super) fn end(&mut self, state: State, then: Then) {
        self.steps.push_back(Step::Enter(state));
        if then != Then::GoOn {
            self.steps.push_back(Step::End(then));
        }
    }

    /// Where the session will be.
    pub(super) fn state(&self) -> Option<State> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Enter(state) => Some(*state),
            _ => None,
        })
    }

    /// Whether nothing that comes now is answered.
    pub(super) fn is_last(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step, Step::End(then) if *then != Then::Owe))
    }
}

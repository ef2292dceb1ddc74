//! Faulty clients that misinterpret replies.

use std::{collections::BTreeMap, time::Instant};

use pop3_proto::{
    MessageNumber,
    client::{Config, DeleteProof, Request, SessionError, State},
};

use super::positive;
use crate::view::{Client, ClientEvent, ClientSession, ClientStep};

/// Takes a failure for a success.
pub(super) struct Believes {
    pub(super) inner: ClientSession,
    /// Whether it does so after `*` instead of in place of a challenge.
    pub(super) after_cancel: bool,
    pub(super) line: Vec<u8>,
    pub(super) logged_in: bool,
}

impl Believes {
    pub(super) fn new(config: Config, now: Instant, after_cancel: bool) -> Self {
        Self {
            inner: ClientSession::new(config, now),
            after_cancel,
            line: Vec::new(),
            logged_in: false,
        }
    }
}

impl Client for Believes {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let mut heard = self.inner.handle_input(now, input);
        self.line.extend_from_slice(&input[..heard.consumed]);
        let success = ClientEvent::Status(Request::Auth, true, Vec::new(), None);
        let is_ok = matches!(heard.said[..], [ClientEvent::Challenge(ref text)] if text.is_empty())
            && self.line.starts_with(b"+OK");
        if is_ok && !self.after_cancel {
            self.logged_in = true;
            heard.said = vec![success];
        } else if heard.error == Some(SessionError::AfterCancel)
            && self.after_cancel
            && !self.logged_in
        {
            self.logged_in = true;
            return ClientStep {
                consumed: input.len(),
                said: vec![success],
                error: None,
            };
        }
        if !heard.said.is_empty() {
            self.line.clear();
        }
        heard
    }

    fn state(&mut self) -> State {
        match self.logged_in {
            true => State::Transaction,
            false => self.inner.state(),
        }
    }
}

/// Returns the proof of a message after the first line of its reply.
pub(super) struct Deletes {
    pub(super) inner: ClientSession,
    pub(super) begun: Option<MessageNumber>,
}

impl Client for Deletes {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let heard = self.inner.handle_input(now, input);
        if let Some(Request::Retr(number)) = heard.said.iter().find_map(positive) {
            self.begun = Some(number);
        }
        heard
    }

    fn proof(&mut self, number: MessageNumber) -> Option<DeleteProof> {
        match self.begun == Some(number) {
            true => Some(ClientSession::held(number)),
            false => self.inner.proof(number),
        }
    }
}

/// Accepts half a message as a whole one.
pub(super) struct Ends {
    pub(super) inner: ClientSession,
    pub(super) within: bool,
}

impl Client for Ends {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let heard = self.inner.handle_input(now, input);
        for said in &heard.said {
            self.within = match said {
                ClientEvent::Data(_) => self.within,
                said => matches!(positive(said), Some(Request::Retr(_) | Request::Top(..))),
            };
        }
        heard
    }

    fn handle_eof(&mut self) -> Result<(), SessionError> {
        match self.within {
            true => Ok(()),
            false => self.inner.handle_eof(),
        }
    }
}

/// Reports a message of a listing as often as the listing contains it.
pub(super) struct Repeats {
    pub(super) inner: ClientSession,
    pub(super) seen: BTreeMap<u32, ClientEvent>,
}

impl Client for Repeats {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let mut heard = self.inner.handle_input(now, input);
        for said in &mut heard.said {
            match said {
                ClientEvent::Scan(number, _) | ClientEvent::UniqueId(number, _) => {
                    self.seen.insert(*number, said.clone());
                }
                ClientEvent::Malformed(_, Some(number)) => {
                    if let Some(first) = self.seen.get(&number.get()) {
                        *said = first.clone();
                    }
                }
                _ => {}
            }
        }
        heard
    }
}

/// Takes every reply after a malformed line for the reply to the command that had
/// the malformed line.
pub(super) struct Stuck {
    pub(super) inner: ClientSession,
    pub(super) front: Option<Request>,
}

impl Client for Stuck {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let mut heard = self.inner.handle_input(now, input);
        for said in &mut heard.said {
            match (said, self.front) {
                (
                    ClientEvent::End {
                        request,
                        malformed: 1..,
                        ..
                    },
                    None,
                ) => self.front = Some(*request),
                (ClientEvent::Status(request, ..), Some(front)) => *request = front,
                _ => {}
            }
        }
        heard
    }
}

/// Takes every positive reply to QUIT as confirmation that messages are deleted.
pub(super) struct Updates {
    pub(super) inner: ClientSession,
    pub(super) quit: bool,
}

impl Client for Updates {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        let heard = self.inner.handle_input(now, input);
        self.quit |= heard.said.first().and_then(positive) == Some(Request::Quit);
        heard
    }

    fn state(&mut self) -> State {
        match self.inner.state() {
            State::Closed if self.quit => State::Update,
            state => state,
        }
    }
}

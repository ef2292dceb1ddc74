//! The state of a session, and how replies change it.

use core::fmt;
use std::{collections::BTreeSet, time::Instant};

use super::{
    Awaited, Capabilities, Config, Request, SessionError, Timer, Transport,
    heard::Heard,
    queue::{Outgoing, Queue},
    timer::Timers,
};
use crate::{MessageNumber, ReplyError, StatusLine, apop_timestamp};

/// The state of a session (RFC 1939 §3, RFC 2595 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The greeting is due; nothing may be sent.
    Greeting,
    /// The client must log in.
    Authorization,
    /// The server waits for the TLS handshake.
    Handshake,
    /// Logged in.
    Transaction,
    /// QUIT was accepted after a login: the marked messages are deleted.
    Update,
    /// The server has ended or refused the session. Nothing is deleted, except that
    /// some messages may be if the reply to QUIT in the TRANSACTION state was
    /// negative.
    Closed,
    /// Client and server are out of step, or a time limit has passed. The only
    /// thing left to do is to close the connection.
    Desync,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Authorization => "AUTHORIZATION",
            Self::Handshake => "handshake",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
            Self::Closed => "closed",
            Self::Desync => "desync",
        })
    }
}

/// A SASL exchange.
#[derive(Debug)]
pub(super) enum SaslState {
    None,
    /// AUTH without an initial response is outstanding: no octet of the mechanism
    /// was sent. An initial response that did not fit the line waits.
    Started {
        initial_response: Option<Outgoing>,
    },
    /// A response is outstanding.
    Running,
    /// The response to a challenge is due from the caller.
    Challenged,
    /// `*` is outstanding.
    Canceled,
}

/// What to do after the first line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Report it.
    Status,
    /// Report it as an empty challenge.
    EmptyChallenge,
    /// Nothing: it was handled.
    Nothing,
}

/// Everything in a session except its decoders.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) id: u64,
    pub(super) state: State,
    pub(super) failure: Option<(SessionError, Awaited)>,
    pub(super) heard: Heard,
    pub(super) queue: Queue,
    pub(super) timers: Timers,
    pub(super) capabilities: Capabilities,
    pub(super) apop_timestamp: Option<Box<str>>,
    /// Whether the last reply was a positive one to USER.
    pub(super) user_accepted: bool,
    pub(super) utf8: bool,
    pub(super) under_tls: bool,
    pub(super) exchange: SaslState,
    /// The number of challenges in the exchange.
    challenges: u32,
    /// The messages that are marked as deleted, or whose DELE is outstanding.
    pub(super) deleted: BTreeSet<MessageNumber>,
}

impl Core {
    pub(super) fn new(config: Config, id: u64, now: Instant) -> Self {
        let mut timers = Timers::new(config.timeouts);
        timers.arm(Timer::Greeting, now);
        Self {
            under_tls: config.transport == Transport::Tls,
            config,
            id,
            state: State::Greeting,
            failure: None,
            heard: Heard::new(),
            queue: Queue::default(),
            timers,
            capabilities: Capabilities::default(),
            apop_timestamp: None,
            user_accepted: false,
            utf8: false,
            exchange: SaslState::None,
            challenges: 0,
            deleted: BTreeSet::new(),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && matches!(self.exchange, SaslState::None)
    }

    /// Ends the session with an error.
    #[cold]
    pub(super) fn fail(&mut self, error: SessionError) -> SessionError {
        let awaited = match error {
            SessionError::Reply(ReplyError::Unsolicited) => Awaited::Nothing(None),
            _ => self.awaited(),
        };
        self.failure = Some((error, awaited));
        self.state = State::Desync;
        self.exchange = SaslState::None;
        self.queue.clear();
        self.timers.disarm();
        error
    }

    /// What the session waits for. A command that may be sent counts, even if it is
    /// not yet sent.
    pub(super) fn awaited(&self) -> Awaited {
        match (self.failure, self.state, self.queue.requests().next()) {
            (Some((_, awaited)), ..) => awaited,
            (None, State::Greeting, _) => Awaited::Greeting,
            (None, State::Handshake, _) => Awaited::Handshake,
            (None, _, Some(request)) => Awaited::Reply(request),
            (None, _, None) => Awaited::Nothing(None),
        }
    }

    pub(super) fn greeted(&mut self, status: &StatusLine<'_>, now: Instant) {
        self.heard.is_whole = true;
        if status.is_positive() {
            self.state = State::Authorization;
            self.apop_timestamp = apop_timestamp(status.text()).map(Into::into);
            self.timers.arm(Timer::Idle, now);
        } else {
            self.close(State::Closed);
        }
    }

    fn close(&mut self, state: State) {
        self.state = state;
        self.queue.clear();
        self.timers.disarm();
    }

    /// Handles the first line of a reply.
    pub(super) fn status(
        &mut self,
        request: Request,
        positive: bool,
        now: Instant,
    ) -> Result<Next, SessionError> {
        self.heard.answered(request, positive);
        if request == Request::Auth && positive {
            match self.exchange {
                // MS-POP3 §2.2: `+OK` instead of `+`. It cannot be success, because
                // no mechanism succeeds without a message from the client.
                SaslState::Started { .. } => return self.challenge(0, now),
                SaslState::Canceled => return Err(SessionError::AfterCancel),
                _ => {}
            }
        }
        match (request, positive) {
            (Request::User, _) => self.user_accepted = positive,
            (Request::Apop | Request::Auth | Request::Pass, true) => {
                self.state = State::Transaction;
                self.capabilities.make_stale();
            }
            (Request::Stls, true) => self.state = State::Handshake,
            (Request::Utf8, true) => self.utf8 = true,
            (Request::Capa, false) => self.capabilities = Capabilities::answered(),
            // It has counted as deleted since it was queued.
            (Request::Dele(number), false) => {
                self.deleted.remove(&number);
            }
            (Request::Rset, true) => {
                self.deleted.clear();
                let requests = self.queue.requests();
                self.deleted
                    .extend(requests.filter_map(|request| match request {
                        Request::Dele(number) => Some(number),
                        _ => None,
                    }));
            }
            (Request::Quit, _) => {
                let updated = positive && self.state == State::Transaction;
                self.close(if updated {
                    State::Update
                } else {
                    State::Closed
                });
                return Ok(Next::Status);
            }
            _ => {}
        }
        if request == Request::Auth {
            self.exchange = SaslState::None;
            self.challenges = 0;
        }
        let has_block = request.is_listing() || request.is_message();
        if !(has_block && positive) {
            self.answered(now);
        } else {
            self.timers.arm(Timer::Reply, now);
        }
        Ok(Next::Status)
    }

    /// Handles a complete reply, and releases waiting commands.
    pub(super) fn answered(&mut self, now: Instant) {
        // After the reply that follows the login, the server no longer repeats
        // secrets.
        if self.state == State::Transaction
            && self
                .queue
                .expected()
                .is_some_and(|request| !request.is_login())
        {
            self.heard.may_repeat_secret = false;
        }
        self.queue.answered();
        self.release();
        let timer = match self.state {
            State::Handshake => Timer::Stls,
            _ if self.queue.is_empty() => Timer::Idle,
            _ => Timer::Reply,
        };
        self.timers.arm(timer, now);
    }

    /// Handles a challenge of `octets` octets.
    pub(super) fn challenge(&mut self, octets: usize, now: Instant) -> Result<Next, SessionError> {
        if octets > self.config.limits.challenge_octets {
            return Err(SessionError::ChallengeTooLong);
        }
        if self.challenges == self.config.limits.challenges {
            return Err(SessionError::TooManyChallenges);
        }
        self.challenges += 1;
        self.heard.is_whole = true;
        self.queue.answered();
        match core::mem::replace(&mut self.exchange, SaslState::Challenged) {
            SaslState::Canceled => Err(SessionError::AfterCancel),
            SaslState::Started {
                initial_response: Some(response),
            } => {
                self.exchange = SaslState::Running;
                self.queue.push(Request::Auth, response.as_slice());
                self.release();
                self.timers.arm(Timer::Reply, now);
                Ok(Next::Nothing)
            }
            _ => {
                self.timers.arm(Timer::Idle, now);
                Ok(Next::EmptyChallenge)
            }
        }
    }

    /// Releases the commands that may be sent now.
    pub(super) fn release(&mut self) {
        // Pipeline only after login: before it, each reply decides what follows.
        let pipelining = self.config.pipelining
            && self.state == State::Transaction
            && self.capabilities.is_current()
            && self.capabilities.pipelining();
        let window = self.config.limits.window_octets;
        self.queue.release(pipelining.then_some(window));
    }
}

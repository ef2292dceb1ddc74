//! What a session knows, and how replies change it.

use core::fmt;
use std::{collections::BTreeSet, time::Instant};

use super::{
    Awaited, Capabilities, Config, Request, SessionError, Timer, Transport,
    heard::Heard,
    queue::{Outgoing, Queue},
    timer::Timers,
};
use crate::{MessageNumber, ReplyError, StatusLine, apop_timestamp};

/// Where a session is (RFC 1939 §3, RFC 2595 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The greeting is due; nothing may be sent.
    Greeting,
    /// The client has to say who it is.
    Authorization,
    /// The server waits for the TLS handshake.
    Handshake,
    /// Logged in.
    Transaction,
    /// QUIT was accepted after a login: what was marked is deleted.
    Update,
    /// The server has said goodbye, or would not serve. Nothing is deleted,
    /// unless the reply to QUIT in TRANSACTION was negative: then some may be.
    Closed,
    /// Client and server do not understand each other any more, or not in time.
    /// Nothing but closing is left.
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
pub(super) enum Exchange {
    None,
    /// AUTH without initial response is on its way: no octet of the mechanism
    /// was sent. What did not fit into the line waits.
    Started {
        initial_response: Option<Outgoing>,
    },
    /// A response is on its way.
    Running,
    /// The response to a challenge is due from the caller.
    Challenged,
    /// `*` is on its way.
    Canceled,
}

/// How to go on after the first line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Hand it out.
    Status,
    /// It is a challenge without octets: hand it out as one.
    EmptyChallenge,
    /// It was dealt with.
    Nothing,
}

/// Everything of a session but its decoders.
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
    /// The reply to USER was positive, and nothing came after it.
    pub(super) user_accepted: bool,
    pub(super) utf8: bool,
    pub(super) under_tls: bool,
    pub(super) exchange: Exchange,
    /// Challenges of the exchange.
    challenges: u32,
    /// Marked as deleted, or DELE is on its way.
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
            exchange: Exchange::None,
            challenges: 0,
            deleted: BTreeSet::new(),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && matches!(self.exchange, Exchange::None)
    }

    /// The session is over.
    #[cold]
    pub(super) fn fail(&mut self, error: SessionError) -> SessionError {
        let awaited = match error {
            SessionError::Reply(ReplyError::Unsolicited) => Awaited::Nothing(None),
            _ => self.awaited(),
        };
        self.failure = Some((error, awaited));
        self.state = State::Desync;
        self.exchange = Exchange::None;
        self.queue.clear();
        self.timers.disarm();
        error
    }

    /// What the session waits for. A command whose turn it is counts, sent or not.
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

    /// The first line of a reply came.
    pub(super) fn status(
        &mut self,
        request: Request,
        positive: bool,
        now: Instant,
    ) -> Result<Next, SessionError> {
        self.heard.answered(request, positive);
        if request == Request::Auth && positive {
            match self.exchange {
                // MS-POP3 §2.2: `+OK` where `+` is due. It cannot be success,
                // since no mechanism succeeds without a word from the client.
                Exchange::Started { .. } => return self.challenge(0, now),
                Exchange::Canceled => return Err(SessionError::AfterCancel),
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
            // Since it was queued it counts as deleted.
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
            self.exchange = Exchange::None;
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

    /// The whole reply came: what waited may be sent.
    pub(super) fn answered(&mut self, now: Instant) {
        // A reply after the login's: the server is past what was secret.
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

    /// A challenge of so many octets came.
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
        match core::mem::replace(&mut self.exchange, Exchange::Challenged) {
            Exchange::Canceled => Err(SessionError::AfterCancel),
            Exchange::Started {
                initial_response: Some(response),
            } => {
                self.exchange = Exchange::Running;
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

    /// Lets go of what may be sent now.
    pub(super) fn release(&mut self) {
        // Only after login: before it each reply decides what comes next.
        let pipelining = self.config.pipelining
            && self.state == State::Transaction
            && self.capabilities.is_current()
            && self.capabilities.pipelining();
        let window = self.config.limits.window_octets;
        self.queue.release(pipelining.then_some(window));
    }
}

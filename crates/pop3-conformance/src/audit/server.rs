//! The scripted server, without I/O: octets of the client in, actions out; time is
//! a parameter.

use std::time::Duration;

use super::{
    log::{Entry, Log, OCTETS_KEPT, State},
    maildrop::{Answer, Ends, Maildrop},
    outbox::{Outbox, Step},
    scenario::{Scenario, Then},
};

mod commands;

/// The longest line of a client that is examined. RFC 2449 §4 allows 255 octets; a
/// longer line than this is cut, and noted.
pub const MAX_LINE: usize = 8192;

/// The most commands of a connection.
pub const MAX_COMMANDS: usize = 500;

/// The most octets that wait to be sent: no client needs to request more without
/// reading any.
const QUEUE_MAX: usize = 16 << 20;

/// The most octets that a server sends of an endless line. A client that reads all
/// of them has no limit.
pub const MAX_FLOOD: usize = 64 << 20;

/// The first octet of a TLS handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// A piece of the flood.
const FLOOD_PIECE: usize = 1 << 16;

/// The interval at which a slow server sends an octet.
const DRIP: Duration = Duration::from_millis(100);

/// A server that plays a [`Scenario`] on one connection.
///
/// ```
/// use std::time::Duration;
/// use pop3_conformance::audit::{Action, Scenario, Server};
///
/// let scenario = &Scenario::parse("plain", "why = 'All is well.'").unwrap()[0];
/// let mut server = Server::new(scenario);
/// let now = Duration::ZERO;
/// assert_eq!(server.poll(now), Action::Send(b"+OK ready\r\n".to_vec()));
/// assert_eq!(server.poll(now), Action::Read);
/// server.handle_input(b"NOOP\r\n");
/// assert_eq!(server.poll(now), Action::Send(b"+OK nothing done\r\n".to_vec()));
/// ```
#[derive(Debug)]
pub struct Server<'s> {
    scenario: &'s Scenario,
    log: Log,
    state: State,
    tls: bool,
    /// The number of uses of each rule.
    used: Vec<u32>,
    maildrop: Maildrop,
    /// The message-numbers that DELE has marked.
    deleted: Vec<usize>,
    /// The messages that QUIT has removed, by their numbers in the scenario.
    removed: Vec<usize>,
    line: Vec<u8>,
    line_is_too_long: bool,
    commands: usize,
    outbox: Outbox,
    mode: Mode,
    owes: bool,
    /// Whether the client was told to begin TLS although the server will not
    /// continue with it.
    expects_hello: bool,
    /// Whether the input is TLS, which the server does not read.
    deaf: bool,
}

/// What a driver must do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these octets, and poll again.
    Send(Vec<u8>),
    /// Do the server's part of a TLS handshake, call
    /// [`handle_tls`](Server::handle_tls), and poll again.
    StartTls,
    /// Close the sending side. Input is still welcome.
    Close,
    /// Poll again at this time, or after input.
    Wait(Duration),
    /// Poll again after input.
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Talking,
    Silent,
    /// Sends an octet now and then; the next one is due at this time.
    Dripping(Duration),
    /// Sends an endless line; this number of octets was sent.
    Flooding(usize),
    Closing,
    Closed,
}

impl<'s> Server<'s> {
    /// A server with all messages, whose client has just connected.
    #[must_use]
    pub fn new(scenario: &'s Scenario) -> Self {
        Self::with_maildrop(scenario, Maildrop::new(scenario))
    }

    /// A server with the messages that earlier sessions left.
    #[must_use]
    pub fn with_maildrop(scenario: &'s Scenario, maildrop: Maildrop) -> Self {
        let mut server = Self {
            scenario,
            log: Log::new(maildrop.clone()),
            state: State::Greeting,
            tls: false,
            used: vec![0; scenario.rules.len()],
            maildrop,
            deleted: Vec::new(),
            removed: Vec::new(),
            line: Vec::new(),
            line_is_too_long: false,
            commands: 0,
            outbox: Outbox::default(),
            mode: Mode::Talking,
            owes: false,
            expects_hello: false,
            deaf: false,
        };
        let greeting = Answer {
            octets: b"+OK ready\r\n".to_vec(),
            state: State::Authorization,
            ends: Ends::Nothing,
        };
        server.answer(&["CONNECT".to_owned()], greeting);
        server
    }

    /// Handles octets from the client.
    pub fn handle_input(&mut self, octets: &[u8]) {
        for &octet in octets {
            if std::mem::take(&mut self.expects_hello) && octet == HANDSHAKE {
                // This is neither a command nor an expected TLS handshake.
                self.log.push(Entry::Tls(false));
                self.outbox.send(b"-ERR what is this?\r\n", &[]);
                self.outbox.end(self.state, Then::Close);
                self.deaf = true;
            }
            if self.deaf {
                return;
            }
            if octet == b'\n' {
                self.handle_line();
            } else if self.line.len() < MAX_LINE {
                self.line.push(octet);
            } else {
                self.line_is_too_long = true;
            }
        }
    }

    /// Handles that the client has closed its side.
    pub fn handle_end(&mut self) {
        self.log.push(Entry::ClientClosed);
    }

    /// Handles that nothing can be sent to the client any more.
    pub fn handle_broken(&mut self) {
        self.outbox.clear();
        self.mode = Mode::Closed;
    }

    /// Handles the end of a TLS handshake.
    pub fn handle_tls(&mut self, established: bool) {
        self.log.push(Entry::Tls(established));
        self.tls = established;
        if !established {
            self.mode = Mode::Closing;
        }
    }

    /// Returns what to do next. Call it again after each [`Action::Send`] and
    /// [`Action::StartTls`].
    pub fn poll(&mut self, now: Duration) -> Action {
        while let Some(step) = self.outbox.next(now) {
            match step {
                Step::Send(octets) => {
                    let kept = octets[..octets.len().min(OCTETS_KEPT)].to_vec();
                    self.log.push(Entry::Sent(kept));
                    return Action::Send(octets);
                }
                Step::Pause(_) | Step::EndOfMessage { .. } => {}
                Step::Until(due) => return Action::Wait(due),
                Step::Enter(state) => self.state = state,
                Step::End(Then::GoOn) => {}
                Step::End(Then::Owe) => self.owes = true,
                Step::End(Then::Close) => self.mode = Mode::Closing,
                Step::End(Then::Silence) => self.mode = Mode::Silent,
                Step::End(Then::Drip) => self.mode = Mode::Dripping(Duration::ZERO),
                Step::End(Then::Flood) => self.mode = Mode::Flooding(0),
                Step::End(Then::Tls) => return Action::StartTls,
            }
        }
        match self.mode {
            Mode::Talking | Mode::Silent | Mode::Closed => Action::Read,
            Mode::Closing => {
                self.mode = Mode::Closed;
                self.log.push(Entry::ServerClosed);
                Action::Close
            }
            Mode::Dripping(due) if now < due => Action::Wait(due),
            Mode::Dripping(_) => {
                self.mode = Mode::Dripping(now + DRIP);
                Action::Send(b"a".to_vec())
            }
            Mode::Flooding(sent) if sent >= MAX_FLOOD => {
                self.log.took_the_flood = true;
                self.mode = Mode::Silent;
                Action::Read
            }
            Mode::Flooding(sent) => {
                self.mode = Mode::Flooding(sent + FLOOD_PIECE);
                Action::Send(vec![b'a'; FLOOD_PIECE])
            }
        }
    }

    /// Whether the server owes the client octets.
    #[must_use]
    pub fn owes(&self) -> bool {
        self.owes
            || matches!(
                self.mode,
                Mode::Silent | Mode::Dripping(_) | Mode::Flooding(_)
            )
    }

    /// Whether the server is sending an endless line.
    #[cfg(all(unix, feature = "run"))]
    #[must_use]
    pub(super) const fn is_flooding(&self) -> bool {
        matches!(self.mode, Mode::Flooding(_))
    }

    /// The messages that this session has removed: those marked by DELE, once QUIT
    /// is answered with `+OK`. Pass them to [`Maildrop::remove`].
    #[must_use]
    pub fn removed(&self) -> &[usize] {
        &self.removed
    }

    /// The log so far.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Returns the log.
    #[must_use]
    pub fn into_log(mut self) -> Log {
        if !self.line.is_empty() {
            // Log a last line without an end, too.
            self.note(false);
        }
        self.log
    }
}

#[cfg(test)]
mod tests;

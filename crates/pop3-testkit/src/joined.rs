//! Joins our client and our server in memory, with two wires, a mail store, and a
//! clock that only the test moves.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use pop3_proto::{
    Mechanism,
    client::{self, Event, Reply, Request, Retrieved, SessionError},
    server::{self, Closed, Login, Tls, Verdict},
};

use crate::{
    oracle::{self, Answer},
    store::{Locked, Store},
    wire::{Cut, Wire},
};

/// More moves than any script needs: a session with more never ends.
const MOST_MOVES: usize = 4_000_000;

/// What one side has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A whole line of the client, without CRLF, that the server has read.
    Read(Vec<u8>),
    /// An answer that the client has received: the greeting, a challenge, or a
    /// whole reply.
    Told(Answer),
}

/// One connection of a client and a server.
#[derive(Debug)]
pub struct Joined {
    /// The client's session. Call [`settle`](Self::settle) after using it.
    pub client: client::Session,
    /// The present time.
    pub now: Instant,
    /// The time of the last action from which the client's timers count. The
    /// server's autologout timer counts from [`server_acted`](Self::server_acted).
    pub client_acted: Instant,
    /// See [`client_acted`](Self::client_acted).
    pub server_acted: Instant,
    /// Lines and answers in the order in which the other side received them. The
    /// test removes those that it has handled.
    pub turns: VecDeque<Turn>,
    /// The proofs that the client returned, by message-number.
    pub proofs: BTreeMap<u32, Retrieved>,
    /// The part of the current block that the client has received.
    pub block: Vec<u8>,
    /// How the server's session ended.
    pub closed: Option<Closed>,
    /// How the client's session ended.
    pub ended: Option<Result<(), SessionError>>,
    server: server::Session<Locked>,
    store: Store,
    up: Wire,
    down: Wire,
    line: Vec<u8>,
    moves: usize,
}

impl Joined {
    /// Creates a new connection, whose octets are cut in these ways to the server
    /// and to the client.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn new(
        client: client::Config,
        store: &Store,
        cuts: [Cut; 2],
        seed: u64,
        now: Instant,
    ) -> Self {
        let config = Mechanism::new("PLAIN").and_then(|plain| {
            let config = server::Config::new()
                .tls(Tls::Unavailable)
                .dangerous_plaintext_without_tls(true);
            config.mechanisms(&[plain])
        });
        let server = server::Session::new(config.expect("a mechanism"), now);
        Self {
            client: client::Session::new(client, now),
            now,
            client_acted: now,
            server_acted: now,
            turns: VecDeque::new(),
            proofs: BTreeMap::new(),
            closed: None,
            ended: None,
            server,
            store: store.clone(),
            up: Wire::new(cuts[0], seed),
            down: Wire::new(cuts[1], !seed),
            line: Vec::new(),
            block: Vec::new(),
            moves: 0,
        }
    }

    /// Whether the session is over on both sides.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.closed.is_some() && self.ended.is_some()
    }

    /// The server's autologout timer.
    #[must_use]
    pub fn autologout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    /// Makes one move of either side or of octets in transit, or up to eight of the
    /// same kind. Returns `false` if nothing can move.
    ///
    /// # Panics
    ///
    /// If the session seems never to end.
    pub fn step(&mut self) -> bool {
        self.moves += 1;
        assert!(self.moves < MOST_MOVES, "there is no end to it");
        let draw = self.up.draw();
        let mut kinds = (0..6).map(|other| (draw % 6 + other) % 6);
        let Some(kind) = kinds.find(|&kind| self.act(kind)) else {
            return false;
        };
        let _ = (0..draw >> 8 & 7).all(|_| self.act(kind));
        true
    }

    /// Makes moves until nothing can move.
    ///
    /// # Panics
    ///
    /// If octets are left that neither side reads, or the session seems never to
    /// end.
    pub fn settle(&mut self) {
        while self.step() {}
        assert!(self.up.is_empty(), "the server does not read on");
        assert!(self.down.is_empty(), "the client does not read on");
    }

    /// Lets time pass while no octet moves. If timers expire, handles only the
    /// first one; the client's if both expire at the same time.
    pub fn wait(&mut self, time: Duration) {
        let (client, server) = (self.client.poll_timeout(), self.autologout());
        let end = self.now + time;
        let first = client.into_iter().chain(server).min();
        if let Some(first) = first.filter(|&first| first <= end) {
            self.now = self.now.max(first);
            if client == Some(first) {
                self.ended = self.client.handle_timeout(self.now).err().map(Err);
            } else {
                self.server.handle_timeout(self.now);
                self.server_decides();
            }
        }
        self.now = end;
    }

    /// Closes the client's side. Octets in transit arrive, or are lost.
    pub fn hang_up(&mut self, lost: bool) {
        while !lost && (self.server_reads() || self.server_sends() || self.server_decides()) {}
        while !lost && self.client_reads() {}
        self.up.clear();
        self.down.clear();
        self.server.handle_eof();
        while self.server_sends() || self.server_decides() {}
        self.down.clear();
        self.client_sees_the_end();
    }

    fn act(&mut self, kind: u64) -> bool {
        match kind {
            0 => self.client_sends(),
            1 => self.server_reads(),
            2 => self.server_sends(),
            3 => self.server_decides(),
            4 => self.client_reads(),
            _ => self.client_sees_the_end(),
        }
    }

    fn client_sends(&mut self) -> bool {
        let Some(octets) = self.client.poll_transmit().filter(|_| self.ended.is_none()) else {
            return false;
        };
        let sent = self.up.send(octets);
        self.client.handle_transmitted(self.now, sent);
        true
    }

    fn server_reads(&mut self) -> bool {
        if self.closed.is_some() {
            self.up.clear();
        }
        let Some(octets) = self.up.arriving() else {
            return false;
        };
        let consumed = self.server.handle_input(self.now, octets);
        for &octet in &octets[..consumed] {
            self.line.push(octet);
            if self.line.ends_with(b"\r\n") {
                self.line.truncate(self.line.len() - 2);
                let line = std::mem::take(&mut self.line);
                self.turns.push_back(Turn::Read(line));
                self.server_acted = self.now;
            }
        }
        self.up.taken(consumed);
        // Decides at once, so that each login that was read is also decided.
        self.server_decides();
        consumed > 0
    }

    fn server_sends(&mut self) -> bool {
        let Some(octets) = self.server.poll_transmit() else {
            return false;
        };
        let sent = self.down.send(octets);
        self.server.handle_transmitted(self.now, sent);
        self.server_acted = self.now;
        true
    }

    fn server_decides(&mut self) -> bool {
        let right = match self.server.poll_event() {
            None => return false,
            Some(server::Event::Closed(how)) => {
                assert_eq!(self.closed.replace(how), None, "the end comes once");
                return true;
            }
            Some(server::Event::Login(Login::Password { name, password })) => {
                oracle::account(Some(name.as_str()), password.expose()).is_none()
            }
            Some(server::Event::Login(Login::Sasl {
                initial_response: None,
                ..
            })) => {
                let asked = self.server.challenge(self.now, "");
                assert_eq!(asked, Ok(()), "an empty challenge");
                self.server_acted = self.now;
                return true;
            }
            Some(server::Event::Login(Login::Sasl {
                initial_response: Some(response),
                ..
            }))
            | Some(server::Event::SaslResponse(response)) => {
                oracle::account(None, response.expose()).is_none()
            }
            Some(_) => return true,
        };
        let verdict = match right {
            true => self.store.lock().map_or(Verdict::InUse, Verdict::Accept),
            false => Verdict::Reject,
        };
        self.server.answer(self.now, verdict);
        self.server_acted = self.now;
        true
    }

    fn client_reads(&mut self) -> bool {
        if self.ended.is_some() {
            self.down.clear();
        }
        let Some(octets) = self.down.arriving() else {
            return false;
        };
        let step = self.client.handle_input(self.now, octets);
        let step = step.unwrap_or_else(|error| panic!("our server is not understood: {error}"));
        let consumed = step.consumed;
        let moved = consumed > 0 || step.event.is_some();
        match step.event {
            None => {}
            Some(Event::Greeting(greeting)) => {
                let answer = match greeting.is_positive() {
                    true => Answer::Yes(None, None),
                    false => Answer::No(None),
                };
                self.turns.push_back(Turn::Told(answer));
            }
            Some(Event::Status(reply)) => self.turns.extend(answer(&reply).map(Turn::Told)),
            Some(Event::Challenge(_)) => self.turns.push_back(Turn::Told(Answer::Challenge)),
            Some(Event::Data(octets) | Event::Line(octets)) => self.block.extend(octets),
            Some(Event::Scan(line)) => {
                let line = format!("{} {}\r\n", line.number, line.octets);
                self.block.extend(line.as_bytes());
            }
            Some(Event::UniqueId(line)) => {
                let line = format!("{} {}\r\n", line.number, line.unique_id);
                self.block.extend(line.as_bytes());
            }
            Some(Event::Capability(line)) => self.block.extend(format!("{line}\r\n").as_bytes()),
            Some(Event::End(end)) => {
                assert_eq!(end.complete.octets, self.block.len() as u64, "{end:?}");
                self.proofs
                    .extend(end.retrieved.map(|proof| (proof.number().get(), proof)));
                let block = std::mem::take(&mut self.block);
                let answer = Answer::Yes(None, Some(block));
                self.turns.push_back(Turn::Told(answer));
            }
            Some(other) => panic!("our server does not send what gives {other:?}"),
        }
        self.down.taken(consumed);
        self.client_acted = self.now;
        moved
    }

    fn client_sees_the_end(&mut self) -> bool {
        let is_due = self.closed.is_some() && self.down.is_empty() && self.ended.is_none();
        if is_due {
            self.ended = Some(self.client.handle_eof());
        }
        is_due
    }
}

/// Returns the answer in the first line of a reply, unless a block follows.
fn answer(reply: &Reply<'_>) -> Option<Answer> {
    let text = match reply.request {
        _ if !reply.is_positive() => return Some(Answer::No(None)),
        Request::Capa | Request::List(None) | Request::Uidl(None) => return None,
        Request::Retr(_) | Request::Top(..) => return None,
        Request::Stat => reply
            .drop_listing()
            .map(|listing| format!("{} {}", listing.messages, listing.octets)),
        Request::List(Some(_)) => reply
            .scan_listing()
            .map(|listing| format!("{} {}", listing.number, listing.octets)),
        Request::Uidl(Some(_)) => reply
            .unique_id_listing()
            .map(|listing| format!("{} {}", listing.number, listing.unique_id)),
        _ => return Some(Answer::Yes(None, None)),
    };
    let text = text.unwrap_or_else(|error| panic!("our server does not send what gives {error}"));
    Some(Answer::Yes(Some(text), None))
}

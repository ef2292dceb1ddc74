//! Faulty servers: the session of pop3-proto, with one call replaced by a faulty
//! one.

mod retrieves;

use std::{mem, time::Instant};

use pop3_proto::server::{Closed, Config, Event, State};

use self::retrieves::Retrieves;
use super::{KnownBug, Role};
use crate::view::{Server, ServerSession, Servers};

/// A name, the software with the bug, and the faulty server.
type Row = (&'static str, &'static str, Servers);

const SERVERS: [Row; 9] = [
    (
        "obeys-what-is-pipelined-behind-stls",
        "CVE-2021-38084: Courier",
        |config, now| {
            Box::new(Late {
                inner: ServerSession::new(config, now),
                handshake: false,
                kept: Vec::new(),
            })
        },
    ),
    (
        "retrieves-deleted-messages",
        "Stalwart crates/pop3",
        |config, now| {
            let lines = Lines::new(config, now, |line| line.to_vec());
            Box::new(Retrieves::new(lines))
        },
    ),
    (
        "top-0-sends-the-body",
        "Stalwart crates/pop3: no lines are all lines",
        |config, now| Box::new(Lines::new(config, now, top_0)),
    ),
    (
        "rset-takes-no-mark-off",
        "pop3 1.0.6 sends RETR for RSET, so that servers never see one",
        |config, now| {
            Box::new(Lines::new(config, now, |line| {
                match line.eq_ignore_ascii_case(b"RSET\r\n") {
                    true => b"NOOP\r\n".to_vec(),
                    false => line.to_vec(),
                }
            }))
        },
    ),
    (
        "a-long-command-is-two",
        "rust-pop3-client, poplib: what is left of a long line is the next one",
        |config, now| {
            Box::new(Lines::new(config, now, |line| match line.len() {
                ..256 => line.to_vec(),
                _ => [&line[..200], b"\r\n", &line[255..]].concat(),
            }))
        },
    ),
    (
        "a-dropped-connection-removes",
        "against RFC 1939 §6 (clients leave without QUIT: mailpit#311, mailpit#317)",
        |config, now| {
            Box::new(Removes {
                inner: ServerSession::new(config, now),
                on_eof: true,
            })
        },
    ),
    (
        "autologout-removes",
        "against RFC 1939 §3",
        |config, now| {
            Box::new(Removes {
                inner: ServerSession::new(config, now),
                on_eof: false,
            })
        },
    ),
    (
        "ends-a-message-that-breaks-off",
        "against RFC 1939 §3: a failed read is the end of the file",
        |config, now| {
            Box::new(Ends {
                inner: ServerSession::new(config, now),
                owes: b"",
            })
        },
    ),
    (
        "says-ok-when-nothing-is-removed",
        "against RFC 1939 §6",
        |config, now| Box::new(Agrees(ServerSession::new(config, now))),
    ),
];

pub(super) fn all() -> Vec<KnownBug> {
    let bug = |(name, source, servers)| KnownBug {
        name,
        source,
        role: Role::Server(servers),
    };
    SERVERS.map(bug).into()
}

/// Keeps commands that arrived before the handshake.
struct Late {
    inner: ServerSession,
    handshake: bool,
    kept: Vec<u8>,
}

impl Server for Late {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.inner
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.inner.poll_event();
        self.handshake |= event == Some(Event::StartTls);
        event
    }

    fn handle_tls(&mut self, now: Instant) {
        self.handshake = false;
        self.inner.handle_tls(now);
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        if self.handshake {
            self.kept.extend_from_slice(input);
            return input.len();
        }
        // Passes only one command.
        let line_end = input.iter().position(|&octet| octet == b'\n');
        self.inner
            .handle_input(now, line_end.map_or(input, |end| &input[..=end]))
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let mut sent = self.inner.transmit(now);
        while !self.handshake && !self.kept.is_empty() {
            let consumed = self.inner.handle_input(now, &self.kept);
            self.kept.drain(..consumed);
            sent.extend(self.inner.transmit(now));
            if consumed == 0 {
                break;
            }
        }
        sent
    }
}

/// Replaces each line with another.
struct Lines {
    inner: ServerSession,
    rewrite: fn(&[u8]) -> Vec<u8>,
    line: Vec<u8>,
    /// The lines that the session has not read yet.
    waiting: Vec<u8>,
}

impl Lines {
    fn new(config: Config, now: Instant, rewrite: fn(&[u8]) -> Vec<u8>) -> Self {
        Self {
            inner: ServerSession::new(config, now),
            rewrite,
            line: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Returns the next line, if it is whole and can be read now.
    fn next_line(&mut self, input: &[u8]) -> (usize, Option<Vec<u8>>) {
        if !self.waiting.is_empty() {
            return (0, None);
        }
        let line_end = input.iter().position(|&octet| octet == b'\n');
        let consumed = line_end.map_or(input.len(), |end| end + 1);
        self.line.extend_from_slice(&input[..consumed]);
        let is_whole = self.line.ends_with(b"\r\n");
        (consumed, is_whole.then(|| mem::take(&mut self.line)))
    }

    fn read(&mut self, now: Instant) {
        let consumed = self.inner.handle_input(now, &self.waiting);
        self.waiting.drain(..consumed);
    }
}

impl Server for Lines {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        let (consumed, line) = self.next_line(input);
        if let Some(line) = line {
            self.waiting = (self.rewrite)(&line);
        }
        self.read(now);
        consumed
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let mut sent = self.inner.transmit(now);
        while !self.waiting.is_empty() {
            let left = self.waiting.len();
            self.read(now);
            sent.extend(self.inner.transmit(now));
            if self.waiting.len() == left {
                break;
            }
        }
        sent
    }

    fn handle_tls(&mut self, now: Instant) {
        self.line.clear();
        self.inner.handle_tls(now);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.waiting = mem::take(&mut self.line);
        self.read(now);
        self.inner.handle_eof();
    }
}

fn top_0(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let words: Vec<&str> = text.trim_end().split(' ').collect();
    match words[..] {
        ["TOP", number, "0"] => format!("RETR {number}\r\n").into_bytes(),
        _ => line.to_vec(),
    }
}

/// Removes marked messages, however the session ends.
struct Removes {
    inner: ServerSession,
    on_eof: bool,
}

impl Removes {
    fn quit(&mut self, now: Instant) {
        if self.inner.state() == State::Transaction {
            // Ends an unfinished command first.
            let _ = self.inner.handle_input(now, b"\r\n");
            let _ = self.inner.transmit(now);
            let _ = self.inner.handle_input(now, b"QUIT\r\n");
            let _ = self.inner.transmit(now);
        }
    }
}

impl Server for Removes {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.inner
    }

    fn handle_eof(&mut self, now: Instant) {
        if self.on_eof {
            self.quit(now);
        }
        self.inner.handle_eof();
    }

    fn handle_timeout(&mut self, now: Instant) {
        let is_due = self.inner.poll_timeout().is_some_and(|due| due <= now);
        if is_due && !self.on_eof {
            self.quit(now);
        }
        self.inner.handle_timeout(now);
    }
}

/// Sends the terminator after a message that could not be read completely.
struct Ends {
    inner: ServerSession,
    owes: &'static [u8],
}

impl Server for Ends {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.inner
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.inner.poll_event();
        if event == Some(Event::Closed(Closed::MessageFailed)) {
            self.owes = b"\r\n.\r\n";
        }
        event
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let mut sent = self.inner.transmit(now);
        sent.extend(mem::take(&mut self.owes));
        sent
    }
}

/// Ends the UPDATE state with the same reply, whatever happened in it.
struct Agrees(ServerSession);

impl Server for Agrees {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.0
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        const FAILED: &[u8] = b"-ERR [SYS/TEMP] some deleted";
        let mut sent = self.0.transmit(now);
        if let Some(at) = sent
            .windows(FAILED.len())
            .position(|octets| octets == FAILED)
        {
            sent.truncate(at);
            sent.extend(b"+OK goodbye\r\n");
        }
        sent
    }
}

//! One connection: commands as octets, replies as what they were.
//!
//! Replies are read with the decoder that our own client has, by the rule that
//! Outlook reads them by: it takes any line for a reply, so that the rows can
//! say what is wrong with one.

use std::{
    io,
    time::{Duration, Instant},
};

use dot_stuffing::{AnomalyKind, Inspector};
use pop3_proto::{
    IndicatorRule, ReplyError, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder, StatusLine,
};

use super::{
    Limits,
    connection::{Connection, Network},
    evidence::Secrets,
};

/// Octets asked for at once.
const READ_OCTETS: usize = 16 * 1024;

/// A whole reply.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    /// Whether its first octet is `+` (MS-STANOPOP3 V0001).
    pub(super) positive: bool,
    /// Whether it begins with `+OK` or `-ERR` (RFC 1939 §3).
    pub(super) exact: bool,
    /// What follows the indicator.
    pub(super) text: Vec<u8>,
    /// What the block holds, stuffing undone; empty if there is none.
    pub(super) block: Vec<u8>,
    /// Lines of the block that lost a dot.
    pub(super) stuffed_lines: u64,
    /// The first line that begins with one dot and goes on: where, on the wire.
    pub(super) unstuffed: Option<u64>,
    /// The exchange, for people.
    pub(super) shown: String,
}

/// Why there is no whole reply.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// The exchange, for people.
    pub(super) shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// No octet of it came.
    Silent,
    /// A first line without CRLF.
    LineUnended,
    /// A first line of more than 512 octets.
    LineTooLong,
    /// A positive first line, and then no block where one is due.
    NoBlock,
    /// A block without its last line.
    BlockUnended,
    /// A block that goes on and on.
    BlockTooLong,
    /// The command could not be sent.
    Unsent,
    /// The run as a whole has taken too long.
    OutOfTime,
    /// USER is neither announced nor taken.
    NoLogin,
    /// No session to ask in.
    NoSession,
}

pub(super) type Answer = Result<Reply, Trouble>;

/// A connection that was made, with what came on it and is not read yet.
pub(super) struct Dialogue {
    connection: Box<dyn Connection>,
    unread: Vec<u8>,
    limits: Limits,
    secrets: Secrets,
    /// When the run has to be over.
    end: Instant,
    /// Not in step: a reply is missing, or one came that answers nothing.
    pub(super) broken: bool,
}

impl Dialogue {
    pub(super) fn new(
        connection: Box<dyn Connection>,
        limits: Limits,
        secrets: Secrets,
        end: Instant,
    ) -> Self {
        Self {
            connection,
            unread: Vec::new(),
            limits,
            secrets,
            end,
            broken: false,
        }
    }

    /// Sends a command and reads its reply.
    pub(super) fn ask(&mut self, network: &dyn Network, command: &[u8], kind: ReplyKind) -> Answer {
        let shown = self.secrets.sent(command);
        self.send(network, command)
            .and_then(|()| self.reply(network, kind))
            .map_err(|trouble| trouble.after(&shown))
            .map(|reply| reply.after(&shown))
    }

    pub(super) fn send(&mut self, network: &dyn Network, octets: &[u8]) -> Result<(), Trouble> {
        if self.broken {
            return Err(self.trouble(TroubleKind::NoSession, b""));
        }
        let within = self.left(network, self.limits.reply)?;
        match self.connection.send(octets, within) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.broken = true;
                Err(self.trouble(TroubleKind::Unsent, b""))
            }
        }
    }

    /// Reads the next reply, or the greeting.
    pub(super) fn reply(&mut self, network: &dyn Network, kind: ReplyKind) -> Answer {
        let mut reading = Reading::new(kind, &self.limits);
        let deadline = network.now() + self.limits.reply;
        loop {
            match reading.take(&mut self.unread) {
                Ok(Some(mut reply)) => {
                    reply.shown = self.secrets.received(&reading.head);
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(kind) => {
                    self.broken = true;
                    return Err(self.trouble(kind, &reading.head));
                }
            }
            if let Err(stopped) = self.fill(network, deadline) {
                self.broken = true;
                let kind = match stopped {
                    Some(kind) => kind,
                    None => reading.unfinished(),
                };
                return Err(self.trouble(kind, &reading.head));
            }
        }
    }

    /// Waits for more octets. `Err(None)` if there are none.
    fn fill(
        &mut self,
        network: &dyn Network,
        deadline: Instant,
    ) -> Result<(), Option<TroubleKind>> {
        let now = network.now();
        if now >= self.end {
            return Err(Some(TroubleKind::OutOfTime));
        }
        let within = deadline.min(self.end).saturating_duration_since(now);
        if within.is_zero() {
            return Err(None);
        }
        let mut buffer = [0; READ_OCTETS];
        match self.connection.receive(&mut buffer, within) {
            Ok(0) | Err(_) => Err(None),
            Ok(octets) => {
                self.unread
                    .extend_from_slice(&buffer[..octets.min(READ_OCTETS)]);
                Ok(())
            }
        }
    }

    /// What came and answers nothing, if there is such. Nothing can be asked
    /// after it.
    pub(super) fn unasked(&mut self) -> Option<String> {
        // What is left of a reply that could not be read is no news.
        if self.unread.is_empty() || self.broken {
            return None;
        }
        self.broken = true;
        let octets = std::mem::take(&mut self.unread);
        Some(self.secrets.received(&octets))
    }

    /// What else comes within a short time, at most a few lines of it.
    pub(super) fn linger(&mut self, network: &dyn Network) -> Option<String> {
        let deadline = network.now() + self.limits.linger;
        while self.unread.len() < READ_OCTETS && self.fill(network, deadline).is_ok() {}
        self.unasked()
    }

    /// Whether the server ends the connection, and says nothing more.
    pub(super) fn ends(&mut self, network: &dyn Network) -> bool {
        let mut buffer = [0; 1];
        self.broken = true;
        let Ok(within) = self.left(network, self.limits.linger) else {
            return false;
        };
        match self.connection.receive(&mut buffer, within) {
            Ok(octets) => octets == 0,
            Err(error) => !matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ),
        }
    }

    /// The TLS handshake. What came before it is forgotten, and returned.
    pub(super) fn start_tls(&mut self, network: &dyn Network) -> Result<String, io::Error> {
        let before = match self.unread.is_empty() {
            true => String::new(),
            false => self.secrets.received(&self.unread),
        };
        self.unread.clear();
        let within = match self.left(network, self.limits.reply) {
            Ok(within) => within,
            Err(trouble) => return Err(io::Error::other(trouble.kind.in_words())),
        };
        match self.connection.start_tls(within) {
            Ok(()) => Ok(before),
            Err(error) => {
                self.broken = true;
                Err(error)
            }
        }
    }

    fn left(&self, network: &dyn Network, most: Duration) -> Result<Duration, Trouble> {
        let left = self.end.saturating_duration_since(network.now());
        match left.is_zero() {
            true => Err(self.trouble(TroubleKind::OutOfTime, b"")),
            false => Ok(left.min(most)),
        }
    }

    fn trouble(&self, kind: TroubleKind, head: &[u8]) -> Trouble {
        Trouble {
            kind,
            shown: self.secrets.received(head),
        }
    }
}

impl Reply {
    fn after(mut self, command: &str) -> Self {
        self.shown = format!("{command}\n{}", self.shown);
        self
    }
}

impl Trouble {
    pub(super) fn none() -> Self {
        Self {
            kind: TroubleKind::NoSession,
            shown: String::new(),
        }
    }

    fn after(mut self, command: &str) -> Self {
        let what = self.kind.in_words();
        self.shown = format!("{command}\n{}\n({what})", self.shown);
        self
    }
}

impl TroubleKind {
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Silent => "no answer",
            Self::LineUnended => "no CRLF came",
            Self::LineTooLong => "the line is longer than 512 octets",
            Self::NoBlock => "no block came",
            Self::BlockUnended => "the line with the dot alone did not come",
            Self::BlockTooLong => "the block has more octets than this check takes",
            Self::Unsent => "the connection takes no octets",
            Self::OutOfTime => "the run was out of time",
            Self::NoLogin => "no login by USER",
            Self::NoSession => "there was no session to ask in",
        }
    }
}

/// A reply as it comes in.
struct Reading {
    decoder: ResponseDecoder,
    inspector: Inspector,
    reply: Reply,
    in_block: bool,
    /// Octets of the block, on the wire.
    block_octets: u64,
    /// The first octets, for people.
    head: Vec<u8>,
}

/// The most octets that are kept to be shown.
const HEAD: usize = 4 * 1024;

impl Reading {
    fn new(kind: ReplyKind, limits: &Limits) -> Self {
        let rule = ReplyRule {
            indicator: IndicatorRule::FirstOctet,
            dot_line_ends_listing: false,
            max_message_octets: limits.block_octets,
            max_listing_octets: limits.block_octets,
            ..ReplyRule::RFC1939
        };
        let mut decoder = ResponseDecoder::new(rule);
        decoder.expect(kind);
        Self {
            decoder,
            inspector: Inspector::new(),
            reply: Reply::default(),
            in_block: false,
            block_octets: 0,
            head: Vec::new(),
        }
    }

    /// Takes octets off the front; the reply when it is whole.
    fn take(&mut self, unread: &mut Vec<u8>) -> Result<Option<Reply>, TroubleKind> {
        let mut at = 0;
        let done = loop {
            let input = &unread[at..];
            if input.is_empty() {
                break Ok(None);
            }
            let step = match self.decoder.decode(input) {
                Ok(step) => step,
                Err(error) => {
                    self.keep(&unread[at..]);
                    break Err(match error {
                        ReplyError::Block(_) => TroubleKind::BlockTooLong,
                        _ => TroubleKind::LineTooLong,
                    });
                }
            };
            let consumed = step.consumed;
            let was_in_block = self.in_block;
            match step.event {
                None => {}
                Some(ReplyPart::Status(status)) => {
                    self.reply.positive = status.is_positive();
                    self.reply.text = status.text().to_vec();
                    self.in_block = true;
                }
                Some(ReplyPart::Challenge(challenge)) => {
                    self.reply.positive = true;
                    self.reply.exact = true;
                    self.reply.text = challenge.to_vec();
                }
                Some(ReplyPart::Data(octets)) => self.reply.block.extend_from_slice(octets),
                Some(ReplyPart::End(complete)) => {
                    self.reply.stuffed_lines = complete.stuffed_lines;
                }
            }
            let wire = &unread[at..at + consumed];
            self.keep(wire);
            if was_in_block {
                self.inspect(wire);
            }
            at += consumed;
            if self.decoder.is_idle() {
                break Ok(Some(()));
            }
        };
        unread.drain(..at);
        let done = done?;
        Ok(done.map(|()| {
            let line = self.head.split(|octet| *octet == b'\r').next();
            let line = line.unwrap_or_default();
            self.reply.exact |= StatusLine::parse(line, IndicatorRule::Exact).is_ok();
            std::mem::take(&mut self.reply)
        }))
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn inspect(&mut self, wire: &[u8]) {
        self.block_octets += wire.len() as u64;
        let unstuffed = &mut self.reply.unstuffed;
        self.inspector.inspect(wire, |anomaly| {
            if anomaly.kind == AnomalyKind::UnstuffedDot && unstuffed.is_none() {
                *unstuffed = Some(anomaly.offset);
            }
        });
    }

    /// What is missing, if nothing more comes.
    fn unfinished(&self) -> TroubleKind {
        match (self.head.is_empty(), self.in_block, self.block_octets) {
            (true, ..) => TroubleKind::Silent,
            (_, false, _) => TroubleKind::LineUnended,
            (_, true, 0) => TroubleKind::NoBlock,
            (_, true, _) => TroubleKind::BlockUnended,
        }
    }
}

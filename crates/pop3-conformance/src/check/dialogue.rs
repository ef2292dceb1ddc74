//! One connection: sends commands as octets, and reads replies.
//!
//! Replies are read with the decoder of our own client, by Outlook's rule: it
//! accepts any line as a reply, so that the rows can say what is wrong with one.

use std::{
    io,
    time::{Duration, Instant},
};

use pop3_proto::ReplyKind;

use super::{
    Limits,
    connection::{Connection, Network},
    evidence::Secrets,
};

mod reading;
mod reply;

pub(super) use reply::{Answer, Reply, Trouble, TroubleKind};

use reading::Reading;

/// The octets read at once.
const READ_OCTETS: usize = 16 * 1024;

/// An open connection, with the octets that were received but not yet read.
pub(super) struct Dialogue {
    connection: Box<dyn Connection>,
    unread: Vec<u8>,
    limits: Limits,
    secrets: Secrets,
    /// The time at which the run must end.
    end: Instant,
    /// Whether the dialogue is out of step: a reply is missing, or one was
    /// unsolicited.
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

    /// Sends a command and reads its reply. The report shows the command as
    /// `shown`.
    pub(super) fn ask(
        &mut self,
        network: &dyn Network,
        (command, shown): (&[u8], &str),
        kind: ReplyKind,
    ) -> Answer {
        self.send(network, command)
            .and_then(|()| self.reply(network, kind))
            .map_err(|trouble| trouble.after(shown))
            .map(|reply| reply.after(shown))
    }

    pub(super) fn send(&mut self, network: &dyn Network, octets: &[u8]) -> Result<(), Trouble> {
        if self.broken {
            return Err(self.trouble(TroubleKind::NoSession, (b"", 0)));
        }
        let within = self.left(network, self.limits.reply)?;
        match self.connection.send(octets, within) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.broken = true;
                Err(self.trouble(TroubleKind::Unsent, (b"", 0)))
            }
        }
    }

    /// Reads the next reply, or the greeting.
    pub(super) fn reply(&mut self, network: &dyn Network, kind: ReplyKind) -> Answer {
        let mut reading = Reading::new(kind, &self.limits);
        let mut deadline = network.now() + self.limits.reply;
        loop {
            match reading.take(&mut self.unread) {
                Ok(Some(mut reply)) => {
                    reply.shown = self.secrets.received_of(&reading.head, reading.octets);
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(kind) => {
                    self.broken = true;
                    return Err(self.trouble(kind, (&reading.head, reading.octets)));
                }
            }
            // A large message on a slow line is not a fault.
            if reading.is_in_block() {
                deadline = network.now() + self.limits.reply;
            }
            if let Err(stopped) = self.fill(network, deadline) {
                self.broken = true;
                let kind = match stopped {
                    ReadEnd::OutOfTime => TroubleKind::OutOfTime,
                    ReadEnd::Late => reading.unfinished(false),
                    ReadEnd::Closed => reading.unfinished(true),
                };
                return Err(self.trouble(kind, (&reading.head, reading.octets)));
            }
        }
    }

    /// Waits for more octets.
    fn fill(&mut self, network: &dyn Network, deadline: Instant) -> Result<(), ReadEnd> {
        let now = network.now();
        if now >= self.end {
            return Err(ReadEnd::OutOfTime);
        }
        let within = deadline.min(self.end).saturating_duration_since(now);
        if within.is_zero() {
            return Err(ReadEnd::Late);
        }
        let mut buffer = [0; READ_OCTETS];
        match self.connection.receive(&mut buffer, within) {
            Ok(0) => Err(ReadEnd::Closed),
            Ok(octets) => {
                self.unread
                    .extend_from_slice(&buffer[..octets.min(READ_OCTETS)]);
                Ok(())
            }
            Err(error) if is_late(&error) && network.now() >= self.end => Err(ReadEnd::OutOfTime),
            Err(error) if is_late(&error) => Err(ReadEnd::Late),
            Err(_) => Err(ReadEnd::Closed),
        }
    }

    /// Returns unsolicited octets, if there are any. No command can be sent after
    /// them.
    pub(super) fn unasked(&mut self) -> Option<String> {
        // The rest of an unreadable reply is not new.
        if self.unread.is_empty() || self.broken {
            return None;
        }
        self.broken = true;
        let octets = std::mem::take(&mut self.unread);
        Some(self.secrets.received(&octets))
    }

    /// Returns what else arrives within a short time, at most a few lines.
    pub(super) fn linger(&mut self, network: &dyn Network) -> Option<String> {
        let deadline = network.now() + self.limits.linger;
        while self.unread.len() < READ_OCTETS && self.fill(network, deadline).is_ok() {}
        self.unasked()
    }

    /// Whether the server closes the connection without sending more; `None` if
    /// there is no time to see it.
    pub(super) fn ends(&mut self, network: &dyn Network) -> Option<bool> {
        let mut buffer = [0; 1];
        self.broken = true;
        let within = self.left(network, self.limits.linger).ok()?;
        match self.connection.receive(&mut buffer, within) {
            Ok(octets) => Some(octets == 0),
            Err(error) if is_late(&error) && network.now() >= self.end => None,
            Err(error) => Some(!is_late(&error)),
        }
    }

    /// Does the TLS handshake. Discards and returns what was received before it.
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
                Err(self.secrets.error(error))
            }
        }
    }

    fn left(&self, network: &dyn Network, most: Duration) -> Result<Duration, Trouble> {
        let left = self.end.saturating_duration_since(network.now());
        match left.is_zero() {
            true => Err(self.trouble(TroubleKind::OutOfTime, (b"", 0))),
            false => Ok(left.min(most)),
        }
    }

    fn trouble(&self, kind: TroubleKind, (head, octets): (&[u8], usize)) -> Trouble {
        Trouble {
            kind,
            shown: self.secrets.received_of(head, octets),
        }
    }
}

/// Why no more octets arrive.
enum ReadEnd {
    /// None arrived in time.
    Late,
    /// The server closed the connection.
    Closed,
    /// The run is over.
    OutOfTime,
}

fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

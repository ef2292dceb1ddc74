//! Faulty clients that change the octets they read, or read them late.

use std::{mem, time::Instant};

use pop3_proto::client::{self, Config, Request, SessionError};

use super::positive;
use crate::view::{Client, ClientEvent, ClientSession, ClientStep};

/// Keeps octets that arrive when they are not allowed, and reads them later.
pub(super) struct Late {
    pub(super) inner: ClientSession,
    pub(super) is_early: fn(&client::Session) -> bool,
    pub(super) kept: Vec<u8>,
}

impl Late {
    pub(super) fn new(
        config: Config,
        now: Instant,
        is_early: fn(&client::Session) -> bool,
    ) -> Self {
        Self {
            inner: ClientSession::new(config, now),
            is_early,
            kept: Vec::new(),
        }
    }
}

impl Client for Late {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        if (self.is_early)(self.inner.session()) {
            self.kept.extend_from_slice(input);
            return ClientStep {
                consumed: input.len(),
                said: Vec::new(),
                error: None,
            };
        }
        if !self.kept.is_empty() {
            let mut heard = self.inner.handle_input(now, &self.kept);
            self.kept.drain(..heard.consumed);
            heard.consumed = 0;
            return heard;
        }
        // Passes only one line: the session must not see octets that it would
        // refuse.
        let line_end = input.iter().position(|&octet| octet == b'\n');
        let line = line_end.map_or(input, |end| &input[..=end]);
        self.inner.handle_input(now, line)
    }
}

/// Takes the reply to LIST or UIDL with a number for a multi-line reply.
pub(super) struct Waits {
    pub(super) inner: ClientSession,
    pub(super) held: Option<ClientEvent>,
    pub(super) line: Vec<u8>,
}

impl Client for Waits {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        if self.held.is_none() {
            let mut heard = self.inner.handle_input(now, input);
            let asked = heard.said.first().and_then(positive);
            if let Some(Request::List(Some(_)) | Request::Uidl(Some(_))) = asked {
                self.held = heard.said.pop();
            }
            return heard;
        }
        let line_end = input.iter().position(|&octet| octet == b'\n');
        let consumed = line_end.map_or(input.len(), |end| end + 1);
        self.line.extend_from_slice(&input[..consumed]);
        let is_end = self.line == b".\r\n";
        if line_end.is_some() {
            self.line.clear();
        }
        let said = if is_end { self.held.take() } else { None };
        ClientStep {
            consumed,
            said: said.into_iter().collect(),
            error: None,
        }
    }
}

/// Replaces each line of a listing with another.
pub(super) struct Rewrites {
    pub(super) inner: ClientSession,
    pub(super) rewrite: fn(&[u8]) -> Option<Vec<u8>>,
    pub(super) listing: bool,
    pub(super) line: Vec<u8>,
}

impl Rewrites {
    pub(super) fn new(config: Config, now: Instant, rewrite: fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        Self {
            inner: ClientSession::new(config, now),
            rewrite,
            listing: false,
            line: Vec::new(),
        }
    }

    /// Passes all octets on.
    fn hand_on(&mut self, now: Instant, octets: &[u8]) -> ClientStep {
        let mut all = ClientStep {
            consumed: octets.len(),
            said: Vec::new(),
            error: None,
        };
        let mut rest = octets;
        while !rest.is_empty() && all.error.is_none() {
            let heard = self.inner.handle_input(now, rest);
            rest = &rest[heard.consumed..];
            all.said.extend(heard.said);
            all.error = heard.error;
        }
        let ended = |said: &ClientEvent| matches!(said, ClientEvent::End { .. });
        self.listing &= !all.said.iter().any(ended);
        all
    }
}

impl Client for Rewrites {
    fn inner(&mut self) -> &mut ClientSession {
        &mut self.inner
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> ClientStep {
        if !self.listing {
            let heard = self.inner.handle_input(now, input);
            let asked = heard.said.first().and_then(positive);
            self.listing = matches!(asked, Some(Request::List(None) | Request::Uidl(None)));
            return heard;
        }
        let Some(end) = input.iter().position(|&octet| octet == b'\n') else {
            self.line.extend_from_slice(input);
            return ClientStep {
                consumed: input.len(),
                said: Vec::new(),
                error: None,
            };
        };
        let mut line = mem::take(&mut self.line);
        line.extend_from_slice(&input[..=end]);
        let rewritten = (self.rewrite)(&line);
        let mut heard = self.hand_on(now, rewritten.as_deref().unwrap_or(&line));
        heard.consumed = end + 1;
        heard
    }

    fn handle_eof(&mut self) -> Result<(), SessionError> {
        let line = mem::take(&mut self.line);
        self.hand_on(Instant::now(), &line);
        self.inner.handle_eof()
    }
}

pub(super) fn cut_unique_id(line: &[u8]) -> Option<Vec<u8>> {
    let space = line.iter().position(|&octet| octet == b' ')?;
    let (head, unique_id) = line.strip_suffix(b"\r\n")?.split_at(space + 1);
    let is_long = unique_id.len() > 70 && !unique_id.contains(&b' ');
    is_long.then(|| [head, &unique_id[..70], b"\r\n"].concat())
}

pub(super) fn wrap_number(line: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(line).ok()?;
    let (number, rest) = text.split_once(' ')?;
    let number: u128 = number.parse().ok()?;
    let wrapped = number & u128::from(u32::MAX);
    (wrapped != number).then(|| format!("{wrapped} {rest}").into_bytes())
}

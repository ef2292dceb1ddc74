//! Replays a trace against a server.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pop3_proto::{
    Mechanism,
    server::{Config, Event, Login, Tls, Verdict},
};

use super::{Item, ServerSetup, Side, Trace, TraceError, Unclaimed, error};
use crate::view::{MemoryMaildrop, Server, Servers};

pub(super) fn replay(
    trace: &Trace,
    setup: &ServerSetup,
    servers: Servers,
    read: usize,
) -> Result<(), TraceError> {
    let now = Instant::now();
    let config = match config(setup) {
        Ok(config) => config,
        Err(what) => return error(1, what.to_string()),
    };
    let mut replay = Replay {
        session: servers(config, now),
        now,
        read,
        input: Vec::new(),
        maildrop: MemoryMaildrop::new(trace.mail.clone()).in_trouble(setup.in_trouble),
        logins: trace.logins.iter().cloned().collect(),
        left: Unclaimed::default(),
    };
    replay.work();
    for (line, item) in &trace.items {
        replay.item(*line, item)?;
    }
    replay.feed()?;
    replay.left.nothing('S', 'V')
}

fn config(setup: &ServerSetup) -> Result<Config, pop3_proto::ArgumentError> {
    let tls = match &setup.tls[..] {
        "active" => Tls::Active,
        "offered" => Tls::Offered,
        _ => Tls::Unavailable,
    };
    let mut config = Config::new()
        .tls(tls)
        .utf8(setup.utf8)
        .dangerous_plaintext_without_tls(setup.plaintext);
    if let Some(stamp) = &setup.apop {
        config = config.apop(stamp)?;
    }
    let names = setup.sasl.iter().map(|name| Mechanism::new(name));
    config.mechanisms(&names.collect::<Result<Vec<_>, _>>()?)
}

struct Replay {
    session: Box<dyn Server>,
    now: Instant,
    read: usize,
    /// Octets from the client that the server has not read yet.
    input: Vec<u8>,
    maildrop: MemoryMaildrop,
    logins: VecDeque<String>,
    left: Unclaimed,
}

impl Replay {
    fn item(&mut self, line: usize, item: &Item) -> Result<(), TraceError> {
        if let Item::Octets(Side::Client, octets) = item {
            if self.input.is_empty() {
                self.left.nothing('S', 'V')?;
            }
            self.input.extend_from_slice(octets);
            self.left.line = line;
            return Ok(());
        }
        self.feed()?;
        match item {
            Item::Octets(Side::Server, octets) => self.left.sent(line, 'S', octets)?,
            Item::Event(Side::Server, event) => self.left.event(line, event)?,
            Item::Eof(Side::Client) => {
                self.left.line = line;
                self.session.handle_eof(self.now);
                self.work();
            }
            Item::Tls => {
                self.left.nothing('S', 'V')?;
                self.left.line = line;
                self.session.handle_tls(self.now);
                self.work();
            }
            Item::Wait(seconds) => {
                self.left.line = line;
                self.now += Duration::from_secs(*seconds);
                self.session.handle_timeout(self.now);
                self.work();
            }
            _ => {}
        }
        Ok(())
    }

    fn feed(&mut self) -> Result<(), TraceError> {
        if self.input.is_empty() {
            return Ok(());
        }
        let input = std::mem::take(&mut self.input);
        for chunk in input.chunks(self.read.min(input.len())) {
            let (mut rest, mut idle) = (chunk, 0);
            while !rest.is_empty() && idle < 4 {
                let consumed = self.session.handle_input(self.now, rest);
                rest = &rest[consumed..];
                idle = if consumed == 0 { idle + 1 } else { 0 };
                self.work();
            }
            if !rest.is_empty() {
                return error(self.left.line, "our server makes no progress");
            }
        }
        Ok(())
    }

    /// Sends all output and handles all events.
    fn work(&mut self) {
        loop {
            let sent = self.session.transmit(self.now);
            self.left.sent.extend_from_slice(&sent);
            if let Some(removed) = self.maildrop.removed() {
                self.left.events.push_back(format!("removed {removed:?}"));
            }
            match self.session.poll_event() {
                Some(event) => self.event(event),
                None if sent.is_empty() => return,
                None => {}
            }
        }
    }

    fn event(&mut self, event: Event) {
        let (shown, asked) = match event {
            Event::Login(Login::Password { name, password }) => {
                (format!("login {name} {}", password.expose()), true)
            }
            Event::Login(Login::Apop { name, digest, .. }) => {
                (format!("apop {name} {}", digest.expose()), true)
            }
            Event::Login(Login::Sasl {
                mechanism,
                initial_response,
            }) => {
                let response = initial_response.as_ref().map_or("", |text| text.expose());
                (format!("sasl {mechanism} {response}"), true)
            }
            Event::SaslResponse(text) => (format!("response {}", text.expose()), true),
            Event::SaslCanceled => ("canceled".to_owned(), false),
            Event::StartTls => ("start tls".to_owned(), false),
            Event::Closed(how) => (format!("closed {how:?}"), false),
            other => panic!("{other:?} is unknown"),
        };
        self.left.events.push_back(shown);
        if !asked {
            return;
        }
        let word = self.logins.pop_front().unwrap_or("accept".to_owned());
        let verdict = match &word[..] {
            "accept" => Verdict::Accept(self.maildrop.clone()),
            "reject" => Verdict::Reject,
            "in-use" => Verdict::InUse,
            "login-delay" => Verdict::LoginDelay,
            "temporary" => Verdict::Temporary,
            "permanent" => Verdict::Permanent,
            challenge => {
                let base64 = challenge.trim_start_matches("challenge").trim_start();
                let asked = self.session.challenge(self.now, base64);
                return asked.expect("a challenge");
            }
        };
        self.session.answer(self.now, verdict);
    }
}

//! A server in memory: the session of pop3-proto over the testkit's store, with
//! one fault or none.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use pop3_conformance::check::{Connection, Network};
use pop3_proto::server::{Config, Event, Login, Session, Verdict};
use pop3_testkit::store::{Locked, Store};

pub(crate) const USER: &str = "mrose";
pub(crate) const PASSWORD: &str = "tanstaaf";

/// The command that faults see for the greeting.
pub(crate) const GREETING: &str = "(greeting)";

/// Closes the connection where a fault's reply ends with it.
pub(crate) const CLOSE: &str = "\u{4}";

/// What a fault can see.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Connections so far.
    pub(crate) connection: u32,
    pub(crate) is_tls: bool,
    pub(crate) is_logged_in: bool,
    pub(crate) refused_logins: u32,
    /// The arguments of DELE in this session since the last RSET.
    pub(crate) deleted: Vec<String>,
    /// QUITs in the TRANSACTION state, over all connections.
    pub(crate) quits: u32,
    /// Whether a message was removed.
    pub(crate) has_removed: bool,
    /// The unique-ids of the first UIDL reply.
    pub(crate) unique_ids: Vec<String>,
    /// The commands before this one in this session.
    pub(crate) said: Vec<String>,
    /// Whether another session had the maildrop when this one began.
    #[allow(dead_code, reason = "the statements have use for it")]
    pub(crate) is_busy: bool,
    /// Messages that arrived since the server started.
    pub(crate) arrivals: u32,
    /// Messages that arrived in this session.
    pub(crate) arrivals_here: u32,
}

/// A server's fault: in how it reads commands, in its answers, or in how it
/// treats the connection.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    /// The messages of the maildrop.
    pub(crate) messages: &'static [&'static str],
    pub(crate) command: fn(&State, &str) -> String,
    pub(crate) reply: fn(&State, &str, &str) -> String,
    pub(crate) quirk: Quirk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    /// The connection stays open after QUIT.
    StaysOpen,
    /// Octets sent after it closed are lost, and then the connection is reset.
    Resets,
    /// When two messages are pipelined, the first line of the second reply
    /// comes before the end of the first.
    Interleaves,
    /// When two commands come at once, the second is answered first.
    Swaps,
    /// Messages marked as deleted are removed when the connection breaks.
    DropRemoves,
    /// When several commands come at once, only the first is read.
    OneAtATime,
    /// Commands that came together with STLS are executed under TLS.
    ObeysWhatCameWithStls,
    /// Octets arrive one at a time, each after this many seconds.
    Slow(u64),
}

/// Dots where they matter, and all sizes different; the last message is not the
/// smallest.
pub(crate) const MESSAGES: &[&str] = &[
    ".first: a dot\r\nSubject: 1\r\n\r\none line\r\nand another\r\n",
    "Subject: 2\r\n\r\n.dot\r\n..two\r\n.\r\nand an end\r\n",
    "Subject: 3\r\n\r\none\r\ntwo\r\n",
    "Subject: 4\r\nX-Long: a header of some length, with words in it\r\n\r\n1\r\n2\r\n3\r\n",
];

pub(crate) const NO_FAULT: Fault = Fault {
    messages: MESSAGES,
    command: |_, command| command.to_owned(),
    reply: |_, _, reply| reply.to_owned(),
    quirk: Quirk::None,
};

pub(crate) struct Mock {
    store: Store,
    fault: Fault,
    shared: Rc<RefCell<Shared>>,
}

struct Shared {
    now: Instant,
    state: State,
}

impl Mock {
    pub(crate) fn new(fault: Fault) -> Self {
        let store = Store::default();
        for (number, message) in fault.messages.iter().enumerate() {
            store.deliver(&format!("id-{number}"), message.as_bytes());
        }
        let shared = Shared {
            now: Instant::now(),
            state: State::default(),
        };
        Self {
            store,
            fault,
            shared: Rc::new(RefCell::new(shared)),
        }
    }

    #[allow(dead_code, reason = "the statements have use for it")]
    pub(crate) fn deliver(&self, unique_id: &str, message: &str) {
        self.store.deliver(unique_id, message.as_bytes());
        let state = &mut self.shared.borrow_mut().state;
        state.arrivals += 1;
        state.arrivals_here += 1;
    }

    pub(crate) fn messages(&self) -> usize {
        self.store.messages().len()
    }

    pub(crate) fn connections(&self) -> u32 {
        self.shared.borrow().state.connection
    }
}

impl Network for Mock {
    fn connect(&mut self, _: Duration) -> io::Result<Box<dyn Connection>> {
        let mut shared = self.shared.borrow_mut();
        shared.state = State {
            connection: shared.state.connection + 1,
            quits: shared.state.quits,
            has_removed: shared.state.has_removed,
            unique_ids: std::mem::take(&mut shared.state.unique_ids),
            is_busy: self.store.lock().is_none(),
            arrivals: shared.state.arrivals,
            ..State::default()
        };
        let now = shared.now;
        drop(shared);
        let mut line = Line {
            session: session(now),
            store: self.store.clone(),
            fault: self.fault,
            shared: Rc::clone(&self.shared),
            input: Vec::new(),
            output: Vec::new(),
            kept: Vec::new(),
            waits_for_tls: false,
            is_closed: false,
            was_sent_after_close: false,
        };
        let greeting = line.transmit();
        line.say(GREETING, &greeting);
        Ok(Box::new(line))
    }

    fn now(&self) -> Instant {
        self.shared.borrow().now
    }

    fn pause(&mut self, time: Duration) {
        self.shared.borrow_mut().now += time;
    }
}

/// A session that accepts passwords without TLS, so that only the client can
/// hold one back.
fn session(now: Instant) -> Session<Locked> {
    let config = Config::new().dangerous_plaintext_without_tls(true);
    Session::new(config, now)
}

/// A connection.
struct Line {
    session: Session<Locked>,
    store: Store,
    fault: Fault,
    shared: Rc<RefCell<Shared>>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Octets that came together with STLS.
    kept: Vec<u8>,
    waits_for_tls: bool,
    is_closed: bool,
    was_sent_after_close: bool,
}

impl Line {
    /// Reads the complete lines.
    fn read(&mut self) {
        let mut is_first = true;
        let mut last = self.output.len();
        while let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
            if self.is_closed {
                return;
            }
            let line: Vec<u8> = self.input.drain(..=end).collect();
            if self.waits_for_tls {
                self.kept.extend(line);
                continue;
            }
            if !is_first && self.fault.quirk == Quirk::OneAtATime {
                continue;
            }
            is_first = false;
            let line = String::from_utf8(line).unwrap();
            let line = line.trim_end_matches(['\r', '\n']);
            let before = self.output.len();
            self.command(line);
            if self.fault.quirk == Quirk::Interleaves {
                self.interleave(before);
            }
            if self.fault.quirk == Quirk::Swaps {
                let octets = before - last;
                self.output[last..].rotate_left(octets);
                last = before;
            }
        }
    }

    /// If a message comes before this reply, which has a block, moves the end
    /// of that message after the first line of this reply.
    fn interleave(&mut self, start: usize) {
        const END: &[u8] = b"\r\n.\r\n";
        let reply = self.output.split_off(start);
        let first = reply.iter().position(|octet| *octet == b'\n');
        match (self.output.strip_suffix(END), first) {
            (Some(message), Some(first)) if reply.ends_with(END) => {
                let (line, block) = reply.split_at(first + 1);
                let message = [message, b"\r\n", line, b".\r\n", block].concat();
                self.output = message;
            }
            _ => self.output.extend(reply),
        }
    }

    fn command(&mut self, line: &str) {
        let read_as = (self.fault.command)(&self.shared.borrow().state, line);
        let mut reply = Vec::new();
        for line in read_as.split("\r\n") {
            reply = self.obey(line);
            self.remember(line, &String::from_utf8_lossy(&reply));
        }
        self.say(line, &reply);
        self.shared.borrow_mut().state.said.push(line.to_owned());
    }

    /// Ends the connection and releases the maildrop.
    fn close(&mut self) {
        self.is_closed = true;
        self.session = session(self.shared.borrow().now);
    }

    /// The correct answer of the session.
    fn obey(&mut self, line: &str) -> Vec<u8> {
        let now = self.shared.borrow().now;
        let octets = format!("{line}\r\n").into_bytes();
        let (mut at, mut reply) = (0, Vec::new());
        loop {
            let consumed = self.session.handle_input(now, &octets[at..]);
            at += consumed;
            while let Some(event) = self.session.poll_event() {
                self.event(event);
            }
            let sent = self.transmit();
            reply.extend_from_slice(&sent);
            if consumed == 0 && sent.is_empty() {
                return reply;
            }
        }
    }

    fn event(&mut self, event: Event) {
        let now = self.shared.borrow().now;
        match event {
            Event::Login(Login::Password { name, password }) => {
                let is_right = name == USER && password.expose() == PASSWORD;
                let verdict = match is_right {
                    true => self.store.lock().map_or(Verdict::InUse, Verdict::Accept),
                    false => Verdict::Reject,
                };
                self.session.answer(now, verdict);
            }
            Event::StartTls => self.waits_for_tls = true,
            Event::Closed(_) => self.is_closed = self.fault.quirk != Quirk::StaysOpen,
            _ => {}
        }
    }

    fn transmit(&mut self) -> Vec<u8> {
        let now = self.shared.borrow().now;
        let mut sent = Vec::new();
        while let Some(octets) = self.session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            self.session.handle_transmitted(now, octets);
        }
        while let Some(event) = self.session.poll_event() {
            self.event(event);
        }
        sent
    }

    fn remember(&self, command: &str, reply: &str) {
        let state = &mut self.shared.borrow_mut().state;
        let is_yes = reply.starts_with("+OK");
        match command.split_once(' ').unwrap_or((command, "")) {
            ("PASS", _) if is_yes => state.is_logged_in = true,
            ("PASS", _) => state.refused_logins += 1,
            ("DELE", number) if is_yes => state.deleted.push(number.to_owned()),
            ("RSET", _) => state.deleted.clear(),
            ("QUIT", "") if state.is_logged_in => {
                state.quits += 1;
                state.has_removed |= !state.deleted.is_empty();
            }
            ("UIDL", "") if state.unique_ids.is_empty() => {
                let lines = reply.lines().filter_map(|line| line.split_once(' '));
                state.unique_ids = lines.map(|(_, id)| id.to_owned()).collect();
            }
            _ => {}
        }
    }

    /// Answers with the fault applied.
    fn say(&mut self, command: &str, reply: &[u8]) {
        // Each octet becomes a Latin-1 character, so that faults can work on
        // text.
        let reply: String = reply.iter().map(|octet| char::from(*octet)).collect();
        let said = (self.fault.reply)(&self.shared.borrow().state, command, &reply);
        let kept = said.strip_suffix(CLOSE).unwrap_or(&said);
        self.output
            .extend(kept.chars().map(|char| u8::try_from(char).unwrap()));
        if kept != said {
            self.close();
        }
    }
}

impl Connection for Line {
    fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()> {
        assert_ne!(within, Duration::ZERO, "sockets refuse it");
        if self.is_closed {
            self.was_sent_after_close = true;
            return match self.fault.quirk {
                Quirk::Resets => Ok(()),
                _ => Err(io::ErrorKind::BrokenPipe.into()),
            };
        }
        self.input.extend_from_slice(octets);
        self.read();
        Ok(())
    }

    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        if self.was_sent_after_close {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.output.is_empty() && !self.is_closed {
            self.shared.borrow_mut().now += within;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut octets = self.output.len().min(into.len());
        if let Quirk::Slow(seconds) = self.fault.quirk {
            octets = octets.min(1);
            self.shared.borrow_mut().now += Duration::from_secs(seconds);
        }
        into[..octets].copy_from_slice(&self.output[..octets]);
        self.output.drain(..octets);
        Ok(octets)
    }

    fn start_tls(&mut self, _: Duration) -> io::Result<()> {
        if !self.waits_for_tls {
            return Err(io::Error::other("the server is not there for a handshake"));
        }
        let now = self.shared.borrow().now;
        self.session.handle_tls(now);
        self.waits_for_tls = false;
        self.shared.borrow_mut().state.is_tls = true;
        let kept = std::mem::take(&mut self.kept);
        if self.fault.quirk == Quirk::ObeysWhatCameWithStls {
            self.input.extend(kept);
            self.read();
        }
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.fault.quirk == Quirk::DropRemoves
            && self.session.state() == pop3_proto::server::State::Transaction
        {
            let _ = self.obey("QUIT");
        }
    }
}

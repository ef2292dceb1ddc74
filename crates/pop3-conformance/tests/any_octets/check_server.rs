//! `pop3 check` terminates against a server that sends any octets, reports every
//! check, and shows no secret.

use std::{
    cell::Cell,
    collections::VecDeque,
    io,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use pop3_conformance::check::{self, Account, Connection, Limits, Network, Options, Protection};
use pop3_proto::Profile;

/// The password does not begin with the last character of an escape: `\t` followed
/// by `anstaaf` would contain `tanstaaf`.
const PASSWORD: &str = "Tanstaaf";

/// The server waits for the client's next octets before it sends more.
const WAITS: u8 = 0x01;

/// The server ends the connection.
const ENDS: u8 = 0x02;

/// Small limits, so that a run is short.
const LIMITS: Limits = Limits {
    connections: 12,
    messages: 3,
    messages_again: 2,
    block_octets: 4096,
    run: Duration::from_secs(120),
    ..Limits::DEFAULT
};

/// The first octet chooses the protection of the connection and what is allowed;
/// the second is the number of octets that arrive at once (0: all). The server
/// sends the rest: at 0x01 it waits for the client, at 0x02 it ends the connection,
/// and the octets after that are for the next connection. After the last
/// connection, the first begins again.
///
/// # Panics
///
/// If the property does not hold.
pub(crate) fn check_server(input: &[u8]) {
    let [how, at_once, sent @ ..] = input else {
        return;
    };
    let start = Instant::now();
    let mut network = Script {
        connections: sent.split(|octet| *octet == ENDS).collect(),
        next: 0,
        now: Rc::new(Cell::new(start)),
        at_once: usize::from(*at_once & 0x0F),
        is_local: how & 1 != 0,
        takes_tls: how & 2 == 0,
    };
    let protection = match how & 0b1100 {
        0b0000 => Protection::Stls,
        0b0100 => Protection::Implicit,
        0b1000 => Protection::StlsRequired,
        _ => Protection::StlsIfOffered,
    };
    let account = Account {
        user: "mrose",
        password: PASSWORD,
        repeats: Rc::new(|text| String::from_utf8_lossy(text).contains(PASSWORD)),
        protection,
    };
    let mut options = Options::new(match how & 0b10_0000 {
        0 => Profile::OUTLOOK_NEW,
        _ => Profile::RFC1939,
    });
    options.destructive = how & 0b1_0000 != 0;
    options.limits = LIMITS;
    let subject = ("octets", SystemTime::UNIX_EPOCH);
    let report = check::run(&mut network, &account, &options, subject, &mut |_| {});

    let took = network.now.get() - start;
    assert!(took <= LIMITS.run + LIMITS.connect, "it took {took:?}");
    let said = match report {
        Ok(report) => {
            assert_eq!(report.rows().len(), check::checks().count());
            for row in report.rows() {
                assert!(
                    !row.evidence().is_empty(),
                    "{}: {}",
                    row.id(),
                    report.json()
                );
            }
            report.json()
        }
        Err(unable) => unable.to_string(),
    };
    assert!(!said.contains(PASSWORD), "a secret: {said}");
    let is_bad = |char: char| char.is_control() && char != '\n';
    assert!(!said.contains(is_bad), "a control character: {said:?}");
}

struct Script<'a> {
    connections: Vec<&'a [u8]>,
    next: usize,
    now: Rc<Cell<Instant>>,
    at_once: usize,
    is_local: bool,
    takes_tls: bool,
}

struct Scripted {
    /// The octets of each turn, in order.
    turns: VecDeque<VecDeque<u8>>,
    arriving: VecDeque<u8>,
    /// Whether the server closes at the end; otherwise it falls silent.
    ends: bool,
    now: Rc<Cell<Instant>>,
    at_once: usize,
    is_local: bool,
    takes_tls: bool,
}

impl Network for Script<'_> {
    fn connect(&mut self, _: Duration) -> io::Result<Box<dyn Connection>> {
        let sent = self.connections[self.next % self.connections.len()];
        self.next += 1;
        let turns = sent.split(|octet| *octet == WAITS);
        let mut turns: VecDeque<VecDeque<u8>> =
            turns.map(|turn| turn.iter().copied().collect()).collect();
        Ok(Box::new(Scripted {
            arriving: turns.pop_front().unwrap_or_default(),
            turns,
            ends: self.next < self.connections.len(),
            now: Rc::clone(&self.now),
            at_once: self.at_once,
            is_local: self.is_local,
            takes_tls: self.takes_tls,
        }))
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn pause(&mut self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

impl Connection for Scripted {
    fn send(&mut self, _: &[u8], _: Duration) -> io::Result<()> {
        self.arriving
            .extend(self.turns.pop_front().unwrap_or_default());
        Ok(())
    }

    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        let most = match self.at_once {
            0 => into.len(),
            some => some.min(into.len()),
        };
        let octets = most.min(self.arriving.len());
        if octets == 0 && self.ends && self.turns.is_empty() {
            return Ok(0);
        }
        if octets == 0 {
            self.now.set(self.now.get() + within);
            return Err(io::ErrorKind::TimedOut.into());
        }
        for (to, octet) in into.iter_mut().zip(self.arriving.drain(..octets)) {
            *to = octet;
        }
        Ok(octets)
    }

    fn start_tls(&mut self, _: Duration) -> io::Result<()> {
        match self.takes_tls {
            true => Ok(()),
            false => Err(io::Error::other("no handshake")),
        }
    }

    fn is_local(&self) -> bool {
        self.is_local
    }
}

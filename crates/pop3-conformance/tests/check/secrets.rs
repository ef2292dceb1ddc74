//! What a server is told to log in, and what comes out again.

use std::{
    io,
    time::{Duration, Instant, SystemTime},
};

use pop3_conformance::check::{self, Connection, Network};

use crate::{
    mock::{Mock, NO_FAULT, PASSWORD},
    rows::{MESSAGES, account, changed, options},
};

#[test]
fn shows_no_line_that_repeats_the_password() {
    let report = changed(|_, command, reply| match command {
        "UIDL" => reply.replace("id-1", PASSWORD),
        "CAPA" => reply.replace("TOP\r\n", "TOP\r\nIMPLEMENTATION tanstaaf\r\n.tanstaaf\r\n"),
        _ => reply.to_owned(),
    });
    assert!(!report.json().contains(PASSWORD), "{}", report.text());
    assert!(
        report.subject().contains("(not shown"),
        "{}",
        report.subject()
    );
}

/// A network that fails, from a connection on, with an error that quotes what
/// came.
struct Failing {
    mock: Mock,
    from: u32,
    fails: Fails,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    Connect,
    Handshake(io::ErrorKind),
}

struct Line {
    connection: Box<dyn Connection>,
    error: Option<io::ErrorKind>,
}

fn error(kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, format!("this came and is not TLS: {PASSWORD}"))
}

impl Network for Failing {
    fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>> {
        let connection = self.mock.connect(within)?;
        let error = match self.fails {
            _ if self.mock.connections() < self.from => None,
            Fails::Connect => return Err(error(io::ErrorKind::Other)),
            Fails::Handshake(kind) => Some(kind),
        };
        Ok(Box::new(Line { connection, error }))
    }

    fn now(&self) -> Instant {
        self.mock.now()
    }

    fn pause(&mut self, time: Duration) {
        self.mock.pause(time);
    }
}

impl Connection for Line {
    fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()> {
        self.connection.send(octets, within)
    }

    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        self.connection.receive(into, within)
    }

    fn start_tls(&mut self, within: Duration) -> io::Result<()> {
        match self.error {
            Some(kind) => Err(error(kind)),
            None => self.connection.start_tls(within),
        }
    }
}

#[test]
fn shows_no_error_that_repeats_the_password() {
    let other = Fails::Handshake(io::ErrorKind::Other);
    let denied = Fails::Handshake(io::ErrorKind::PermissionDenied);
    for fails in [Fails::Connect, other, denied] {
        for from in 1..8 {
            let mut network = Failing {
                mock: Mock::new(&MESSAGES, NO_FAULT),
                from,
                fails,
            };
            let subject = ("a mock", SystemTime::UNIX_EPOCH);
            let report = check::run(&mut network, &account(), &options(), subject, &mut |_| {});
            let said = match &report {
                Ok(report) => report.json(),
                Err(unable) => format!("{unable} {unable:?}"),
            };
            assert!(!said.contains(PASSWORD), "{said}");
            let is_told = said.contains("(not shown");
            assert!(is_told || from > 2, "connection {from}: {said}");
        }
    }
}

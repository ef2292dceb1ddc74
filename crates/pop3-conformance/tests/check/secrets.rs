//! The secrets of a login do not appear in the output.

use std::{
    cell::RefCell,
    error::Error as _,
    io,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use pop3_conformance::{
    check::{self, Account, Connection, Network, Protection, Unable},
    report::Report,
};

use crate::{
    faults::servers::NO_CAPA,
    mock::{Fault, Mock, NO_FAULT, PASSWORD},
    rows::{account, changed, found, options},
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

/// A network that fails from a connection on, with an error that quotes the
/// received octets.
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
    is_local: bool,
    /// Records what was sent without TLS, if the test needs it.
    in_clear: Option<Rc<RefCell<String>>>,
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
        Ok(Box::new(Line {
            connection,
            error,
            is_local: false,
            in_clear: None,
        }))
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
        if let Some(in_clear) = &self.in_clear {
            in_clear
                .borrow_mut()
                .push_str(&String::from_utf8_lossy(octets));
        }
        self.connection.send(octets, within)
    }

    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        self.connection.receive(into, within)
    }

    fn start_tls(&mut self, within: Duration) -> io::Result<()> {
        match self.error {
            Some(kind) => Err(error(kind)),
            None => {
                self.in_clear = None;
                self.connection.start_tls(within)
            }
        }
    }

    fn is_local(&self) -> bool {
        self.is_local
    }
}

#[test]
fn shows_no_error_that_repeats_the_password() {
    let other = Fails::Handshake(io::ErrorKind::Other);
    let denied = Fails::Handshake(io::ErrorKind::PermissionDenied);
    for fails in [Fails::Connect, other, denied] {
        for from in 1..8 {
            let mut network = Failing {
                mock: Mock::new(NO_FAULT),
                from,
                fails,
            };
            let subject = ("a mock", SystemTime::UNIX_EPOCH);
            let report = check::run(&mut network, &account(), &options(), subject, &mut |_| {});
            let said = match &report {
                Ok(report) => report.json(),
                Err(unable) => {
                    assert!(unable.source().is_some(), "{unable}");
                    format!("{unable} {unable:?}")
                }
            };
            assert!(!said.contains(PASSWORD), "{said}");
            let is_unable = matches!(report, Err(Unable::Connect(_)));
            assert_eq!(is_unable, fails == Fails::Connect && from == 1, "{said}");
            let is_told = said.contains("(not shown");
            assert!(is_told || from > 2, "connection {from}: {said}");
        }
    }
}

/// A network with an eavesdropper.
struct Overheard {
    mock: Mock,
    is_local: bool,
    error: Option<io::ErrorKind>,
    in_clear: Rc<RefCell<String>>,
}

impl Network for Overheard {
    fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>> {
        Ok(Box::new(Line {
            connection: self.mock.connect(within)?,
            error: self.error,
            is_local: self.is_local,
            in_clear: Some(Rc::clone(&self.in_clear)),
        }))
    }

    fn now(&self) -> Instant {
        self.mock.now()
    }

    fn pause(&mut self, time: Duration) {
        self.mock.pause(time);
    }
}

/// The result of a run, and what was sent in the clear.
fn overheard(
    protection: Protection,
    is_local: bool,
    error: Option<io::ErrorKind>,
    fault: Fault,
) -> (Result<Report, Unable>, String) {
    let mut network = Overheard {
        mock: Mock::new(fault),
        is_local,
        error,
        in_clear: Rc::default(),
    };
    let account = Account {
        protection,
        ..account()
    };
    let subject = ("a mock", SystemTime::UNIX_EPOCH);
    let report = check::run(&mut network, &account, &options(), subject, &mut |_| {});
    let in_clear = network.in_clear.take();
    assert!(in_clear.contains("CAPA"), "{in_clear}");
    (report, in_clear)
}

const WITH_STLS: Fault = NO_FAULT;

const WITHOUT_STLS: Fault = Fault {
    reply: |_, command, reply| match command {
        "CAPA" => reply.replace("STLS\r\n", ""),
        _ => reply.to_owned(),
    },
    ..NO_FAULT
};

const WITH_STLS_REFUSED: Fault = Fault {
    command: |_, command| match command {
        "STLS" => "XQZT".to_owned(),
        _ => command.to_owned(),
    },
    ..NO_FAULT
};

fn sends_login(in_clear: &str) -> bool {
    ["USER", "PASS", "AUTH", PASSWORD]
        .into_iter()
        .any(|word| in_clear.contains(word))
}

#[test]
fn sends_no_password_in_the_clear_where_stls_is_not_announced() {
    for (protection, is_local) in [
        (Protection::Stls, false),
        (Protection::StlsRequired, false),
        (Protection::StlsRequired, true),
    ] {
        let (report, in_clear) = overheard(protection, is_local, None, WITHOUT_STLS);
        assert!(matches!(report, Err(Unable::NoTls)), "{report:?}");
        assert!(!sends_login(&in_clear), "{in_clear}");
    }
    // A connection that says nothing of where the server is.
    let account = Account {
        protection: Protection::Stls,
        ..account()
    };
    let subject = ("a mock", SystemTime::UNIX_EPOCH);
    let mut mock = Mock::new(WITHOUT_STLS);
    let report = check::run(&mut mock, &account, &options(), subject, &mut |_| {});
    assert!(matches!(report, Err(Unable::NoTls)), "{report:?}");
}

#[test]
fn sends_no_password_in_the_clear_where_stls_is_announced() {
    use Protection::{Stls, StlsIfOffered, StlsRequired};
    for is_local in [false, true] {
        for protection in [Stls, StlsRequired, StlsIfOffered] {
            let (report, in_clear) = overheard(protection, is_local, None, WITH_STLS);
            assert_eq!(found(&report.unwrap()), [""; 0]);
            assert!(!sends_login(&in_clear), "{in_clear}");

            let failing = Some(io::ErrorKind::Other);
            let (report, in_clear) = overheard(protection, is_local, failing, WITH_STLS);
            assert_eq!(found(&report.unwrap()), ["rfc2595-stls"]);
            assert!(!sends_login(&in_clear), "{in_clear}");

            let denied = Some(io::ErrorKind::PermissionDenied);
            let (report, in_clear) = overheard(protection, is_local, denied, WITH_STLS);
            assert!(matches!(report, Err(Unable::Certificate(_))), "{report:?}");
            assert!(!sends_login(&in_clear), "{in_clear}");
        }
        for protection in [Stls, StlsRequired] {
            let (report, in_clear) = overheard(protection, is_local, None, WITH_STLS_REFUSED);
            assert_eq!(found(&report.unwrap()), ["rfc2595-stls"]);
            assert!(!sends_login(&in_clear), "{in_clear}");
        }
    }
}

#[test]
fn continues_without_tls_where_that_is_allowed() {
    let if_offered = Protection::StlsIfOffered;
    for (protection, is_local) in [(Protection::Stls, true), (if_offered, false)] {
        let (report, in_clear) = overheard(protection, is_local, None, WITHOUT_STLS);
        assert_eq!(found(&report.unwrap()), [""; 0]);
        assert!(sends_login(&in_clear), "{in_clear}");
    }
    let (_, in_clear) = overheard(Protection::Stls, true, None, NO_CAPA);
    assert_eq!(in_clear.matches("CAPA").count(), 1, "it is not asked again");
    assert!(sends_login(&in_clear), "{in_clear}");
    let (report, in_clear) = overheard(if_offered, false, None, WITH_STLS_REFUSED);
    assert_eq!(found(&report.unwrap()), ["rfc2595-stls"]);
    assert!(sends_login(&in_clear), "{in_clear}");
}

//! What the driver decides about a login, and how the client is told
//! (RFC 2449 §8.1, RFC 3206).

use std::time::Instant;

use pop3_proto::{
    IndicatorRule, StatusLine,
    server::{Config, Session, State, Verdict},
};

use crate::drive::{Locked, Server, Store};

/// The first line that answers PASS, and the failed logins then.
fn answer(verdict: Verdict<Locked>) -> (String, u32) {
    let now = Instant::now();
    let config = Config::new().dangerous_plaintext_without_tls(true);
    let mut session = Session::new(config, now);
    let mut sent = Vec::new();
    let mut drain = |session: &mut Session<Locked>| {
        sent.clear();
        while let Some(octets) = session.poll_transmit() {
            sent.extend_from_slice(octets);
            let octets = octets.len();
            session.handle_transmitted(now, octets);
        }
        String::from_utf8(sent.clone()).unwrap()
    };
    drain(&mut session);
    for command in [&b"USER me\r\n"[..], b"PASS x\r\n"] {
        assert_eq!(session.handle_input(now, command), command.len());
        drain(&mut session);
    }
    assert!(session.poll_event().is_some());
    session.answer(now, verdict);
    let line = drain(&mut session);
    // Whatever it was, the client may try again.
    assert!(line.starts_with("+OK ") || session.handle_input(now, b"USER me\r\n") == 9);
    (line, session.failed_logins())
}

#[test]
fn each_verdict_has_its_code() {
    for (verdict, expected, failed) in [
        (Verdict::Reject, "AUTH", 1),
        (Verdict::InUse, "IN-USE", 0),
        (Verdict::LoginDelay, "LOGIN-DELAY", 0),
        (Verdict::Temporary, "SYS/TEMP", 0),
        (Verdict::Permanent, "SYS/PERM", 0),
    ] {
        let (line, failed_logins) = answer(verdict);
        let line = line.strip_suffix("\r\n").unwrap();
        let status = StatusLine::parse(line.as_bytes(), IndicatorRule::Exact).unwrap();
        assert!(!status.is_positive(), "{line}");
        assert_eq!(status.code().unwrap().as_str(), expected);
        assert!(
            status.text().len() > expected.len() + "[] ".len(),
            "says why: {line}"
        );
        assert_eq!(failed_logins, failed, "{line}");
    }
    let accepted = Verdict::Accept(Store::new(&[]).lock().unwrap());
    assert!(answer(accepted).0.starts_with("+OK "));
}

/// RFC 2449 §6.5.
#[test]
fn the_login_delay_is_announced_in_both_states() {
    let announced = |config: Config| {
        let config = config.dangerous_plaintext_without_tls(true);
        let mut server = Server::new(config, &Store::new(&[]));
        let before = server.ask("CAPA\r\n");
        server.run(format!("USER me\r\nPASS {}\r\n", crate::drive::PASSWORD).as_bytes());
        assert_eq!(server.session.state(), State::Transaction);
        [before, server.ask("CAPA\r\n")]
    };
    for answer in announced(Config::new()) {
        assert!(!answer.contains("LOGIN-DELAY"), "{answer}");
    }
    for answer in announced(Config::new().login_delay(900)) {
        assert!(answer.contains("\r\nLOGIN-DELAY 900\r\n"), "{answer}");
    }
}

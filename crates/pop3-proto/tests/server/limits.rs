//! Overlong lines, the end of input, and time.

use std::time::Duration;

use pop3_proto::server::{Closed, Config, MIN_AUTOLOGOUT};
use pop3_testkit::store::Store;

use crate::drive::{PASSWORD, Server, store};

fn two() -> Store {
    store(&[b"A: 1\r\n\r\none\r\n", b"B: 2\r\n\r\ntwo\r\n"])
}

#[test]
fn finishes_the_current_reply_after_eof() {
    let store = two();
    let mut server = Server::logged_in(&store);
    assert_eq!(server.session.handle_input(server.now, b"RETR 1\r\n"), 8);
    server.session.handle_eof();
    server.pump();
    assert!(server.sent.ends_with(b"\r\n\r\none\r\n.\r\n"));
    assert_eq!(server.closed, Some(Closed::Eof));
    // A finished update stays finished.
    let mut server = Server::logged_in(&store);
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 6);
    server.session.handle_eof();
    server.pump();
    assert_eq!(server.closed, Some(Closed::Updated));
}

#[test]
fn closes_after_eof_during_a_login() {
    let store = two();
    let mut server = Server::plain(&store);
    server.run(b"USER me\r\n");
    let pass = format!("PASS {PASSWORD}\r\n");
    assert_eq!(
        server.session.handle_input(server.now, pass.as_bytes()),
        pass.len()
    );
    assert_eq!(server.session.handle_input(server.now, b"STAT\r\n"), 0);
    assert!(server.session.poll_event().is_some());
    assert_eq!(server.session.handle_input(server.now, b"STAT\r\n"), 0);
    server.session.handle_eof();
    let locked = store.lock().unwrap();
    server
        .session
        .answer(server.now, pop3_proto::server::Verdict::Accept(locked));
    server.pump();
    assert_eq!(server.closed, Some(Closed::Eof));
    assert!(store.lock().is_some());
}

#[test]
fn only_commands_and_progress_postpone_autologout() {
    let later = Duration::from_secs(599);
    let mut server = Server::logged_in(&two());
    for command in ["NOOP\r\n", "XYZZY\r\n", "RETR 9\r\n"] {
        server.wait(later);
        server.run(command.as_bytes());
        assert_eq!(
            server.session.poll_timeout(),
            Some(server.now + MIN_AUTOLOGOUT)
        );
    }
    // A part of a command does not count.
    let deadline = server.session.poll_timeout();
    server.wait(later);
    server.run(b"NO");
    assert_eq!(server.session.poll_timeout(), deadline);
    server.run(b"OP\r\n");
    // A reply that is sent slowly.
    assert_eq!(server.session.handle_input(server.now, b"RETR 1\r\n"), 8);
    for _ in 0..5 {
        assert!(server.session.poll_transmit().is_some());
        server.now += later;
        server.session.handle_timeout(server.now);
        server.session.handle_transmitted(server.now, 1);
    }
    let deadline = server.now + MIN_AUTOLOGOUT;
    server.now += later;
    server.session.handle_transmitted(server.now, 0);
    assert_eq!(server.session.poll_timeout(), Some(deadline));
    server.now = deadline;
    server.session.handle_timeout(server.now);
    assert!(server.session.poll_transmit().is_none());
}

#[test]
fn autologout_after_the_update_does_not_deny_it() {
    let store = two();
    let mut server = Server::logged_in(&store);
    assert_eq!(
        server
            .session
            .handle_input(server.now, b"DELE 1\r\nQUIT\r\n"),
        8
    );
    server.pump();
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 6);
    server.wait(Duration::ZERO);
    assert_eq!(server.closed, Some(Closed::Updated));
    assert_eq!(store.messages().len(), 1);

    let mut server = Server::logged_in(&store);
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 6);
    server.now += MIN_AUTOLOGOUT;
    server.session.handle_timeout(server.now);
    server.pump();
    assert_eq!(server.closed, Some(Closed::Updated));
}

#[test]
fn autologout_is_at_least_ten_minutes() {
    let timer = |after| {
        let server = Server::new(Config::new().autologout(after), &two());
        server.session.poll_timeout().map(|at| at - server.now)
    };
    assert_eq!(
        timer(Duration::from_secs(1)),
        Some(Duration::from_secs(600))
    );
    assert_eq!(
        timer(Duration::from_secs(900)),
        Some(Duration::from_secs(900))
    );
    assert_eq!(timer(Duration::MAX), None);
}

#[test]
fn no_command_is_read_while_a_reply_waits() {
    let mut server = Server::logged_in(&two());
    let input = b"STAT\r\nNOOP\r\nLIST\r\n";
    assert_eq!(server.session.handle_input(server.now, input), 6);
    assert_eq!(server.session.handle_input(server.now, &input[6..]), 0);
    server.run(&input[6..]);
    assert!(
        server
            .sent
            .starts_with(b"+OK 2 26\r\n+OK\r\n+OK 2 messages")
    );
}

#[test]
fn a_long_listing_is_made_in_pieces_of_8_kib() {
    // From 1000 on, a line of LIST has 8 octets, so a piece can be exactly full.
    let mut server = Server::logged_in(&store(&[&b"x"[..]; 4000]));
    for (command, line) in [("LIST\r\n", 8), ("UIDL\r\n", 16)] {
        server.most = 0;
        assert!(server.ask(command).len() > 3000 * line);
        // The last line of a piece may exceed the size.
        let piece = 8 * 1024;
        assert!(
            (piece..piece + line).contains(&server.most),
            "{}",
            server.most
        );
    }
}

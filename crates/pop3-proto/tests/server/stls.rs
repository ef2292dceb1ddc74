//! STLS (RFC 2595 §4).

use pop3_proto::server::{Closed, Config, State, Tls};

use crate::drive::{PASSWORD, Server, Store};

fn offered() -> Server {
    Server::new(
        Config::new().tls(Tls::Offered).utf8(true),
        &Store::new(&[b"x"]),
    )
}

#[test]
fn what_is_pipelined_after_it_is_thrown_away() {
    for cut in 1..=25 {
        let mut server = offered();
        server.run(b"");
        server.sent.clear();
        let input = b"STLS\r\nUSER evil\r\nCAPA\r\nNO";
        let (first, second) = input.split_at(cut);
        server.run(first);
        server.run(second);
        assert_eq!(server.sent, b"+OK begin TLS\r\n");
        assert_eq!(server.events, ["StartTls"]);
        server.session.handle_tls(server.now);
        // Neither the name nor the half command is left.
        server.refuses(&["PASS x", "OP"]);
    }
}

#[test]
fn it_begins_when_the_reply_is_sent_to_the_last_octet() {
    let mut server = offered();
    server.run(b"");
    assert_eq!(server.session.handle_input(server.now, b"STLS\r\n"), 6);
    let octets = server.session.poll_transmit().unwrap().len();
    server.session.handle_transmitted(server.now, octets - 1);
    assert_eq!(server.session.poll_event(), None);
    // Too early: the reply is still waiting.
    server.session.handle_tls(server.now);
    assert_eq!(server.session.handle_input(server.now, b"NOOP\r\n"), 6);
    server.session.handle_transmitted(server.now, 1);
    server.pump();
    assert_eq!(server.events, ["StartTls"]);
}

#[test]
fn after_it_passwords_are_taken_and_it_is_gone() {
    let mut server = offered();
    assert!(server.ask("CAPA\r\n").contains("\r\nSTLS\r\n"));
    assert!(!server.ask("CAPA\r\n").contains("\r\nUSER\r\n"));
    server.refuses(&["USER me", &format!("PASS {PASSWORD}")]);
    server.run(b"STLS\r\n");
    server.sent.clear();
    assert_eq!(server.session.state(), State::Handshake);
    server.session.handle_tls(server.now);
    server.pump();
    assert_eq!(server.sent, b"", "no second greeting");
    let answer = server.ask("CAPA\r\n");
    assert!(
        answer.contains("\r\nUSER\r\n") && !answer.contains("STLS"),
        "{answer}"
    );
    server.refuses(&["STLS"]);
    server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
    assert_eq!(server.session.state(), State::Transaction);
    assert!(!server.ask("CAPA\r\n").contains("STLS"));
}

#[test]
fn it_is_refused_where_not_offered_and_after_utf8() {
    let mut server = Server::plain(&Store::new(&[]));
    assert!(!server.ask("CAPA\r\n").contains("STLS"));
    server.refuses(&["STLS"]);
    let mut server = offered();
    assert!(server.ask("UTF8\r\n").contains("+OK"));
    assert!(server.session.is_utf8());
    server.refuses(&["STLS"]);
}

#[test]
fn the_name_given_before_it_is_forgotten() {
    let config = Config::new()
        .tls(Tls::Offered)
        .dangerous_plaintext_without_tls(true);
    let mut server = Server::new(config, &Store::new(&[]));
    server.run(b"USER me\r\nSTLS\r\n");
    server.session.handle_tls(server.now);
    server.refuses(&[&format!("PASS {PASSWORD}")]);
}

#[test]
fn it_is_not_announced_after_a_login_without_it() {
    let config = Config::new()
        .tls(Tls::Offered)
        .dangerous_plaintext_without_tls(true);
    let mut server = Server::new(config, &Store::new(&[]));
    assert!(server.ask("CAPA\r\n").contains("\r\nSTLS\r\n"));
    server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
    assert!(!server.ask("CAPA\r\n").contains("STLS"));
    server.refuses(&["STLS"]);
}

#[test]
fn a_client_that_goes_away_within_it() {
    let mut server = offered();
    server.run(b"STLS\r\n");
    server.session.handle_eof();
    server.pump();
    assert_eq!(server.closed, Some(Closed::Eof));
}

#[test]
fn who_needs_tls_is_told_how_to_get_it_if_there_is_a_way() {
    for (tls, says) in [
        (
            Tls::Offered,
            "-ERR no password is taken without TLS: send STLS first\r\n",
        ),
        (
            Tls::Unavailable,
            "-ERR no password is taken without TLS\r\n",
        ),
    ] {
        let mut server = Server::new(Config::new().tls(tls), &Store::new(&[]));
        server.run(b"");
        assert_eq!(server.ask("USER mrose\r\n"), says);
    }
}

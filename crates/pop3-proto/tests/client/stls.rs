//! STLS: what is known, and what is sent, before and after.

use pop3_proto::client::{ClientError, Config, SessionError, State, Transport};
use pop3_proto::{Argument, Command, Mechanism, Profile, Secret};

use crate::harness::{Client, config, pass, user};

fn stls_required() -> Config {
    Config::new(Profile::RFC1939, Transport::StlsRequired)
}

/// CVE-2021-22947 (row 16): octets after the reply to STLS, in one read with it or cut
/// anywhere.
#[test]
fn reports_the_reply_to_stls_and_then_the_plaintext_after_it() {
    for after in [&b"+OK injected\r\n"[..], b"-ERR\r\n", b"+", b"\x16\x03\x01"] {
        let answer = [b"+OK go\r\n", after].concat();
        for read in 0..answer.len() {
            let mut client = Client::greeted(stls_required());
            client.read = read;
            let said = client.ask(&Command::Stls, &answer);
            assert_eq!(said, ["STLS + go", "error PlaintextAfterStls"], "{read}");
            client.assert_over(SessionError::PlaintextAfterStls);
        }
    }
}

/// A driver that starts the handshake without another call for the octets that are left.
#[test]
fn refuses_a_handshake_when_plaintext_came_with_the_reply_to_stls() {
    let mut client = Client::greeted(stls_required());
    client.send(&Command::Stls).unwrap();
    let read = b"+OK go\r\n+OK injected\r\n";
    let step = client.session.handle_input(client.now, read).unwrap();
    assert_eq!(step.consumed, b"+OK go\r\n".len());
    assert_eq!(
        client.session.handle_tls(client.now),
        Err(ClientError::StlsNotAllowed)
    );
    client.assert_over(SessionError::PlaintextAfterStls);
}

/// CVE-2021-22946 (row 17): a server without CAPA and STLS gets no name.
#[test]
fn no_login_before_tls_where_it_is_required() {
    let mut client = Client::greeted(stls_required());
    assert_eq!(
        client.ask(&Command::Capa, b"-ERR what\r\n"),
        ["CAPA - what"]
    );
    assert_eq!(
        client.ask(&Command::Stls, b"-ERR what\r\n"),
        ["STLS - what"]
    );
    client.sent.clear();
    let auth = Command::Auth {
        mechanism: Mechanism::new("PLAIN").unwrap(),
        initial_response: Some(Secret::new("AGEAYg==").unwrap()),
    };
    for command in [user(), auth] {
        assert_eq!(client.send(&command), Err(ClientError::TlsNeeded));
    }
    assert!(client.sent.is_empty());
    assert_eq!(client.session.state(), State::Authorization);
}

/// CVE-2026-41319 (row 18): what was said before TLS does not outlive it.
#[test]
fn everything_before_tls_is_forgotten() {
    let mut client = Client::new(stls_required());
    client.feed(b"+OK <1.2@example.com>\r\n");
    client.ask(
        &Command::Capa,
        b"+OK\r\nSTLS\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n",
    );
    assert!(client.session.capabilities().is_current());
    assert_eq!(
        client.session.capabilities().sasl().collect::<Vec<_>>(),
        ["PLAIN"]
    );
    assert!(client.session.apop_timestamp().is_some());
    client.ask(&Command::Stls, b"+OK\r\n");
    assert!(client.send(&Command::Capa).is_err());
    client.session.handle_tls(client.now).unwrap();
    assert!(client.session.is_under_tls());
    assert!(!client.session.capabilities().is_known());
    assert!(!client.session.capabilities().pipelining());
    assert_eq!(client.session.capabilities().sasl().count(), 0);
    assert!(client.session.apop_timestamp().is_none());
    client.ask(&user(), b"+OK\r\n");
    client.ask(&pass(), b"+OK\r\n");
    assert_eq!(client.session.state(), State::Transaction);
}

#[test]
fn stls_once_and_not_under_tls_nor_after_utf8() {
    let mut client = Client::greeted(config());
    assert_eq!(
        client.send(&Command::Stls),
        Err(ClientError::StlsNotAllowed)
    );
    let mut client = Client::greeted(stls_required());
    client.ask(&Command::Stls, b"+OK\r\n");
    client.session.handle_tls(client.now).unwrap();
    assert_eq!(
        client.send(&Command::Stls),
        Err(ClientError::StlsNotAllowed)
    );
    assert!(client.session.handle_tls(client.now).is_err());
    let mut client = Client::greeted(stls_required());
    client.ask(&Command::Utf8, b"+OK\r\n");
    assert_eq!(
        client.send(&Command::Stls),
        Err(ClientError::StlsNotAllowed)
    );
}

#[test]
fn nothing_is_queued_behind_stls() {
    let mut client = Client::greeted(stls_required());
    client.send(&Command::Stls).unwrap();
    assert_eq!(client.send(&Command::Capa), Err(ClientError::Busy));
    assert_eq!(client.sent, b"STLS\r\n");
}

#[test]
fn a_login_makes_capabilities_stale() {
    let mut client = Client::greeted(config());
    client.ask(&Command::Capa, b"+OK\r\nTOP\r\nUSER\r\n.\r\n");
    assert!(client.session.capabilities().is_current());
    client.ask(&user(), b"+OK\r\n");
    client.ask(&pass(), b"+OK\r\n");
    assert!(client.session.capabilities().is_stale());
    assert!(client.session.capabilities().top());
    client.ask(&Command::Capa, b"+OK\r\nUIDL\r\n.\r\n");
    assert!(client.session.capabilities().is_current());
    assert!(client.session.capabilities().uidl() && !client.session.capabilities().top());
}

#[test]
fn cleartext_login_where_it_is_asked_for() {
    let mut client = Client::greeted(Config::new(Profile::RFC1939, Transport::Cleartext));
    client
        .send(&Command::User(Argument::new("a b/c@d").unwrap()))
        .unwrap();
    assert_eq!(client.sent, b"USER a b/c@d\r\n");
}

//! STLS: what is known, and what is sent, before and after.

use pop3_proto::client::{ClientError, Config, SessionError, State, Transport};
use pop3_proto::{Command, Profile};

use crate::harness::{Client, config};

fn stls_required() -> Config {
    Config::new(Profile::RFC1939, Transport::StlsRequired)
}

/// CVE-2021-22947 (row 16): octets after the reply to STLS, whole or cut.
#[test]
fn plaintext_after_stls() {
    for after in [&b"+OK injected\r\n"[..], b"-ERR\r\n", b"+", b"\x16\x03\x01"] {
        let mut client = Client::greeted(stls_required());
        client.send(&Command::Stls).unwrap();
        let mut answer = b"+OK go\r\n".to_vec();
        answer.extend(after);
        assert_eq!(client.feed(&answer), ["error PlaintextAfterStls"]);
        client.assert_over(SessionError::PlaintextAfterStls);

        let mut client = Client::greeted(stls_required());
        client.ask(&Command::Stls, b"+OK go\r\n");
        assert_eq!(client.session.state(), State::Handshake);
        assert_eq!(client.feed(after), ["error PlaintextAfterStls"]);
        client.assert_over(SessionError::PlaintextAfterStls);
        assert!(client.session.tls_established(client.now).is_err());
    }
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
    client.session.tls_established(client.now).unwrap();
    assert_eq!(
        client.send(&Command::Stls),
        Err(ClientError::StlsNotAllowed)
    );
    assert!(client.session.tls_established(client.now).is_err());
    let mut client = Client::greeted(stls_required());
    client.ask(&Command::Utf8, b"+OK\r\n");
    assert_eq!(
        client.send(&Command::Stls),
        Err(ClientError::StlsNotAllowed)
    );
}

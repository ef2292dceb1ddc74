//! STLS: what the client knows and sends before and after it.

use pop3_proto::client::{ClientError, Config, SessionError, Transport};
use pop3_proto::{Command, Profile};

use crate::harness::{Client, config};

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

/// The driver starts the handshake without another call for the remaining octets.
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

#[test]
fn sends_stls_only_once_without_tls_and_before_utf8() {
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

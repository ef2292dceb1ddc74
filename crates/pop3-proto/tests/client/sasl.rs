//! AUTH and its exchange.

use pop3_proto::client::{ClientError, Response, SessionError};
use pop3_proto::{Command, Mechanism, Secret};

use crate::harness::{Client, config, user};

fn auth<'a>(mechanism: &'a str, initial_response: Option<&'a str>) -> Command<'a> {
    Command::Auth {
        mechanism: Mechanism::new(mechanism).unwrap(),
        initial_response: initial_response.map(|text| Secret::new(text).unwrap()),
    }
}

fn base64(text: &str) -> Response<'_> {
    Response::Base64(Secret::new(text).unwrap())
}

/// Row 26 (curl tests 876 to 878).
#[test]
fn canceled_exchange() {
    let mut client = Client::greeted(config());
    client.ask(&auth("CRAM-MD5", None), b"+ PDFAYj4=\r\n");
    client.sent.clear();
    client.respond(Response::Cancel);
    assert_eq!(client.sent, b"*\r\n");
    assert_eq!(client.feed(b"-ERR canceled\r\n"), ["AUTH - canceled"]);
    client.send(&user()).unwrap();
    for answer in [&b"+OK\r\n"[..], b"+ YQ==\r\n"] {
        let mut client = Client::greeted(config());
        client.ask(&auth("CRAM-MD5", None), b"+ PDFAYj4=\r\n");
        client.respond(Response::Cancel);
        assert_eq!(client.feed(answer), ["error AfterCancel"]);
        client.assert_over(SessionError::AfterCancel);
    }
}

/// A server that never stops sending challenges.
#[test]
fn limits_the_number_of_challenges() {
    let mut config = config();
    assert_eq!(config.limits.challenges, 16);
    config.limits.challenges = 2;
    let mut client = Client::greeted(config.clone());
    for _ in 0..2 {
        // Each exchange counts from zero.
        client.send(&auth("GSSAPI", None)).unwrap();
        for _ in 0..2 {
            assert_eq!(client.feed(b"+ YQ==\r\n"), ["challenge YQ=="]);
            client.respond(base64("YQ=="));
        }
        assert_eq!(client.feed(b"-ERR no\r\n"), ["AUTH - no"]);
    }
    client.send(&auth("GSSAPI", None)).unwrap();
    for _ in 0..2 {
        client.feed(b"+ YQ==\r\n");
        client.respond(base64("YQ=="));
    }
    client.sent.clear();
    assert_eq!(client.feed(b"+ YQ==\r\n"), ["error TooManyChallenges"]);
    client.assert_over(SessionError::TooManyChallenges);
    assert!(client.sent.is_empty());
    // The challenge that the session answers by itself counts too.
    config.limits.challenges = 0;
    let mut client = Client::greeted(config);
    let long = "x".repeat(300);
    let said = client.ask(&auth("XOAUTH2", Some(&long)), b"+\r\n");
    assert_eq!(said, ["error TooManyChallenges"]);
}

/// C0003: a response is base64 and nothing else.
#[test]
fn does_not_send_a_response_that_is_not_base64() {
    for text in [
        "*", "a b", "=", "==", "a===", "a=b", "é", "a-b", "a_b", "a\u{a0}",
    ] {
        let mut client = Client::greeted(config());
        let refused = client.send(&auth("PLAIN", Some(text)));
        let is_empty = text == "=";
        assert_eq!(refused.is_ok(), is_empty, "{text}");
        assert_eq!(client.sent.is_empty(), !is_empty, "{text}");

        let mut client = Client::greeted(config());
        client.ask(&auth("LOGIN", None), b"+ VXNlcg==\r\n");
        client.sent.clear();
        let refused = client.session.respond(client.now, base64(text));
        assert_eq!(refused, Err(ClientError::NotBase64), "{text}");
        assert!(client.session.poll_transmit().is_none());
        // The challenge still waits for a valid response.
        client.respond(Response::Cancel);
        assert_eq!(client.sent, b"*\r\n");
    }
}

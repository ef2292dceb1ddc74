//! AUTH and its exchange.

use pop3_proto::client::{ClientError, Response, SessionError, State};
use pop3_proto::{Command, Mechanism, Secret};

use crate::harness::{Client, config, outlook, user};

fn auth<'a>(mechanism: &'a str, initial_response: Option<&'a str>) -> Command<'a> {
    Command::Auth {
        mechanism: Mechanism::new(mechanism).unwrap(),
        initial_response: initial_response.map(|text| Secret::new(text).unwrap()),
    }
}

fn base64(text: &str) -> Response<'_> {
    Response::Base64(Secret::new(text).unwrap())
}

#[test]
fn initial_response_in_the_line() {
    let mut client = Client::greeted(config());
    assert_eq!(
        client.ask(&auth("PLAIN", Some("AGEAYg==")), b"+OK in\r\n"),
        ["AUTH + in"]
    );
    assert_eq!(client.sent, b"AUTH PLAIN AGEAYg==\r\n");
    assert_eq!(client.session.state(), State::Transaction);
}

/// Row 28, RFC 5034 §4: 255 octets go in one line, 256 in two steps.
#[test]
fn long_initial_response_in_two_steps() {
    let fits = "x".repeat(255 - "AUTH XOAUTH2 \r\n".len());
    let mut client = Client::greeted(config());
    client.send(&auth("XOAUTH2", Some(&fits))).unwrap();
    assert_eq!(client.sent.len(), 255);

    let long = format!("{fits}x");
    for challenge in [&b"+ \r\n"[..], b"+\r\n", b"+ go ahead\r\n", b"+OK\r\n"] {
        let mut client = Client::greeted(config());
        client.send(&auth("XOAUTH2", Some(&long))).unwrap();
        assert_eq!(client.sent, b"AUTH XOAUTH2\r\n");
        assert_eq!(client.feed(challenge), [""; 0]);
        assert_eq!(
            client.sent,
            format!("AUTH XOAUTH2\r\n{long}\r\n").into_bytes()
        );
        assert_eq!(client.feed(b"+OK\r\n"), ["AUTH + "]);
        assert_eq!(client.session.state(), State::Transaction);
    }
    let mut client = Client::greeted(config());
    let refused = "AUTH - use two steps";
    assert_eq!(
        client.ask(&auth("XOAUTH2", Some(&long)), b"-ERR use two steps\r\n"),
        [refused]
    );
    client.send(&user()).unwrap();
    let huge = "x".repeat(12_288 - 1);
    let mut client = Client::greeted(config());
    let refused = client.send(&auth("XOAUTH2", Some(&huge)));
    assert_eq!(refused, Err(ClientError::ResponseTooLong));
    assert!(client.sent.is_empty() && client.session.is_idle());
}

/// Row 26 (curl test 891) and 27 (MailKit #268).
#[test]
fn challenges_without_a_space_or_with_text() {
    for (challenge, said) in [
        (&b"+\r\n"[..], "challenge "),
        (b"+ \r\n", "challenge "),
        (b"+   \r\n", "challenge "),
        (b"+ dGV4dA==\r\n", "challenge dGV4dA=="),
        (b"+dGV4dA==\r\n", "challenge dGV4dA=="),
        (b"+ say something\r\n", "challenge say something"),
    ] {
        let mut client = Client::greeted(config());
        assert_eq!(client.ask(&auth("LOGIN", None), challenge), [said]);
        client.sent.clear();
        client.respond(Response::Empty);
        assert_eq!(client.sent, b"\r\n");
    }
}

/// Row 26 (curl tests 889 and 890): the error of OAUTHBEARER, and its answer.
#[test]
fn oauthbearer_error_is_answered() {
    let mut client = Client::greeted(config());
    let said = client.ask(
        &auth("OAUTHBEARER", Some("bixhPXU=")),
        b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n",
    );
    assert_eq!(said, ["challenge eyJzdGF0dXMiOiI0MDEifQ=="]);
    client.respond(base64("AQ=="));
    assert_eq!(client.feed(b"-ERR no\r\n"), ["AUTH - no"]);
    assert_eq!(client.session.state(), State::Authorization);
    // The next mechanism (curl tests 879 to 881).
    client.send(&auth("PLAIN", None)).unwrap();
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

/// Row 27, MS-POP3 §2.2: `+OK` where `+` is due; then it means success.
#[test]
fn ok_where_a_challenge_is_due() {
    for config in [config(), outlook()] {
        let mut client = Client::greeted(config);
        assert_eq!(client.ask(&auth("NTLM", None), b"+OK\r\n"), ["challenge "]);
        assert_eq!(client.session.state(), State::Authorization);
        client.respond(base64("TlRMTVNTUAAB"));
        assert_eq!(
            client.feed(b"+ TlRMTVNTUAAC\r\n"),
            ["challenge TlRMTVNTUAAC"]
        );
        client.respond(base64("TlRMTVNTUAAD"));
        assert_eq!(client.feed(b"+OK welcome\r\n"), ["AUTH + welcome"]);
        assert_eq!(client.session.state(), State::Transaction);
    }
}

#[test]
fn nothing_but_a_response_within_an_exchange() {
    let mut client = Client::greeted(config());
    let refused = client.session.respond(client.now, Response::Empty);
    assert_eq!(refused, Err(ClientError::NoChallenge));
    client.send(&auth("LOGIN", None)).unwrap();
    assert_eq!(client.send(&user()), Err(ClientError::Busy));
    client.feed(b"+ VXNlcg==\r\n");
    assert_eq!(client.send(&Command::Quit), Err(ClientError::Busy));
    assert!(!client.session.is_idle());
    client.respond(base64("YQ=="));
    let twice = client.session.respond(client.now, Response::Empty);
    assert_eq!(twice, Err(ClientError::NoChallenge));
}

#[test]
fn octets_before_the_response_are_unsolicited() {
    let mut client = Client::greeted(config());
    let said = client.ask(&auth("LOGIN", None), b"+ VXNlcg==\r\n+OK\r\n");
    assert_eq!(said, ["challenge VXNlcg==", "error Reply(Unsolicited)"]);
    assert_eq!(client.session.state(), State::Desync);
}

#[test]
fn long_challenges_have_a_limit() {
    let mut config = config();
    config.limits.challenge_octets = 600;
    let long = [b"+ ", &[b'x'; 600][..], b"\r\n"].concat();
    let mut client = Client::greeted(config.clone());
    assert_eq!(client.ask(&auth("GSSAPI", None), &long)[0].len(), 610);
    let longer = [b"+ ", &[b'x'; 601][..], b"\r\n"].concat();
    let mut client = Client::greeted(config);
    assert_eq!(
        client.ask(&auth("GSSAPI", None), &longer),
        ["error ChallengeTooLong"]
    );
}

#[test]
fn responses_are_not_shown() {
    let mut client = Client::greeted(config());
    let long = "c2VjcmV0".repeat(40);
    client
        .session
        .enqueue(client.now, &auth("XOAUTH2", Some(&long)))
        .unwrap();
    assert!(!format!("{:?}", client.session).contains("c2VjcmV0"));
}

#[test]
fn list_of_mechanisms() {
    let mut client = Client::greeted(config());
    let said = client.ask(&Command::AuthList, b"+OK\r\nNTLM\r\n.\r\n");
    assert_eq!(said, ["AUTH + ", "line NTLM", "end 6"]);
}

/// A server that challenges for ever.
#[test]
fn challenges_have_a_number() {
    let mut config = config();
    assert_eq!(config.limits.challenges, 16);
    config.limits.challenges = 2;
    let mut client = Client::greeted(config.clone());
    for _ in 0..2 {
        // Each exchange counts anew.
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
    // The one that the session answers by itself counts too.
    config.limits.challenges = 0;
    let mut client = Client::greeted(config);
    let long = "x".repeat(300);
    let said = client.ask(&auth("XOAUTH2", Some(&long)), b"+\r\n");
    assert_eq!(said, ["error TooManyChallenges"]);
}

/// MS-STANOPOP3 V0001 and C0004: to Outlook the case of the indicator means
/// nothing, and a TAB may follow it. To RFC 1939 both are no indicator.
#[test]
fn outlook_reads_any_ok_as_the_end_of_an_exchange() {
    for line in [
        &b"+ok\r\n"[..],
        b"+Ok in\r\n",
        b"+OK\tin\r\n",
        b"+oK \t in\r\n",
    ] {
        let mut client = Client::greeted(outlook());
        let said = client.ask(&auth("PLAIN", Some("AGEAYg==")), line);
        assert!(said[0].starts_with("AUTH + "), "{said:?}");
        assert_eq!(client.session.state(), State::Transaction);

        let mut client = Client::greeted(config());
        let said = client.ask(&auth("PLAIN", Some("AGEAYg==")), line);
        assert!(said[0].starts_with("challenge "), "{said:?}");
    }
    for line in [
        &b"+okay\r\n"[..],
        b"+ok=\r\n",
        b"+ ok\r\n",
        b"+\tOK\r\n",
        b"+\r\n",
    ] {
        let mut client = Client::greeted(outlook());
        let said = client.ask(&auth("PLAIN", Some("AGEAYg==")), line);
        assert!(said[0].starts_with("challenge "), "{said:?}");
    }
    // In place of the first challenge it is one, as with "+OK".
    let mut client = Client::greeted(outlook());
    assert_eq!(client.ask(&auth("NTLM", None), b"+ok\r\n"), ["challenge "]);
}

/// C0003: base64 and nothing else.
#[test]
fn a_response_that_is_not_base64_is_not_sent() {
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
        // The challenge waits for another.
        client.respond(Response::Cancel);
        assert_eq!(client.sent, b"*\r\n");
    }
}

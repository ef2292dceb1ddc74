//! AUTH (RFC 5034 §4).

use pop3_proto::{
    MAX_SASL_LINE, Mechanism,
    server::{ChallengeError, Config, DEFAULT_CHALLENGES, Tls, Verdict},
};
use pop3_testkit::store::Store;

use crate::drive::{Server, store};

fn one() -> Store {
    store(&[b"A: b\r\n\r\nc\r\n"])
}

fn sasl() -> Server {
    let mechanisms = [
        Mechanism::new("plain").unwrap(),
        Mechanism::new("SCRAM-SHA-256").unwrap(),
    ];
    let config = Config::new()
        .mechanisms(&mechanisms)
        .unwrap()
        .tls(Tls::Active);
    let mut server = Server::new(config, &one());
    server.run(b"");
    server
}

#[test]
fn refuses_canceled_and_garbled_auth() {
    let mut server = sasl();
    assert_eq!(server.ask("AUTH PLAIN\r\n"), "+ \r\n");
    server.refuses(&["*"]);
    assert_eq!(server.events[1], "SaslCanceled");
    for garbled in [
        "QUIT",
        "=AAA",
        "AAA=BBB=",
        "A===",
        "AAAAA",
        "AA\u{e4}A",
        "AAA ",
        "AAA\0",
    ] {
        server.refuses(&[&format!("AUTH PLAIN {garbled}!")]);
        assert_eq!(server.ask("AUTH PLAIN\r\n"), "+ \r\n");
        let before = server.events.len();
        let answer = server.ask(&format!("{garbled}\r\n"));
        assert!(answer.starts_with("-ERR "), "{garbled}: {answer}");
        let canceled = server.events[before..] == ["SaslCanceled"];
        assert!(canceled || garbled == "QUIT", "{garbled}");
    }
    // QUIT happens to be valid base64, so it is a wrong response; so is an empty
    // line.
    assert_eq!(server.session.failed_logins(), 1);
    server.refuses(&["AUTH PLAIN ="]);
    server.run(b"AUTH PLAIN\r\n");
    server.refuses(&[""]);
    assert_eq!(server.session.failed_logins(), 3);
    assert!(server.closed.is_none());
}

#[test]
fn accepts_sasl_responses_over_255_octets_up_to_a_limit() {
    for (octets, events) in [(MAX_SASL_LINE - 4, 1), (MAX_SASL_LINE, 0)] {
        for piece in [7, usize::MAX] {
            let mut server = sasl();
            server.run(b"AUTH PLAIN\r\n");
            server.sent.clear();
            let line = format!("{}\r\n", "A".repeat(octets));
            for piece in line.as_bytes().chunks(piece.min(line.len())) {
                server.run(piece);
            }
            assert_eq!(
                server.sent.iter().filter(|&&octet| octet == b'\n').count(),
                1
            );
            let responses = server
                .events
                .iter()
                .filter(|event| event.starts_with("SaslResponse"));
            assert_eq!(responses.count(), events);
            assert!(server.ask("QUIT\r\n").starts_with("+OK"));
        }
    }
}

#[test]
fn refuses_an_overlong_challenge() {
    let most = MAX_SASL_LINE - "+ \r\n".len();
    let mut server = sasl();
    server.run(b"AUTH SCRAM-SHA-256\r\n");
    let too_long = server.session.challenge(server.now, &"A".repeat(most + 4));
    let Err(ChallengeError::Argument(error)) = too_long else {
        panic!("{too_long:?}");
    };
    assert_eq!(error.offset(), most);
    assert_eq!(
        server.session.challenge(server.now, &"A".repeat(most)),
        Ok(())
    );
}

#[test]
fn limits_the_number_of_challenges() {
    for (config, most) in [
        (Config::new(), DEFAULT_CHALLENGES),
        (Config::new().challenges(3), 3),
    ] {
        let mechanisms = [Mechanism::new("X").unwrap()];
        let config = config.mechanisms(&mechanisms).unwrap();
        let mut server = Server::new(config, &one());
        server.run(b"");
        for _ in 0..2 {
            // Each exchange counts from zero.
            assert_eq!(server.session.handle_input(server.now, b"AUTH X\r\n"), 8);
            for _ in 0..most {
                assert!(server.session.poll_event().is_some());
                server.session.challenge(server.now, "AAAA").unwrap();
                let octets = server.session.poll_transmit().unwrap().len();
                server.session.handle_transmitted(server.now, octets);
                assert_eq!(server.session.handle_input(server.now, b"AAAA\r\n"), 6);
            }
            let one_more = server.session.challenge(server.now, "AAAA");
            assert_eq!(one_more, Err(ChallengeError::TooMany));
            assert!(server.session.poll_transmit().is_none());
            assert!(server.session.poll_event().is_some());
            server.session.answer(server.now, Verdict::Reject);
            let sent = server.session.poll_transmit().unwrap().to_vec();
            assert!(sent.starts_with(b"-ERR [AUTH] "));
            server.session.handle_transmitted(server.now, sent.len());
        }
    }
}

//! Commands that are sent before the replies to earlier commands.

use pop3_proto::Command;
use pop3_proto::client::{Config, Retrieved, SessionError, State, Timer};

use crate::harness::{Client, config, number};

fn announced(config: Config) -> Client {
    let mut client = Client::in_transaction(config);
    client.ask(&Command::Capa, b"+OK\r\nPIPELINING\r\n.\r\n");
    client.sent.clear();
    client
}

fn three(client: &mut Client) {
    for message in 1..=3 {
        client.send(&Command::Retr(number(message))).unwrap();
    }
}

/// RFC 2449 §6.6.
#[test]
fn limits_the_window_in_octets() {
    let mut config = config();
    config.limits.window_octets = 16;
    let mut client = announced(config.clone());
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\n");
    client.feed(b"-ERR\r\n");
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\nRETR 3\r\n");
    // A single command is always sent.
    config.limits.window_octets = 0;
    let mut client = announced(config);
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\n");
}

fn dele(client: &mut Client, proof: Retrieved) {
    client.session.enqueue_dele(client.now, proof).unwrap();
    client.flush();
}

/// Row 37: the client takes the reply to RETR 3 for the reply to RETR 2, because
/// RETR 1 has swallowed the second reply. None of the three proofs leads to a DELE.
#[test]
fn nothing_is_deleted_after_a_swallowed_reply() {
    for cut in [1, 0] {
        let mut client = announced(config());
        client.read = cut;
        three(&mut client);
        client.sent.clear();
        client.feed(b"+OK\r\na\r\n+OK\r\nb\r\n.\r\n");
        let first = client.ends[1].retrieved.unwrap();
        assert_eq!((first.number(), first.octets()), (number(1), 11));
        dele(&mut client, first);
        client.feed(b"+OK\r\nc\r\n.\r\n");
        let second = client.ends[2].retrieved.unwrap();
        assert_eq!(second.number(), number(2));
        dele(&mut client, second);
        client.send(&Command::Quit).unwrap();
        assert!(client.sent.is_empty());
        assert_eq!(client.wait(120), Err(SessionError::Timeout(Timer::Reply)));
        client.assert_over(SessionError::Timeout(Timer::Reply));
        assert!(client.sent.is_empty());
    }
}

#[test]
fn sends_deles_together_after_all_other_replies() {
    let mut client = announced(config());
    three(&mut client);
    client.sent.clear();
    client.feed(b"+OK\r\na\r\n.\r\n+OK\r\nb\r\n.\r\n");
    let proofs: Vec<_> = client.ends[1..].iter().map(|end| end.retrieved).collect();
    for proof in proofs {
        dele(&mut client, proof.unwrap());
    }
    client.send(&Command::Noop).unwrap();
    client.send(&Command::Quit).unwrap();
    assert!(client.sent.is_empty());
    client.feed(b"+OK\r\nc\r\n.\r\n");
    assert_eq!(client.sent, b"DELE 1\r\nDELE 2\r\nNOOP\r\n");
    client.feed(b"+OK\r\n");
    assert_eq!(client.sent, b"DELE 1\r\nDELE 2\r\nNOOP\r\n");
    client.feed(b"+OK\r\n");
    assert_eq!(client.sent, b"DELE 1\r\nDELE 2\r\nNOOP\r\nQUIT\r\n");
    client.feed(b"+OK\r\n+OK\r\n");
    assert_eq!(client.session.state(), State::Update);
}

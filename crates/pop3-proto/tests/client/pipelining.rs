//! Commands sent before the replies to those before them.

use pop3_proto::Command;
use pop3_proto::client::{Config, SessionError, State, Timer};

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

#[test]
fn one_at_a_time_unless_announced() {
    let mut client = Client::in_transaction(config());
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\n");
    client.feed(b"+OK\r\na\r\n.\r");
    assert_eq!(client.sent, b"RETR 1\r\n");
    client.feed(b"\n");
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\n");
    client.feed(b"-ERR\r\n");
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\nRETR 3\r\n");
}

#[test]
fn all_at_once_where_announced() {
    let mut client = announced(config());
    three(&mut client);
    client.send(&Command::Quit).unwrap();
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\nRETR 3\r\nQUIT\r\n");
    let said = client.feed(b"+OK\r\na\r\n.\r\n-ERR\r\n+OK\r\nc\r\n.\r\n+OK\r\n");
    assert_eq!(
        said,
        [
            "RETR + ",
            "data a\\r\\n",
            "end 3",
            "RETR - ",
            "RETR + ",
            "data c\\r\\n",
            "end 3",
            "QUIT + "
        ]
    );
    let proofs: Vec<_> = client.ends[1..]
        .iter()
        .map(|end| end.retrieved.unwrap().number())
        .collect();
    assert_eq!(proofs, [number(1), number(3)]);
    assert_eq!(client.session.state(), State::Update);
}

/// wildduck#950: the switch.
#[test]
fn switched_off() {
    let mut config = config();
    config.pipelining = false;
    let mut client = announced(config);
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\n");
}

/// RFC 2449 §6.6.
#[test]
fn window_in_octets() {
    let mut config = config();
    config.limits.window_octets = 16;
    let mut client = announced(config.clone());
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\n");
    client.feed(b"-ERR\r\n");
    assert_eq!(client.sent, b"RETR 1\r\nRETR 2\r\nRETR 3\r\n");
    // One command always goes.
    config.limits.window_octets = 0;
    let mut client = announced(config);
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\n");
}

#[test]
fn not_on_the_word_from_before_the_login() {
    let mut client = Client::greeted(config());
    client.ask(&Command::Capa, b"+OK\r\nPIPELINING\r\n.\r\n");
    client.ask(&crate::harness::user(), b"+OK\r\n");
    client.ask(&crate::harness::pass(), b"+OK\r\n");
    client.sent.clear();
    three(&mut client);
    assert_eq!(client.sent, b"RETR 1\r\n");
}

#[test]
fn not_before_login() {
    let mut client = Client::greeted(config());
    client.ask(&Command::Capa, b"+OK\r\nPIPELINING\r\n.\r\n");
    client.sent.clear();
    client.send(&Command::Capa).unwrap();
    client.send(&crate::harness::user()).unwrap();
    assert_eq!(client.sent, b"CAPA\r\n");
}

/// wildduck#950 (row 37): a reply whose terminator is missing swallows the
/// next; the commands behind it never get theirs, and that is an error.
#[test]
fn missing_terminator_among_pipelined_replies() {
    let mut client = announced(config());
    client.send(&Command::Retr(number(1))).unwrap();
    client.send(&Command::Retr(number(2))).unwrap();
    let said = client.feed(b"+OK\r\na\r\n+OK\r\nb\r\n.\r\n");
    assert_eq!(said, ["RETR + ", "data a\\r\\n+OK\\r\\nb\\r\\n", "end 11"]);
    assert_eq!(client.wait(120), Err(SessionError::Timeout(Timer::Reply)));
    client.assert_over(SessionError::Timeout(Timer::Reply));
}

//! Commands sent before the replies to those before them.

use pop3_proto::Command;
use pop3_proto::ReplyError;
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

fn dele(client: &mut Client, proof: Retrieved) {
    client.session.enqueue_dele(client.now, proof).unwrap();
    client.flush();
}

/// Row 37: the reply to RETR 3 is taken for that to RETR 2, since RETR 1 has
/// swallowed the second. No proof of the three leads to a DELE.
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

/// wildduck#950 itself: the terminator comes after the next first line.
#[test]
fn nothing_is_deleted_after_a_late_terminator() {
    let mut client = announced(config());
    three(&mut client);
    client.sent.clear();
    client.feed(b"+OK\r\na\r\n+OK\r\n.\r\n");
    let first = client.ends[1].retrieved.unwrap();
    dele(&mut client, first);
    let said = client.feed(b"b\r\n.\r\n+OK\r\nc\r\n.\r\n");
    assert!(said[0].starts_with("error Reply(Status"), "{said:?}");
    assert_eq!(client.session.state(), State::Desync);
    assert!(client.sent.is_empty());
}

/// Row 13: the message is cut at a dot that the server did not stuff. DELE
/// goes out, but the rest of the message is no answer to it.
#[test]
fn quit_does_not_follow_a_message_cut_at_an_unstuffed_dot() {
    let mut client = announced(config());
    client.send(&Command::Retr(number(1))).unwrap();
    client.sent.clear();
    client.feed(b"+OK\r\na\r\n.\r\n");
    let proof = client.ends[1].retrieved.unwrap();
    assert_eq!(proof.octets(), 3);
    dele(&mut client, proof);
    client.send(&Command::Quit).unwrap();
    assert_eq!(client.sent, b"DELE 1\r\n");
    client.feed(b"the rest of it\r\n.\r\n+OK\r\n");
    assert_eq!(client.session.state(), State::Desync);
    assert_eq!(client.sent, b"DELE 1\r\n");
    let Err(SessionError::Reply(ReplyError::Status(_))) = client.eof() else {
        panic!("no error");
    };
}

#[test]
fn deles_go_together_once_all_else_is_answered() {
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

#[test]
fn a_dele_behind_another_reply_that_is_due_waits() {
    let mut client = announced(config());
    client.ask(&Command::Retr(number(1)), b"+OK\r\na\r\n.\r\n");
    client.ask(&Command::Retr(number(2)), b"+OK\r\nb\r\n.\r\n");
    let proofs = [1, 2].map(|end| client.ends[end].retrieved.unwrap());
    client.sent.clear();
    dele(&mut client, proofs[0]);
    client.send(&Command::Retr(number(3))).unwrap();
    dele(&mut client, proofs[1]);
    assert_eq!(client.sent, b"DELE 1\r\nRETR 3\r\n");
    client.feed(b"+OK\r\n");
    assert_eq!(client.sent, b"DELE 1\r\nRETR 3\r\n");
    client.feed(b"+OK\r\nc\r\n.\r\n");
    assert_eq!(client.sent, b"DELE 1\r\nRETR 3\r\nDELE 2\r\n");
}

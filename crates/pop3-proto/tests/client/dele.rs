//! DELE and its proof; messages marked as deleted.

use pop3_proto::client::{ClientError, Delivered, Request, Retrieved};
use pop3_proto::{Command, MessageNumber};

use crate::harness::{Client, config, number};

fn retrieve(client: &mut Client, message: u32) -> Retrieved {
    client.ask(&Command::Retr(number(message)), b"+OK\r\na\r\n.\r\n");
    client.ends.pop().unwrap().retrieved.unwrap()
}

fn dele(client: &mut Client, proof: Retrieved, answer: &[u8]) -> Vec<String> {
    client.session.enqueue_dele(client.now, proof).unwrap();
    client.flush();
    client.feed(answer)
}

#[test]
fn dele_needs_a_proof() {
    let mut client = Client::in_transaction(config());
    let refused = client.send(&Command::Dele(number(1)));
    assert_eq!(refused, Err(ClientError::ProofNeeded));
    assert!(client.sent.is_empty());
    let proof = retrieve(&mut client, 7);
    assert_eq!(proof.number(), number(7));
    client.sent.clear();
    assert_eq!(dele(&mut client, proof, b"+OK\r\n"), ["DELE + "]);
    assert_eq!(client.sent, b"DELE 7\r\n");
}

#[test]
fn top_is_no_proof() {
    let mut client = Client::in_transaction(config());
    client.ask(&Command::Top(number(1), u32::MAX), b"+OK\r\na\r\n.\r\n");
    assert_eq!(client.ends[0].retrieved, None);
    assert_eq!(client.ends[0].request, Request::Top(number(1), u32::MAX));
}

#[test]
fn proof_of_another_session_is_refused() {
    let mut first = Client::in_transaction(config());
    let proof = retrieve(&mut first, 1);
    let mut second = Client::in_transaction(config());
    let refused = second.session.enqueue_dele(second.now, proof);
    assert_eq!(refused, Err(ClientError::ForeignProof));
    second.flush();
    assert!(second.sent.is_empty());
}

#[test]
fn message_of_an_earlier_session() {
    let mut client = Client::in_transaction(config());
    let proof = Delivered::in_an_earlier_session(MessageNumber::FIRST);
    client.session.enqueue_dele(client.now, proof).unwrap();
    client.flush();
    assert_eq!(client.sent, b"DELE 1\r\n");
}

/// C0024, C0026, V0004, C0032: deleted messages are referred to no more.
#[test]
fn deleted_messages_are_refused() {
    let mut client = Client::in_transaction(config());
    let proof = retrieve(&mut client, 1);
    client.session.enqueue_dele(client.now, proof).unwrap();
    let commands = [
        Command::Retr(number(1)),
        Command::Top(number(1), 1),
        Command::List(Some(number(1))),
        Command::Uidl(Some(number(1))),
    ];
    let refused = Err(ClientError::Deleted(number(1)));
    // Also while the reply is due.
    for answered in [false, true] {
        for command in &commands {
            assert_eq!(client.send(command), refused);
        }
        assert_eq!(client.session.enqueue_dele(client.now, proof), refused);
        if !answered {
            client.flush();
            client.feed(b"+OK\r\n");
        }
    }
    client.send(&Command::Retr(number(2))).unwrap();
}

#[test]
fn refused_dele_marks_nothing() {
    let mut client = Client::in_transaction(config());
    let proof = retrieve(&mut client, 1);
    assert_eq!(dele(&mut client, proof, b"-ERR no\r\n"), ["DELE - no"]);
    assert_eq!(dele(&mut client, proof, b"+OK\r\n"), ["DELE + "]);
}

#[test]
fn rset_unmarks_what_came_before_it() {
    let mut client = Client::in_transaction(config());
    let proof = retrieve(&mut client, 1);
    dele(&mut client, proof, b"+OK\r\n");
    client.session.enqueue(client.now, &Command::Rset).unwrap();
    let later = Delivered::in_an_earlier_session(number(2));
    client.session.enqueue_dele(client.now, later).unwrap();
    client.flush();
    client.feed(b"+OK\r\n");
    client
        .session
        .enqueue(client.now, &Command::Retr(number(1)))
        .unwrap();
    let refused = client
        .session
        .enqueue(client.now, &Command::Retr(number(2)));
    assert_eq!(refused, Err(ClientError::Deleted(number(2))));
}

/// Rows 13 and 37: what a caller compares with the size by LIST.
#[test]
fn a_proof_says_how_many_octets_came_unstuffed() {
    let mut client = Client::in_transaction(config());
    let reply = [b"+OK\r\n", &b"..23456789\r\n".repeat(1000)[..], b".\r\n"].concat();
    client.ask(&Command::Retr(number(1)), &reply);
    let proof = client.ends.pop().unwrap().retrieved.unwrap();
    assert_eq!(proof.octets(), 11_000);
}

#[test]
fn a_message_whose_dele_was_refused_is_not_deleted() {
    let mut client = Client::in_transaction(config());
    let proof = retrieve(&mut client, 1);
    assert_eq!(dele(&mut client, proof, b"-ERR no\r\n"), ["DELE - no"]);
    let proof = retrieve(&mut client, 1);
    assert_eq!(dele(&mut client, proof, b"+OK\r\n"), ["DELE + "]);
    let again = client.send(&Command::Retr(number(1)));
    assert_eq!(again, Err(ClientError::Deleted(number(1))));
}

#[test]
fn as_many_messages_can_be_deleted_as_can_be_listed() {
    let mut small = config();
    small.limits.listing_entries = 2;
    let mut client = Client::in_transaction(small);
    for message in 1..=2 {
        let proof = retrieve(&mut client, message);
        dele(&mut client, proof, b"+OK\r\n");
    }
    let proof = retrieve(&mut client, 3);
    let refused = client.session.enqueue_dele(client.now, proof);
    assert_eq!(refused, Err(ClientError::QueueFull));
}

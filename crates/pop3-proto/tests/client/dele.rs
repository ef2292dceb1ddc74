//! DELE and its proof; messages marked as deleted.

use pop3_proto::Command;
use pop3_proto::client::{ClientError, Retrieved};

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

/// Rows 13 and 37: the number that a caller compares with the size by LIST.
#[test]
fn a_proof_counts_unstuffed_octets() {
    let mut client = Client::in_transaction(config());
    let reply = [b"+OK\r\n", &b"..23456789\r\n".repeat(1000)[..], b".\r\n"].concat();
    client.ask(&Command::Retr(number(1)), &reply);
    let proof = client.ends.pop().unwrap().retrieved.unwrap();
    assert_eq!(proof.octets(), 11_000);
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

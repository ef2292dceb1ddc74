//! Limits, and behaviour beyond them.

use pop3_proto::Command;
use pop3_proto::client::ClientError;

use crate::harness::{Client, config};

#[test]
fn limits_the_octets_of_the_queue() {
    let mut config = config();
    config.limits.queue_octets = 15;
    let mut client = Client::in_transaction(config);
    client.session.enqueue(client.now, &Command::Noop).unwrap();
    client.session.enqueue(client.now, &Command::Noop).unwrap();
    let refused = client.session.enqueue(client.now, &Command::Noop);
    assert_eq!(refused, Err(ClientError::QueueFull));
    client.session.handle_transmitted(client.now, 6);
    client.session.enqueue(client.now, &Command::Noop).unwrap();
}

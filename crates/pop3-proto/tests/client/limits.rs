//! Limits, and what happens beyond them.

use dot_stuffing::ErrorKind;
use pop3_proto::Command;
use pop3_proto::ReplyError;
use pop3_proto::client::{ClientError, SessionError, State};

use crate::harness::{Client, config, number};

/// CVE-2013-1752 (row 24): a line without an end.
#[test]
fn status_line_of_512_octets() {
    let line = |octets: usize| [b"+OK ", &vec![b'x'; octets - 6][..], b"\r\n"].concat();
    let mut client = Client::new(config());
    assert_eq!(client.feed(&line(512)).len(), 1);
    assert_eq!(client.session.state(), State::Authorization);
    let mut client = Client::new(config());
    let said = client.feed(&line(513));
    assert!(said[0].contains("LineTooLong"), "{said:?}");
    assert_eq!(client.session.state(), State::Desync);
}

#[test]
fn message_octets() {
    let mut config = config();
    config.limits.message_octets = 5;
    let mut client = Client::in_transaction(config.clone());
    let said = client.ask(&Command::Retr(number(1)), b"+OK\r\nabc\r\n.\r\n");
    assert_eq!(said[2], "end 5");
    let mut client = Client::in_transaction(config);
    client.ask(&Command::Retr(number(1)), b"+OK\r\nabcd\r\n.\r\n");
    let Err(SessionError::Reply(ReplyError::Block(error))) = client.eof() else {
        panic!("no error");
    };
    assert_eq!(error.kind(), ErrorKind::TooLong);
    assert!(client.ends.is_empty());
}

#[test]
fn listing_entries_and_octets() {
    let mut small = config();
    small.limits.listing_entries = 2;
    let mut client = Client::in_transaction(small.clone());
    let said = client.ask(&Command::List(None), b"+OK\r\n1 1\r\n2 2\r\n.\r\n");
    assert_eq!(said.len(), 4);
    let mut client = Client::in_transaction(small.clone());
    let said = client.ask(&Command::List(None), b"+OK\r\n1 1\r\n2 2\r\nx\r\n.\r\n");
    assert_eq!(said[3], "error TooManyLines");
    let mut client = Client::in_transaction(small);
    let said = client.ask(&Command::List(None), b"+OK\r\n3 1\r\n.\r\n");
    assert!(
        said[1].ends_with("message-number 3 passes the limit"),
        "{said:?}"
    );

    let mut small = config();
    small.limits.listing_octets = 9;
    let mut client = Client::in_transaction(small);
    let said = client.ask(&Command::List(None), b"+OK\r\n1 1\r\n2 2\r\n.\r\n");
    assert!(said.last().unwrap().contains("TooLong"), "{said:?}");
}

#[test]
fn queue_octets() {
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

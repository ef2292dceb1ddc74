//! Where Outlook waits for ever (C0002, C0005, C0006, C0014).

use std::time::Duration;

use pop3_proto::Command;
use pop3_proto::Profile;
use pop3_proto::client::{Config, SessionError, Timeouts, Timer, Transport};

use crate::harness::{Client, config, number, outlook};

fn left(client: &Client) -> Option<Duration> {
    Some(client.session.poll_timeout()? - client.now)
}

/// C0002, C0005: also where it comes drop by drop.
#[test]
fn greeting() {
    let mut client = Client::new(outlook());
    assert_eq!(left(&client), Some(Timeouts::DEFAULT.greeting));
    assert_eq!(client.wait(59), Ok(()));
    client.feed(b"+OK ready\r");
    assert_eq!(client.wait(1), Err(SessionError::Timeout(Timer::Greeting)));
    client.assert_over(SessionError::Timeout(Timer::Greeting));
}

/// C0014.
#[test]
fn reply() {
    let mut client = Client::in_transaction(outlook());
    client.wait(100).unwrap();
    client.send(&Command::Noop).unwrap();
    assert_eq!(left(&client), Some(Timeouts::DEFAULT.reply));
    client.wait(119).unwrap();
    client.feed(b"+O");
    assert_eq!(client.wait(1), Err(SessionError::Timeout(Timer::Reply)));
}

#[test]
fn more_commands_give_no_more_time() {
    let mut client = Client::in_transaction(config());
    client.send(&Command::Noop).unwrap();
    client.wait(119).unwrap();
    client.send(&Command::Noop).unwrap();
    assert_eq!(client.wait(1), Err(SessionError::Timeout(Timer::Reply)));
}

/// C0006: a block may take its time, but not stand still.
#[test]
fn block() {
    for command in [Command::Retr(number(1)), Command::List(None)] {
        let mut client = Client::in_transaction(outlook());
        client.ask(&command, b"+OK\r\n");
        for _ in 0..10 {
            client.wait(119).unwrap();
            client.feed(b"1 1\r\n");
        }
        client.feed(b".\r");
        client.wait(119).unwrap();
        assert_eq!(client.wait(1), Err(SessionError::Timeout(Timer::Reply)));
    }
}

#[test]
fn idle() {
    let mut client = Client::in_transaction(config());
    client.wait(599).unwrap();
    client.ask(&Command::Noop, b"+OK\r\n");
    assert_eq!(left(&client), Some(Timeouts::DEFAULT.idle));
    client.wait(599).unwrap();
    assert_eq!(client.wait(1), Err(SessionError::Timeout(Timer::Idle)));
}

/// CVE-2011-1947 (row 20): STLS and its handshake end in time.
#[test]
fn stls() {
    let config = Config::new(Profile::RFC1939, Transport::StlsRequired);
    let mut client = Client::greeted(config.clone());
    client.send(&Command::Stls).unwrap();
    assert_eq!(client.wait(120), Err(SessionError::Timeout(Timer::Reply)));
    let mut client = Client::greeted(config);
    client.ask(&Command::Stls, b"+OK\r\n");
    assert_eq!(left(&client), Some(Timeouts::DEFAULT.stls));
    assert_eq!(client.wait(60), Err(SessionError::Timeout(Timer::Stls)));
    assert!(client.session.handle_tls(client.now).is_err());
}

#[test]
fn endless_timeouts_do_not_overflow() {
    let mut config = config();
    config.timeouts.greeting = Duration::MAX;
    let mut client = Client::new(config);
    assert_eq!(client.session.poll_timeout(), None);
    assert_eq!(client.wait(1 << 30), Ok(()));
}

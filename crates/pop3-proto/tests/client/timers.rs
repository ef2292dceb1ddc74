//! Timers where Outlook has no limit (C0002, C0005, C0006, C0014).

use std::time::Duration;

use pop3_proto::Command;
use pop3_proto::client::{SessionError, Timer};

use crate::harness::{Client, config, number, outlook};

/// C0006: a block may take long, but must make progress.
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
fn endless_timeouts_do_not_overflow() {
    let mut config = config();
    config.timeouts.greeting = Duration::MAX;
    let mut client = Client::new(config);
    assert_eq!(client.session.poll_timeout(), None);
    assert_eq!(client.wait(1 << 30), Ok(()));
}

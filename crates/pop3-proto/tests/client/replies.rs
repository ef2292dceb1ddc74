//! Status lines, messages, and unsolicited octets.

use dot_stuffing::{LineEndings, Policy};
use pop3_proto::client::{SessionError, Timer};
use pop3_proto::{Command, Profile};

use crate::harness::{Client, config, number};

#[test]
fn message_octets_are_slices_of_the_input() {
    let mut client = Client::in_transaction(config());
    client.ask(&Command::Retr(number(1)), b"+OK\r\n");
    let input = b"one\r\ntwo\r\n".to_vec();
    let step = client.session.handle_input(client.now, &input).unwrap();
    let Some(pop3_proto::client::Event::Data(octets)) = step.event else {
        panic!("{step:?}");
    };
    assert_eq!(octets.as_ptr(), input.as_ptr());
}

/// A reply to a command that was not sent completely answers nothing.
#[test]
fn refuses_replies_before_their_commands() {
    let mut client = Client::in_transaction(config());
    client.session.enqueue(client.now, &Command::Noop).unwrap();
    client.session.handle_transmitted(client.now, 5);
    assert_eq!(client.session.poll_transmit(), Some(&b"\n"[..]));
    assert_eq!(client.feed(b"+OK\r\n"), ["error Reply(Unsolicited)"]);
}

/// Row 12: a server that ends lines with LF alone.
#[test]
fn lf_alone() {
    let with = |line_endings| {
        let mut config = config();
        config.profile = Profile::RFC1939;
        config.profile.reply.line_endings = line_endings;
        Client::new(config)
    };
    let mut lenient = with(LineEndings::new().dangerous_lf_terminates(true));
    assert_eq!(lenient.feed(b"+OK\n"), ["greeting + "]);
    assert_eq!(
        lenient.ask(&Command::Capa, b"+OK\nTOP\n.\n"),
        ["CAPA + ", "TOP", "end 4"]
    );
    let mut strict = with(LineEndings::new().bare_lf(Policy::Reject));
    assert!(strict.feed(b"+OK\n")[0].contains("BareLf"));
    let mut default = with(LineEndings::new());
    assert_eq!(default.feed(b"+OK\n"), [""; 0]);
    assert_eq!(
        default.wait(60),
        Err(SessionError::Timeout(Timer::Greeting))
    );
}

/// CVE-2010-1167 and others (row 36): the length of hostile text is limited, and it
/// is escaped.
#[test]
fn hostile_text_is_escaped() {
    let mut client = Client::in_transaction(config());
    client.send(&Command::Noop).unwrap();
    let step = client
        .session
        .handle_input(client.now, b"-ERR \x1b[2J\x00\xff\r\n")
        .unwrap();
    let shown = format!("{step:?}");
    assert!(shown.contains("\\x1b[2J\\x00\\xff"), "{shown}");
    assert!(!shown.contains('\x1b') && !shown.contains('\0'));
}

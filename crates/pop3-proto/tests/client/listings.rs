//! STAT, LIST, UIDL and CAPA.

use pop3_proto::client::{Event, LineErrorKind};
use pop3_proto::{Command, ListingErrorKind};

use crate::harness::{Client, config, number, outlook};

/// Sends a command with a one-line reply, and returns the value parsed from the
/// reply.
fn reply<T>(
    config: pop3_proto::client::Config,
    command: &Command<'_>,
    answer: &[u8],
    read: impl Fn(&pop3_proto::client::Reply<'_>) -> T,
) -> T {
    let mut client = Client::in_transaction(config);
    client.send(command).unwrap();
    let step = client.session.handle_input(client.now, answer).unwrap();
    match step.event {
        Some(Event::Status(reply)) => read(&reply),
        event => panic!("{event:?}"),
    }
}

/// Row 35, C0017.
#[test]
fn stat_answers() {
    let stat = |config, answer: &[u8]| {
        reply(config, &Command::Stat, answer, |reply| {
            reply
                .drop_listing()
                .map(|listing| (listing.messages, listing.octets))
        })
    };
    assert_eq!(stat(config(), b"+OK 2 320 more\r\n"), Ok((2, 320)));
    for bad in [
        &b"+OK\r\n"[..],
        b"+OK 5\r\n",
        b"+OK x y\r\n",
        b"+OK 5 -1\r\n",
    ] {
        assert!(matches!(
            stat(config(), bad).unwrap_err().kind,
            LineErrorKind::Listing(_)
        ));
        assert!(stat(outlook(), bad).is_err());
    }
    assert!(stat(config(), b"+OK 2\t 320\r\n").is_err());
    assert_eq!(stat(outlook(), b"+OK \t2\t 320 more\r\n"), Ok((2, 320)));
    let refused = stat(config(), b"-ERR 2 320\r\n").unwrap_err();
    assert_eq!(refused.kind, LineErrorKind::OtherReply);
}

/// twisted#9104 (row 34): UIDL n without the number, or with another.
#[test]
fn refuses_a_single_listing_without_its_number() {
    let uidl = |answer: &[u8]| {
        let command = Command::Uidl(Some(number(2)));
        reply(config(), &command, answer, |reply| {
            reply
                .unique_id_listing()
                .map(|listing| listing.unique_id.to_string())
        })
    };
    assert_eq!(uidl(b"+OK 2 abc\r\n"), Ok("abc".into()));
    let missing = uidl(b"+OK abc\r\n").unwrap_err();
    assert!(matches!(missing.kind, LineErrorKind::Listing(error)
        if error.kind() == ListingErrorKind::MessageNumber));
    let other = uidl(b"+OK 3 abc\r\n").unwrap_err();
    assert_eq!(other.kind, LineErrorKind::OtherMessage(number(3)));
    let command = Command::List(Some(number(2)));
    let other = reply(config(), &command, b"+OK 1 10\r\n", |reply| {
        reply.scan_listing()
    });
    assert_eq!(
        other.unwrap_err().kind,
        LineErrorKind::OtherMessage(number(1))
    );
    let wrong = reply(config(), &Command::Noop, b"+OK 1 10\r\n", |reply| {
        reply.scan_listing()
    });
    assert_eq!(wrong.unwrap_err().kind, LineErrorKind::OtherReply);
}

//! STAT, LIST, UIDL and CAPA.

use pop3_proto::client::{Event, LineError, LineErrorKind, SessionError};
use pop3_proto::{Command, ListingErrorKind};

use crate::harness::{Client, config, number, outlook};

/// The answer to a command with one line, read as what it should hold.
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
fn single_listing_without_its_number() {
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

/// Row 32: a bad line is an error with its place, and the rest is parsed.
#[test]
fn bad_numbers_are_errors_of_their_line() {
    let mut client = Client::in_transaction(config());
    let said = client.ask(
        &Command::List(None),
        b"+OK\r\n1 10\r\n0 10\r\n-1 10\r\n4294967296 1\r\n2 18446744073709551616\r\n\
          1 10\r\n\r\n3 99\r\n.\r\n",
    );
    assert_eq!(
        said,
        [
            "LIST + ",
            "1 10",
            "malformed line 2 of the reply, octet 6: no message-number at octet 0 of the line",
            "malformed line 3 of the reply, octet 12: no message-number at octet 0 of the line",
            "malformed line 4 of the reply, octet 19: no message-number at octet 0 of the line",
            "malformed line 5 of the reply, octet 35: no number of octets at octet 2 of the line",
            "malformed line 6 of the reply, octet 57: message 1 is listed twice",
            "malformed line 7 of the reply, octet 63: no message-number at octet 0 of the line",
            "3 99",
            "end 71",
        ]
    );
    let end = client.ends[0];
    // A gap shows: 3 is the highest of two.
    assert_eq!((end.entries, end.malformed, end.highest), (2, 6, 3));
    assert_eq!(end.retrieved, None);
}

#[test]
fn stop_at_a_malformed_line() {
    let mut config = config();
    config.stop_at_malformed_line = true;
    let mut client = Client::in_transaction(config);
    client.ask(&Command::List(None), b"+OK\r\n1 10\r\nx\r\n.\r\n");
    let Err(SessionError::Line(LineError { line, offset, .. })) = client.eof() else {
        panic!("no error");
    };
    assert_eq!((line, offset), (2, 6));
}

/// CVE-2005-2335 (row 30) and an empty unique-id (row 31).
#[test]
fn unique_ids_are_whole_or_refused() {
    for octets in [70, 71, 128, 500] {
        let unique_id = "x".repeat(octets);
        let mut client = Client::in_transaction(config());
        let answer = format!("+OK\r\n1 {unique_id}\r\n2 \r\n3 a/../b\r\n.\r\n");
        let said = client.ask(&Command::Uidl(None), answer.as_bytes());
        match octets {
            70 => assert_eq!(said[1], format!("1 {unique_id}")),
            _ => assert!(
                said[1].ends_with("a unique-id of more than 70 octets at octet 72 of the line")
            ),
        }
        assert!(
            said[2].ends_with("no unique-id at octet 2 of the line"),
            "{said:?}"
        );
        assert_eq!(said[3], "3 a/../b");
    }
}

/// Row 30: a line beyond 512 octets, at every cut.
#[test]
fn long_lines_are_errors_of_their_line() {
    for octets in [510, 511, 600, 3000] {
        for read in [0, 1, 5, 512] {
            let mut client = Client::in_transaction(config());
            client.read = read;
            let answer = format!("+OK\r\n1 a\r\n2 {}\r\n3 c\r\n.\r\n", "x".repeat(octets - 2));
            let said = client.ask(&Command::Uidl(None), answer.as_bytes());
            let what = match octets {
                510 => "octet 77: a unique-id of more than 70 octets at octet 72 of the line",
                _ => "octet 517: the line is longer than 512 octets",
            };
            assert_eq!(said[2], format!("malformed line 2 of the reply, {what}"));
            assert_eq!(said[3], "3 c");
            assert_eq!((client.ends[0].entries, client.ends[0].malformed), (2, 1));
        }
    }
}

/// Row 33, C0041: equal unique-ids are two messages.
#[test]
fn equal_unique_ids_are_handed_out_both() {
    let mut client = Client::in_transaction(config());
    let said = client.ask(&Command::Uidl(None), b"+OK\r\n1 a\r\n2 a\r\n.\r\n");
    assert_eq!(said[1..3], ["1 a", "2 a"]);
}

/// C0021, C0038.
#[test]
fn blanks_between_fields() {
    let answer = b"+OK\r\n1  \t a more\r\n.\r\n";
    let mut client = Client::in_transaction(outlook());
    assert_eq!(client.ask(&Command::Uidl(None), answer)[1], "1 a");
    let mut client = Client::in_transaction(config());
    assert!(client.ask(&Command::Uidl(None), answer)[1].starts_with("malformed"));
}

/// V0002, curl#19228 (row 9): a line that begins with a dot.
#[test]
fn dot_line_in_a_listing() {
    let mut client = Client::greeted(outlook());
    let said = client.ask(&Command::Capa, b"+OK\r\nTOP\r\n.foo\r\n");
    assert_eq!(said, ["CAPA + ", "TOP", "end 5"]);
    assert!(client.session.capabilities().top());
    let mut client = Client::greeted(config());
    let said = client.ask(&Command::Capa, b"+OK\r\nTOP\r\n.foo\r\nUIDL\r\n.\r\n");
    assert_eq!(said, ["CAPA + ", "TOP", "foo", "UIDL", "end 16"]);
    // Never in a message.
    let mut client = Client::in_transaction(outlook());
    let said = client.ask(&Command::Retr(number(1)), b"+OK\r\n.foo\r\n.\r\n");
    assert_eq!(said[1..], ["data foo\\r\\n", "end 5"]);
}

#[test]
fn capabilities_are_kept() {
    let mut client = Client::greeted(config());
    assert!(!client.session.capabilities().is_known());
    client.send(&Command::Capa).unwrap();
    client.feed(
        b"+OK\r\nSASL\t PLAIN \t LOGIN\r\nLOGIN-DELAY 60 USER\r\nRESP-CODES\r\nIMPLEMENTATION\r\n",
    );
    // Not before the list is whole.
    assert!(!client.session.capabilities().is_known());
    client.feed(b"X\x01\r\n.\r\n");
    let capabilities = client.session.capabilities();
    assert!(capabilities.is_current() && capabilities.resp_codes());
    assert_eq!(capabilities.sasl().collect::<Vec<_>>(), ["PLAIN", "LOGIN"]);
    assert_eq!(capabilities.login_delay(), Some((60, true)));
    assert!(!capabilities.pipelining());
    assert_eq!(client.ends[0].malformed, 1);
    client.ask(&Command::Capa, b"-ERR\r\n");
    assert!(client.session.capabilities().is_known());
    assert!(!client.session.capabilities().resp_codes());
}

//! Sections 2.2.4 to 2.2.11: STAT, LIST, RETR, DELE, NOOP, QUIT.

use pop3_proto::{
    Command, CommandErrorKind, DropListing, FieldRule, ListingErrorKind, ReplyError, ReplyRule,
    ScanListing,
};

use crate::{
    reading::{RULES, answer},
    writing::{number, refusal, sent},
};

#[test]
fn c0015_stat_goes_without_arguments() {
    assert_eq!(sent(Command::Stat), b"STAT\r\n");
    assert_eq!(Command::parse(b"STAT"), Ok(Command::Stat));
    assert_eq!(refusal("STAT 1"), CommandErrorKind::ExtraArgument);
}

#[test]
fn c0017_drop_listing_fields_may_be_separated_by_blank_runs() {
    let expected = DropListing {
        messages: 2,
        octets: 320,
    };
    for stream in [
        "+OK 2 320",
        "+OK  2\t320",
        "+OK\t2 \t 320",
        "+OK \t2  320\t",
        "+OK 2 320 ",
    ] {
        let stream = format!("{stream}\r\n");
        let reply = answer(ReplyRule::OUTLOOK, Command::Stat, stream.as_bytes()).unwrap();
        assert!(reply.positive);
        let listing = DropListing::parse(&reply.text, FieldRule::OUTLOOK);
        assert_eq!(listing, Ok(expected), "{stream:?}");
    }
}

#[test]
fn c0017_anything_may_follow_the_octets() {
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for text in ["2 320 octets", "2 320 3 4 5", "2 320 (1 deleted)"] {
            let listing = DropListing::parse(text.as_bytes(), rule).unwrap();
            assert_eq!((listing.messages, listing.octets), (2, 320), "{text}");
        }
    }
}

#[test]
fn c0017_a_drop_listing_that_is_none_is_an_error_with_its_place() {
    let (count, octets) = (ListingErrorKind::MessageCount, ListingErrorKind::Octets);
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for (text, kind, offset) in [
            ("", count, 0),
            ("two 320", count, 0),
            ("-2 320", count, 0),
            ("4294967296 1", count, 0),
            ("2", octets, 1),
            ("2 many", octets, 2),
            ("2 320,5", octets, 2),
            ("2 18446744073709551616", octets, 2),
        ] {
            let error = DropListing::parse(text.as_bytes(), rule).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{text}");
        }
    }
}

#[test]
fn c0019_list_with_a_number_gets_one_line_with_the_scan_listing() {
    let list = Command::List(Some(number(2)));
    assert_eq!(sent(list), b"LIST 2\r\n");
    for rule in RULES {
        let reply = answer(rule, list, b"+OK 2 200\r\n+OK\r\n").unwrap();
        assert_eq!((reply.block, &*reply.rest), (None, &b"+OK\r\n"[..]));
        let listing = ScanListing::parse(&reply.text, FieldRule::RFC1939).unwrap();
        assert_eq!((listing.number, listing.octets), (number(2), 200));

        let refused = answer(rule, list, b"-ERR no such message\r\n").unwrap();
        assert!(!refused.positive);
        let bare = answer(rule, list, b"+OK\r\n").unwrap();
        assert!(ScanListing::parse(&bare.text, FieldRule::OUTLOOK).is_err());
    }
}

#[test]
fn c0020_list_alone_gets_a_scan_listing_a_line() {
    assert_eq!(sent(Command::List(None)), b"LIST\r\n");
    let stream = b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n";
    for rule in RULES {
        let reply = answer(rule, Command::List(None), stream).unwrap();
        assert!(reply.positive);
        let octets = reply.lines().into_iter().map(|line| {
            let listing = ScanListing::parse(line, FieldRule::RFC1939).unwrap();
            (listing.number.get(), listing.octets)
        });
        assert!(octets.eq([(1, 120), (2, 200)]));
        let empty = answer(rule, Command::List(None), b"+OK\r\n.\r\n").unwrap();
        assert_eq!(empty.block, Some(Vec::new()));
    }
}

#[test]
fn c0020_a_list_that_is_one_line_is_not_whole_and_a_refusal_has_no_lines() {
    for rule in RULES {
        let error = answer(rule, Command::List(None), b"+OK 1 120\r\n").unwrap_err();
        assert!(matches!(error, ReplyError::Block(_)), "{error}");
        let refused = answer(rule, Command::List(None), b"-ERR\r\n1 120\r\n").unwrap();
        assert_eq!((refused.block, &*refused.rest), (None, &b"1 120\r\n"[..]));
    }
}

#[test]
fn c0021_scan_listing_fields_may_be_separated_by_blank_runs() {
    for line in [
        "1 120",
        "1  120",
        "1\t120",
        " 1 \t 120",
        "1 120 ",
        "1 120 more",
        "1\t120\tmore",
    ] {
        let listing = ScanListing::parse(line.as_bytes(), FieldRule::OUTLOOK).unwrap();
        assert_eq!(
            (listing.number, listing.octets),
            (number(1), 120),
            "{line:?}"
        );
    }
    // The RFC lets something follow as well.
    assert!(ScanListing::parse(b"1 120 more", FieldRule::RFC1939).is_ok());
    // Exact means that no octet is lost of a large message.
    let largest = ScanListing::parse(b"1 18446744073709551615", FieldRule::OUTLOOK);
    assert_eq!(largest.unwrap().octets, u64::MAX);
}

#[test]
fn c0021_a_scan_listing_that_is_none_is_an_error_with_its_place() {
    let (number, octets) = (ListingErrorKind::MessageNumber, ListingErrorKind::Octets);
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for (line, kind, offset) in [
            ("", number, 0),
            ("one 120", number, 0),
            ("1", octets, 1),
            ("1 ", octets, 2),
            ("1 120K", octets, 2),
            ("1 -120", octets, 2),
            ("1 18446744073709551616", octets, 2),
        ] {
            let error = ScanListing::parse(line.as_bytes(), rule).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{line}");
        }
    }
}

#[test]
fn v0004_retr_carries_a_message_number() {
    assert_eq!(sent(Command::Retr(number(3))), b"RETR 3\r\n");
    assert_eq!(Command::parse(b"RETR 3"), Ok(Command::Retr(number(3))));
    takes_one_message_number("RETR");
}

#[test]
fn c0022_retr_gets_a_multi_line_reply() {
    let retr = Command::Retr(number(1));
    for rule in RULES {
        let stream = b"+OK 11 octets\r\nA: b\r\n\r\n..\r\n.\r\n";
        let reply = answer(rule, retr, stream).unwrap();
        assert_eq!(reply.block.as_deref(), Some(&b"A: b\r\n\r\n.\r\n"[..]));
        // One line alone is no message, and neither is a refusal.
        let error = answer(rule, retr, b"+OK 11 octets\r\n").unwrap_err();
        assert!(matches!(error, ReplyError::Block(_)), "{error}");
        let refused = answer(rule, retr, b"-ERR no such message\r\n").unwrap();
        assert_eq!((refused.positive, refused.block), (false, None));
    }
}

#[test]
fn c0024_dele_carries_a_message_number() {
    assert_eq!(sent(Command::Dele(number(3))), b"DELE 3\r\n");
    assert_eq!(Command::parse(b"DELE 3"), Ok(Command::Dele(number(3))));
    takes_one_message_number("DELE");
}

#[test]
fn c0027_noop_goes_without_arguments() {
    assert_eq!(sent(Command::Noop), b"NOOP\r\n");
    assert_eq!(Command::parse(b"NOOP"), Ok(Command::Noop));
    assert_eq!(refusal("NOOP 1"), CommandErrorKind::ExtraArgument);
}

#[test]
fn c0030_quit_after_login_goes_without_arguments() {
    assert_eq!(sent(Command::Quit), b"QUIT\r\n");
    assert_eq!(refusal("QUIT 1"), CommandErrorKind::ExtraArgument);
}

/// The server's side: a client that sends none, or something else.
fn takes_one_message_number(keyword: &str) {
    let missing = CommandErrorKind::MissingArgument;
    assert_eq!(refusal(keyword), missing);
    assert_eq!(refusal(&format!("{keyword} ")), missing);
    for word in ["0", "-1", "+1", "x", "1x", "4294967296", "1\t"] {
        let line = format!("{keyword} {word}");
        assert_eq!(refusal(&line), CommandErrorKind::MessageNumber, "{line}");
    }
    let extra = refusal(&format!("{keyword} 1 2"));
    assert_eq!(extra, CommandErrorKind::ExtraArgument);
}

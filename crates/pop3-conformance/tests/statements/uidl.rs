//! Section 2.2.14: UIDL and unique-ids.

use pop3_proto::{
    ArgumentErrorKind, Command, FieldRule, ListingErrorKind, ReplyError, ReplyRule, UniqueId,
    UniqueIdListing,
};

use crate::{
    reading::{RULES, answer},
    writing::{number, sent},
};

#[test]
fn c0036_uidl_with_a_number_gets_one_line_with_the_unique_id_listing() {
    let uidl = Command::Uidl(Some(number(2)));
    assert_eq!(sent(uidl), b"UIDL 2\r\n");
    for rule in RULES {
        let reply = answer(rule, uidl, b"+OK 2 QhdPYR:00WBw1Ph7x7\r\n+OK\r\n").unwrap();
        assert_eq!((reply.block, &*reply.rest), (None, &b"+OK\r\n"[..]));
        let listing = UniqueIdListing::parse(&reply.text, FieldRule::RFC1939).unwrap();
        assert_eq!(listing.number, number(2));
        assert_eq!(listing.unique_id.as_str(), "QhdPYR:00WBw1Ph7x7");

        let refused = answer(rule, uidl, b"-ERR no such message\r\n").unwrap();
        assert!(!refused.positive);
        let bare = answer(rule, uidl, b"+OK\r\n").unwrap();
        assert!(UniqueIdListing::parse(&bare.text, FieldRule::OUTLOOK).is_err());
    }
}

#[test]
fn c0037_uidl_alone_gets_a_unique_id_listing_a_line() {
    let uidl = Command::Uidl(None);
    assert_eq!(sent(uidl), b"UIDL\r\n");
    for rule in RULES {
        let reply = answer(rule, uidl, b"+OK\r\n1 aa\r\n2 bb\r\n.\r\n").unwrap();
        let ids = reply.lines().into_iter().map(|line| {
            let listing = UniqueIdListing::parse(line, FieldRule::RFC1939).unwrap();
            (listing.number.get(), listing.unique_id.as_str())
        });
        assert!(ids.eq([(1, "aa"), (2, "bb")]));
        let empty = answer(rule, uidl, b"+OK\r\n.\r\n").unwrap();
        assert_eq!(empty.block, Some(Vec::new()));
    }
}

#[test]
fn c0037_a_uidl_that_is_one_line_is_not_whole_and_a_refusal_has_no_lines() {
    let uidl = Command::Uidl(None);
    for rule in RULES {
        let error = answer(rule, uidl, b"+OK 1 aa\r\n").unwrap_err();
        assert!(matches!(error, ReplyError::Block(_)), "{error}");
        let refused = answer(rule, uidl, b"-ERR\r\n1 aa\r\n").unwrap();
        assert_eq!((refused.block, &*refused.rest), (None, &b"1 aa\r\n"[..]));
    }
    // Half a line is no entry.
    let cut = answer(ReplyRule::OUTLOOK, uidl, b"+OK\r\n1 aa\r\n2 b").unwrap_err();
    assert!(matches!(cut, ReplyError::Block(_)), "{cut}");
}

#[test]
fn c0038_unique_id_listing_fields_may_be_separated_by_blank_runs() {
    for line in [
        "1 a.b",
        "1  a.b",
        "1\ta.b",
        " 1 \t a.b",
        "1 a.b ",
        "1 a.b more",
        "1\ta.b\tmore",
    ] {
        let listing = UniqueIdListing::parse(line.as_bytes(), FieldRule::OUTLOOK).unwrap();
        assert_eq!(listing.number, number(1), "{line:?}");
        assert_eq!(listing.unique_id.as_str(), "a.b", "{line:?}");
    }
    let extra = UniqueIdListing::parse(b"1 a.b more", FieldRule::RFC1939).unwrap_err();
    assert_eq!(
        (extra.kind(), extra.offset()),
        (ListingErrorKind::ExtraField, 6)
    );
}

#[test]
fn c0038_a_unique_id_listing_that_is_none_is_an_error_with_its_place() {
    let unique_id = ListingErrorKind::UniqueId;
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for (line, kind, offset) in [
            ("", ListingErrorKind::MessageNumber, 0),
            ("a.b 1", ListingErrorKind::MessageNumber, 0),
            ("0 a.b", ListingErrorKind::MessageNumber, 0),
            ("1", unique_id(ArgumentErrorKind::Empty), 1),
            ("1 a\u{7F}b", unique_id(ArgumentErrorKind::Octet), 3),
        ] {
            let error = UniqueIdListing::parse(line.as_bytes(), rule).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{line:?}");
        }
    }
}

#[test]
fn c0039_a_unique_id_has_1_to_70_octets() {
    for octets in [1, 2, 69, 70] {
        assert!(UniqueId::new(&vec![b'x'; octets]).is_ok(), "{octets}");
    }
    assert_eq!(
        UniqueId::new(b"").unwrap_err().kind(),
        ArgumentErrorKind::Empty
    );
    for octets in [71, 512] {
        let error = UniqueId::new(&vec![b'x'; octets]).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ArgumentErrorKind::TooLong, 70)
        );
    }
    let line = format!("1 {}", "x".repeat(71));
    let error = UniqueIdListing::parse(line.as_bytes(), FieldRule::OUTLOOK).unwrap_err();
    let kind = ListingErrorKind::UniqueId(ArgumentErrorKind::TooLong);
    assert_eq!((error.kind(), error.offset()), (kind, 72));
}

#[test]
fn c0039_its_octets_are_those_of_the_rfc_which_hold_those_of_the_document() {
    for octet in 0..=u8::MAX {
        let id = [b'x', octet];
        let allowed = (0x21..=0x7E).contains(&octet);
        assert_eq!(UniqueId::new(&id).is_ok(), allowed, "{octet:#04X}");
        let line = [b"1 ".as_slice(), &id].concat();
        // A blank ends the unique-id; what follows it is nothing.
        let blank = matches!(octet, b' ' | b'\t');
        let listing = UniqueIdListing::parse(&line, FieldRule::OUTLOOK);
        match listing {
            Ok(listing) if blank => assert_eq!(listing.unique_id.as_bytes(), b"x"),
            Ok(listing) => assert_eq!((listing.unique_id.as_bytes(), allowed), (&id[..], true)),
            Err(_) => assert!(!allowed && !blank, "{octet:#04X}"),
        }
    }
}

//! How our client reads listings that comply, and others.

use pop3_proto::{
    ArgumentErrorKind, Capability, DropListing, FieldRule, ListingErrorKind, MessageNumber,
    ScanListing, UniqueId, UniqueIdListing,
};

use crate::client::number;

#[test]
fn c0004_a_client_takes_runs_of_spaces_and_tabs() {
    let rule = FieldRule::OUTLOOK;
    for blanks in [" ", "  ", "\t", "\t\t", " \t ", "\t \t"] {
        let pair = format!("7{blanks}320{blanks}more");
        let drop = DropListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((drop.messages, drop.octets), (7, 320));
        let scan = ScanListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((scan.number.get(), scan.octets), (7, 320));
        let unique = UniqueIdListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((unique.number.get(), unique.unique_id.as_str()), (7, "320"));

        let capability = format!("LOGIN-DELAY{blanks}900{blanks}USER");
        let expected = Capability::LoginDelay {
            seconds: 900,
            per_user: true,
        };
        assert_eq!(Capability::parse(capability.as_bytes()), Ok(expected));

        let sasl = format!("SASL{blanks}PLAIN{blanks}LOGIN");
        let sasl = Capability::parse(sasl.as_bytes()).unwrap();
        assert!(sasl.mechanisms().eq(["PLAIN", "LOGIN"]));
    }
}

#[test]
fn c0004_by_the_rfc_alone_a_run_is_an_error_with_its_place() {
    let error = ScanListing::parse(b"7  320", FieldRule::RFC1939).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ListingErrorKind::Octets, 2)
    );
    let error = ScanListing::parse(b"7\t320", FieldRule::RFC1939).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ListingErrorKind::MessageNumber, 0)
    );
}

#[test]
fn c0011_no_message_has_the_number_0() {
    assert_eq!(MessageNumber::new(0), None);
    for rule in [FieldRule::RFC1939, FieldRule::OUTLOOK] {
        for line in ["0 120", "-1 120", "4294967296 120", "+1 120"] {
            let error = ScanListing::parse(line.as_bytes(), rule).unwrap_err();
            assert_eq!(error.kind(), ListingErrorKind::MessageNumber, "{line}");
        }
    }
}

#[test]
fn c0017_drop_listing_fields_may_be_separated_by_blank_runs() {
    let expected = DropListing {
        messages: 2,
        octets: 320,
    };
    for text in ["2 320", "2	320", "2 	 320", "	2  320	", "2 320 "] {
        let listing = DropListing::parse(text.as_bytes(), FieldRule::OUTLOOK);
        assert_eq!(listing, Ok(expected), "{text:?}");
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
    // The RFC also allows text after the size.
    assert!(ScanListing::parse(b"1 120 more", FieldRule::RFC1939).is_ok());
    // The largest size is read exactly.
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
        // A blank ends the unique-id, and the text after it is ignored.
        let blank = matches!(octet, b' ' | b'\t');
        let listing = UniqueIdListing::parse(&line, FieldRule::OUTLOOK);
        match listing {
            Ok(listing) if blank => assert_eq!(listing.unique_id.as_bytes(), b"x"),
            Ok(listing) => assert_eq!((listing.unique_id.as_bytes(), allowed), (&id[..], true)),
            Err(_) => assert!(!allowed && !blank, "{octet:#04X}"),
        }
    }
}

//! The whole table of profiles.

use pop3_proto::{
    AfterSync, Command, EqualUniqueIds, FieldRule, IndicatorRule, MessageNumber, Profile, UniqueId,
    UniqueIdListing,
};

const OUTLOOK: [(&str, AfterSync, bool); 8] = [
    ("outlook-2007", AfterSync::Delete, true),
    ("outlook-2010", AfterSync::Delete, true),
    ("outlook-2013", AfterSync::Delete, true),
    ("outlook-2016", AfterSync::Delete, true),
    ("outlook-2019", AfterSync::Keep, true),
    ("outlook-2021", AfterSync::Keep, true),
    ("outlook-2024", AfterSync::Keep, true),
    ("outlook-new", AfterSync::Keep, false),
];

#[test]
fn every_release_of_the_document_and_no_other() {
    let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name).collect();
    let expected: Vec<_> = ["rfc1939"]
        .into_iter()
        .chain(OUTLOOK.map(|row| row.0))
        .collect();
    assert_eq!(names, expected);
    for profile in Profile::ALL {
        assert_eq!(Profile::by_name(profile.name), Some(profile));
        assert_eq!(
            Profile::by_name(&profile.name.to_uppercase()),
            Some(profile)
        );
        let others = Profile::ALL
            .iter()
            .filter(|other| other.title == profile.title);
        assert_eq!(others.count(), 1);
    }
    assert_eq!(Profile::by_name("outlook-2003"), None);
    assert_eq!(Profile::by_name(""), None);
}

#[test]
fn the_table() {
    let argument = Some(MessageNumber::FIRST);
    for (name, after_sync, named) in OUTLOOK {
        let profile = Profile::by_name(name).unwrap();
        assert_eq!(profile.reply.indicator, IndicatorRule::FirstOctet, "V0001");
        assert!(profile.reply.dot_line_ends_listing, "V0002");
        assert!(profile.fields.blanks, "C0004");
        assert_eq!(profile.fields.text_after_unique_id, named, "C0038");
        let never = profile.never_sends;
        assert!(never.rset && never.includes(&Command::Rset), "V0006");
        assert!(never.apop, "V0008");
        assert!(never.includes(&Command::List(argument)), "V0003");
        assert!(never.includes(&Command::Uidl(argument)), "V0007");
        assert!(!never.includes(&Command::List(None)) && !never.includes(&Command::Uidl(None)));
        assert_eq!(profile.after_sync, after_sync, "C0048");
        let equal = match named {
            true => EqualUniqueIds::Interchangeable,
            false => EqualUniqueIds::Apart,
        };
        assert_eq!(profile.equal_unique_ids, equal, "C0041");
        for statement in ["C0010", "C0038", "C0039", "C0040", "C0041"] {
            assert_eq!(profile.is_named_in(statement), named, "{name} {statement}");
        }
        for statement in ["C0001", "C0009", "C0037", "C0042", "C0048", "V0001"] {
            assert!(profile.is_named_in(statement));
        }
    }
}

#[test]
fn rfc1939_sends_everything_and_keeps_mail() {
    let profile = Profile::RFC1939;
    assert_eq!(profile.reply.indicator, IndicatorRule::Exact);
    assert!(!profile.reply.dot_line_ends_listing);
    assert_eq!(profile.fields, FieldRule::RFC1939);
    assert_eq!(profile.after_sync, AfterSync::Keep);
    assert_eq!(profile.equal_unique_ids, EqualUniqueIds::Apart);
    for command in [
        Command::Rset,
        Command::List(Some(MessageNumber::FIRST)),
        Command::Uidl(Some(MessageNumber::FIRST)),
    ] {
        assert!(!profile.never_sends.includes(&command));
    }
    assert!(!profile.never_sends.apop);
}

/// C0038 does not name the new Outlook: RFC 1939 §7 has nothing after the
/// unique-id. C0004 does name it: runs of blanks are accepted.
#[test]
fn unique_id_listings_of_the_new_outlook() {
    let parse = |line, profile: Profile| UniqueIdListing::parse(line, profile.fields).is_ok();
    assert!(parse(b"1 \t a", Profile::OUTLOOK_NEW));
    assert!(!parse(b"1 a more", Profile::OUTLOOK_NEW));
    assert!(parse(b"1 a more", Profile::OUTLOOK_2024));
    assert!(!parse(b"1 \t a", Profile::RFC1939));
}

/// C0039 prints 0x2E where RFC 1939 §7 has 0x21.
#[test]
fn unique_ids_from_0x21() {
    assert!(UniqueId::new(b"!-a").is_ok());
    assert!(UniqueId::new(b"\x20").is_err());
    assert!(UniqueId::new(b"\x7f").is_err());
}

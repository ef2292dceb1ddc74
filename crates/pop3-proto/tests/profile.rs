//! The whole table of profiles.

use pop3_proto::{AfterSync, Command, EqualUniqueIds, IndicatorRule, MessageNumber, Profile};

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

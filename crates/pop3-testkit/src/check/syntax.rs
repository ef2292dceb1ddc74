//! The parsers of commands and replies agree with the oracles.

use dot_stuffing_testkit::chunk;
use pop3_proto::{Capability, IndicatorRule, StatusLine};

use crate::{
    oracle::{self, Awaited},
    view::{Commands, Replies, ReplyLines},
};

/// Parses a line as a command, and compares the result, in its one spelling, with
/// the oracle.
pub fn command(parse: Commands, line: &[u8]) {
    assert_eq!(
        parse(line),
        oracle::command(line),
        "`{}`",
        line.escape_ascii()
    );
}

/// Parses a line of a reply in each possible way.
pub fn reply(parse: &ReplyLines, line: &[u8]) {
    let shown = line.escape_ascii();
    for outlook in [false, true] {
        assert_eq!(
            (parse.status)(line, outlook),
            oracle::status(line, outlook),
            "{shown}"
        );
        assert_eq!(
            (parse.drop_listing)(line, outlook),
            oracle::drop_listing(line, outlook),
            "{shown}"
        );
        assert_eq!(
            (parse.scan_listing)(line, outlook),
            oracle::scan_listing(line, outlook),
            "{shown}"
        );
        assert_eq!(
            (parse.unique_id_listing)(line, outlook),
            oracle::unique_id_listing(line, outlook),
            "{shown}"
        );
    }
    assert_eq!((parse.timestamp)(line), oracle::timestamp(line), "{shown}");
}

/// Checks the properties of a reply line that need no model.
pub fn reply_is_sound(line: &[u8]) {
    let status = StatusLine::parse(line, IndicatorRule::FirstOctet);
    if let Some(code) = status.ok().and_then(|status| status.code()) {
        assert!(code.is_within(code.as_str()), "a code is within itself");
    }
    if let Ok(capability) = Capability::parse(line) {
        let printed = capability.to_string();
        assert_eq!(
            Capability::parse(printed.as_bytes()),
            Ok(capability),
            "`{printed}`"
        );
    }
}

/// Reads replies: the first octet says what is awaited, and the stream follows.
pub fn response(read: Replies, input: &[u8]) {
    let Some((&header, wire)) = input.split_first() else {
        return;
    };
    const KINDS: [Awaited; 4] = [
        Awaited::Line,
        Awaited::Message,
        Awaited::Listing,
        Awaited::Sasl,
    ];
    let outlook = header & 0x40 != 0;
    let awaited = [0, 2, 4].map(|at| KINDS[usize::from(header >> at & 3)]);
    let expected = oracle::replies(&awaited, outlook, wire);
    let seed = chunk::seed(input);
    for plan in [
        vec![wire],
        chunk::drawn_plan(wire, seed),
        chunk::drawn_plan(wire, !seed),
    ] {
        let replies = read(&awaited, outlook, &plan);
        assert_eq!(
            replies, expected,
            "outlook: {outlook}, {awaited:?}, {plan:?}"
        );
    }
}

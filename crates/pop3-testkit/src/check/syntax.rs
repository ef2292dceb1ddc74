//! The parsers of pop3-proto are the oracles, and print what they parse.

use pop3_proto::{
    Capability, Command, DropListing, FieldRule, IndicatorRule, ReplyError, ReplyKind, ReplyPart,
    ReplyRule, ResponseDecoder, ScanListing, StatusLine, UniqueIdListing, apop_timestamp,
};

use crate::{
    chunk,
    oracle::{self, Awaited, Reply, ReplyFault},
};

/// A line as a command: parsed as the oracle parses it, and encoded again.
pub fn command(line: &[u8]) {
    let parsed = Command::parse(line);
    let expected = oracle::command(line);
    match (&parsed, &expected) {
        (Ok(command), Some(spelt)) => {
            let mut encoded = b"before".to_vec();
            let result = command.encode(&mut encoded);
            match spelt.len() + 2 <= Command::MAX_OCTETS {
                true => assert_eq!(encoded, [b"before", spelt.as_bytes(), b"\r\n"].concat()),
                false => assert_eq!(encoded, b"before", "nothing of a command that is too long"),
            }
            assert_eq!(result.is_ok(), spelt.len() + 2 <= Command::MAX_OCTETS);
            assert_eq!(Command::parse(spelt.as_bytes()).as_ref(), Ok(command));
            if let Command::Pass(_) = command {
                assert_eq!(format!("{command:?}"), "Pass(Secret(hidden))");
            }
        }
        (Err(error), None) => assert!(error.offset() <= line.len(), "the error lies in the line"),
        _ => panic!("`{}`: {parsed:?}, not {expected:?}", line.escape_ascii()),
    }
}

/// A line of a reply, in each of the ways it can be read.
pub fn reply(line: &[u8]) {
    for (outlook, rule, fields) in [
        (false, IndicatorRule::Exact, FieldRule::RFC1939),
        (true, IndicatorRule::FirstOctet, FieldRule::OUTLOOK),
    ] {
        let status = StatusLine::parse(line, rule).ok();
        assert_eq!(
            status.map(|status| (status.is_positive(), status.text().to_vec())),
            oracle::status(line, outlook)
        );
        if let Some(code) = status.and_then(|status| status.code()) {
            assert!(code.is_within(code.as_str()), "a code is within itself");
        }
        let listing = DropListing::parse(line, fields);
        assert_eq!(
            listing
                .map(|listing| (listing.messages, listing.octets))
                .ok(),
            oracle::drop_listing(line, outlook)
        );
        let listing = ScanListing::parse(line, fields);
        assert_eq!(
            listing
                .map(|listing| (listing.number.get(), listing.octets))
                .ok(),
            oracle::scan_listing(line, outlook)
        );
        let listing = UniqueIdListing::parse(line, fields);
        if let Err(error) = listing {
            assert!(error.offset() <= line.len(), "the error lies in the line");
        }
        assert_eq!(
            listing
                .map(|listing| (listing.number.get(), listing.unique_id.as_bytes().to_vec()))
                .ok(),
            oracle::unique_id_listing(line, outlook)
        );
    }
    assert_eq!(
        apop_timestamp(line).map(|timestamp| timestamp.as_bytes().to_vec()),
        oracle::timestamp(line)
    );
    if let Ok(capability) = Capability::parse(line) {
        let printed = capability.to_string();
        assert_eq!(
            Capability::parse(printed.as_bytes()),
            Ok(capability),
            "`{printed}`"
        );
    }
}

/// Replies: what is awaited stands in the first octet, the stream follows.
pub fn response(input: &[u8]) {
    let Some((&header, wire)) = input.split_first() else {
        return;
    };
    const KINDS: [(Awaited, ReplyKind); 4] = [
        (Awaited::Line, ReplyKind::Line),
        (Awaited::Message, ReplyKind::Message),
        (Awaited::Listing, ReplyKind::Listing),
        (Awaited::Sasl, ReplyKind::Sasl),
    ];
    let outlook = header & 0x40 != 0;
    let kinds = [0, 2, 4].map(|at| KINDS[usize::from(header >> at & 3)]);
    let expected = oracle::replies(&kinds.map(|(awaited, _)| awaited), outlook, wire);
    let rule = if outlook {
        ReplyRule::OUTLOOK
    } else {
        ReplyRule::RFC1939
    };
    let seed = chunk::seed(input);
    for plan in [
        vec![wire],
        chunk::drawn_plan(wire, seed),
        chunk::drawn_plan(wire, !seed),
    ] {
        let replies = read_replies(rule, kinds.map(|(_, kind)| kind), &plan);
        assert_eq!(replies, expected, "outlook: {outlook}, {kinds:?}, {plan:?}");
    }
}

fn read_replies(
    rule: ReplyRule,
    kinds: [ReplyKind; 3],
    plan: &[&[u8]],
) -> (Vec<Reply>, Option<ReplyFault>) {
    let mut decoder = ResponseDecoder::new(rule);
    let mut kinds = kinds.into_iter().peekable();
    let mut replies = Vec::new();
    for &chunk in plan {
        let mut input = chunk;
        while !input.is_empty() {
            if decoder.is_idle()
                && let Some(kind) = kinds.next()
            {
                decoder.expect(kind);
            }
            let step = match decoder.decode(input) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(decoder.decode(input), Err(error), "an error is sticky");
                    assert_eq!(decoder.finish(), Err(error), "an error is final");
                    return (replies, Some(fault(error)));
                }
            };
            let part = step.event;
            let consumed = step.consumed;
            match part {
                Some(ReplyPart::Challenge(text)) => replies.push(Reply::Challenge(text.to_vec())),
                Some(ReplyPart::Status(status)) => replies.push(Reply::Status {
                    positive: status.is_positive(),
                    text: status.text().to_vec(),
                    block: Vec::new(),
                    ended: false,
                }),
                Some(ReplyPart::Data(octets)) => match replies.last_mut() {
                    Some(Reply::Status { block, .. }) => block.extend_from_slice(octets),
                    _ => panic!("data without a status line"),
                },
                Some(ReplyPart::End(_)) | None => {}
            }
            if decoder.is_idle()
                && let Some(Reply::Status { ended, .. }) = replies.last_mut()
            {
                *ended = true;
            }
            input = &input[consumed..];
        }
    }
    if decoder.is_idle() && kinds.peek().is_some() {
        return (replies, Some(ReplyFault::NoReply));
    }
    (replies, decoder.finish().err().map(fault))
}

fn fault(error: ReplyError) -> ReplyFault {
    match error {
        ReplyError::Block(_) => ReplyFault::Block,
        ReplyError::FirstLine(_) => ReplyFault::LineTooLong,
        ReplyError::NoReply => ReplyFault::NoReply,
        ReplyError::Status(_) => ReplyFault::NotAReply,
        ReplyError::Unsolicited => ReplyFault::Unsolicited,
        other => panic!("{other:?} is unknown"),
    }
}

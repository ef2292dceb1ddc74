//! The parsers of pop3-proto, as functions with the signatures of the oracles.

use pop3_proto::{
    Command, DropListing, FieldRule, IndicatorRule, ReplyError, ReplyKind, ReplyPart, ReplyRule,
    ResponseDecoder, ScanListing, StatusLine, UniqueIdListing, apop_timestamp,
};

use crate::oracle::{Awaited, Reply, ReplyFault};

/// Whether a status line is positive, and its text.
type Status = (bool, Vec<u8>);

/// A number of messages or a message-number, and a number of octets.
type Listing = (u32, u64);

/// A message-number and a unique-id.
type UniqueId = (u32, Vec<u8>);

/// Parsers of reply lines. The flag says whether to parse as Outlook does.
#[derive(Clone, Copy)]
pub struct ReplyLines {
    /// Like [`oracle::status`](crate::oracle::status).
    pub status: fn(&[u8], bool) -> Option<Status>,
    /// Like [`oracle::drop_listing`](crate::oracle::drop_listing).
    pub drop_listing: fn(&[u8], bool) -> Option<Listing>,
    /// Like [`oracle::scan_listing`](crate::oracle::scan_listing).
    pub scan_listing: fn(&[u8], bool) -> Option<Listing>,
    /// Like [`oracle::unique_id_listing`](crate::oracle::unique_id_listing).
    pub unique_id_listing: fn(&[u8], bool) -> Option<UniqueId>,
    /// Like [`oracle::timestamp`](crate::oracle::timestamp).
    pub timestamp: fn(&[u8]) -> Option<Vec<u8>>,
}

/// A parser of commands, like [`oracle::command`](crate::oracle::command).
pub type Commands = fn(&[u8]) -> Option<String>;

/// A reader of replies that arrive in pieces, like
/// [`oracle::replies`](crate::oracle::replies).
pub type Replies = fn(&[Awaited], bool, &[&[u8]]) -> (Vec<Reply>, Option<ReplyFault>);

/// The parsers of reply lines of pop3-proto.
pub const REPLY_LINES: ReplyLines = ReplyLines {
    status: |line, outlook| {
        let rule = if outlook {
            IndicatorRule::FirstOctet
        } else {
            IndicatorRule::Exact
        };
        let status = StatusLine::parse(line, rule).ok()?;
        Some((status.is_positive(), status.text().to_vec()))
    },
    drop_listing: |text, outlook| {
        let listing = DropListing::parse(text, fields(outlook)).ok()?;
        Some((listing.messages, listing.octets))
    },
    scan_listing: |line, outlook| {
        let listing = ScanListing::parse(line, fields(outlook)).ok()?;
        Some((listing.number.get(), listing.octets))
    },
    unique_id_listing: |line, outlook| match UniqueIdListing::parse(line, fields(outlook)) {
        Ok(listing) => Some((listing.number.get(), listing.unique_id.as_bytes().to_vec())),
        Err(error) => {
            assert!(error.offset() <= line.len(), "the error lies in the line");
            None
        }
    },
    timestamp: |text| apop_timestamp(text).map(|timestamp| timestamp.as_bytes().to_vec()),
};

const fn fields(outlook: bool) -> FieldRule {
    if outlook {
        FieldRule::OUTLOOK
    } else {
        FieldRule::RFC1939
    }
}

/// The parser of commands of pop3-proto. Returns what it would send for a command.
pub fn commands(line: &[u8]) -> Option<String> {
    let command = match Command::parse(line) {
        Ok(command) => command,
        Err(error) => {
            assert!(error.offset() <= line.len(), "the error lies in the line");
            return None;
        }
    };
    if let Command::Pass(_) = command {
        assert_eq!(format!("{command:?}"), "Pass(Secret(hidden))");
    }
    let mut encoded = b"before".to_vec();
    if command.encode(&mut encoded).is_err() {
        // A command that is too long is not sent, not even in part. It cannot be
        // compared.
        assert_eq!(encoded, b"before");
        return crate::oracle::command(line).filter(|spelt| spelt.len() > Command::MAX_OCTETS - 2);
    }
    assert!(encoded.len() - b"before".len() <= Command::MAX_OCTETS);
    let spelt = encoded.strip_prefix(b"before")?.strip_suffix(b"\r\n")?;
    assert_eq!(
        Command::parse(spelt),
        Ok(command),
        "what is sent is what was meant"
    );
    String::from_utf8(spelt.to_vec()).ok()
}

/// The reader of replies of pop3-proto.
pub fn replies(
    awaited: &[Awaited],
    outlook: bool,
    chunks: &[&[u8]],
) -> (Vec<Reply>, Option<ReplyFault>) {
    let rule = if outlook {
        ReplyRule::OUTLOOK
    } else {
        ReplyRule::RFC1939
    };
    let mut decoder = ResponseDecoder::new(rule);
    let mut awaited = awaited.iter().peekable();
    let mut replies = Vec::new();
    for &chunk in chunks {
        let mut input = chunk;
        while !input.is_empty() {
            if decoder.is_idle()
                && let Some(kind) = awaited.next()
            {
                decoder.expect(reply_kind(*kind));
            }
            let step = match decoder.decode(input) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(decoder.decode(input), Err(error), "an error is sticky");
                    assert_eq!(decoder.finish(), Err(error), "an error is final");
                    return (replies, Some(fault(error)));
                }
            };
            input = &input[step.consumed..];
            match step.event {
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
        }
    }
    if decoder.is_idle() && awaited.peek().is_some() {
        return (replies, Some(ReplyFault::NoReply));
    }
    (replies, decoder.finish().err().map(fault))
}

const fn reply_kind(awaited: Awaited) -> ReplyKind {
    match awaited {
        Awaited::Line => ReplyKind::Line,
        Awaited::Message => ReplyKind::Message,
        Awaited::Listing => ReplyKind::Listing,
        Awaited::Sasl => ReplyKind::Sasl,
    }
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

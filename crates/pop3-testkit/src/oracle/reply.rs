//! Models the grammar of reply lines, and where replies end.

use dot_stuffing_testkit::oracle::{Outcome, Rules, decode};

/// Returns whether a status line is positive, and the text after the indicator;
/// `None` if the line is not a reply.
#[must_use]
pub fn status(line: &[u8], outlook: bool) -> Option<(bool, Vec<u8>)> {
    let mut words = line.splitn(2, |&octet| octet == b' ');
    let (word, text) = (words.next()?, words.next().unwrap_or_default());
    match word {
        b"+OK" | b"-ERR" => {
            let blank = |octet: &&u8| outlook && matches!(octet, b' ' | b'\t');
            Some((
                word == b"+OK",
                text.iter().skip_while(blank).copied().collect(),
            ))
        }
        _ if !outlook => None,
        _ => {
            let text = match line.first() {
                Some(b'+' | b'-') => {
                    let blank = |octet: &u8| matches!(octet, b' ' | b'\t');
                    let rest = line.iter().skip_while(|octet| !blank(octet));
                    rest.skip_while(|octet| blank(octet)).copied().collect()
                }
                _ => line.to_vec(),
            };
            Some((line.starts_with(b"+"), text))
        }
    }
}

/// Whether a line ends a SASL exchange.
#[must_use]
pub fn ends_exchange(line: &[u8], outlook: bool) -> bool {
    match line {
        [b'+', rest @ ..] if outlook => {
            let text = String::from_utf8_lossy(rest).to_ascii_uppercase();
            text == "OK" || text.starts_with("OK ") || text.starts_with("OK\t")
        }
        _ => !line.starts_with(b"+") || status(line, false).is_some(),
    }
}

/// Returns the fields of a listing. If a run of blanks does not count as one, there
/// are empty fields between the blanks.
fn fields(line: &[u8], blanks: bool) -> Vec<&[u8]> {
    match blanks {
        true => {
            let fields = line.split(|octet| matches!(octet, b' ' | b'\t'));
            fields.filter(|field| !field.is_empty()).collect()
        }
        false => line.split(|&octet| octet == b' ').collect(),
    }
}

fn number(field: Option<&&[u8]>) -> Option<u64> {
    let field = str::from_utf8(field?).ok()?;
    let all_digits = !field.is_empty() && field.bytes().all(|octet| octet.is_ascii_digit());
    all_digits.then(|| field.parse().ok()).flatten()
}

/// Returns the messages and octets of a drop listing.
#[must_use]
pub fn drop_listing(text: &[u8], blanks: bool) -> Option<(u32, u64)> {
    let fields = fields(text, blanks);
    Some((
        number(fields.first())?.try_into().ok()?,
        number(fields.get(1))?,
    ))
}

/// Returns the message-number and octets of a scan listing.
#[must_use]
pub fn scan_listing(line: &[u8], blanks: bool) -> Option<(u32, u64)> {
    drop_listing(line, blanks).filter(|&(number, _)| number > 0)
}

/// Returns the message-number and unique-id of a unique-id listing.
#[must_use]
pub fn unique_id_listing(line: &[u8], outlook: bool) -> Option<(u32, Vec<u8>)> {
    let fields = fields(line, outlook);
    let number = u32::try_from(number(fields.first())?)
        .ok()
        .filter(|&number| number > 0)?;
    let unique_id = *fields.get(1)?;
    let is_one = (1..=70).contains(&unique_id.len()) && unique_id.iter().all(u8::is_ascii_graphic);
    let is_last = outlook || fields.len() == 2;
    (is_one && is_last).then(|| (number, unique_id.to_vec()))
}

/// Returns the first message-id in angle brackets.
#[must_use]
pub fn timestamp(text: &[u8]) -> Option<Vec<u8>> {
    let candidates = (0..text.len())
        .filter(|&at| text[at] == b'<')
        .filter_map(|start| {
            let end = start + text[start..].iter().position(|&octet| octet == b'>')?;
            Some(&text[start..=end])
        });
    let is_message_id = |candidate: &&[u8]| {
        let inner = &candidate[1..candidate.len() - 1];
        let ats = inner.iter().filter(|&&octet| octet == b'@').count();
        let plain = |octet: &u8| octet.is_ascii_graphic() && *octet != b'<';
        ats == 1 && inner.iter().all(plain) && !inner.starts_with(b"@") && !inner.ends_with(b"@")
    };
    let mut found = candidates.filter(is_message_id);
    found.next().map(<[u8]>::to_vec)
}

/// The reply that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// One line.
    Line,
    /// One line, and a message if it is positive.
    Message,
    /// One line, and a listing if it is positive.
    Listing,
    /// A challenge, or the line that ends the exchange.
    Sasl,
}

/// A reply, as far as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A challenge.
    Challenge(Vec<u8>),
    /// A first line, and the block after it.
    Status {
        /// Whether the reply is positive.
        positive: bool,
        /// The text of the first line.
        text: Vec<u8>,
        /// The octets of the block.
        block: Vec<u8>,
        /// Whether the block is complete, or there is none.
        ended: bool,
    },
}

/// The reason why no further reply can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFault {
    /// The block is faulty or cut off.
    Block,
    /// The first line is too long.
    LineTooLong,
    /// The stream ends where a reply is expected.
    NoReply,
    /// The line is not a reply.
    NotAReply,
    /// Unsolicited octets.
    Unsolicited,
}

/// Splits a stream into the expected replies.
#[must_use]
pub fn replies(
    awaited: &[Awaited],
    outlook: bool,
    wire: &[u8],
) -> (Vec<Reply>, Option<ReplyFault>) {
    let (mut replies, mut rest) = (Vec::new(), wire);
    for &kind in awaited {
        let longest = if kind == Awaited::Sasl { 12_288 } else { 512 };
        let line_end = rest.windows(2).position(|pair| pair == b"\r\n");
        let line = match line_end {
            Some(end) if end + 2 <= longest => &rest[..end],
            None if rest.len() < longest => return (replies, Some(ReplyFault::NoReply)),
            _ => return (replies, Some(ReplyFault::LineTooLong)),
        };
        rest = &rest[line.len() + 2..];
        if kind == Awaited::Sasl && !ends_exchange(line, outlook) {
            replies.push(Reply::Challenge(line[1..].trim_ascii().to_vec()));
            continue;
        }
        let Some((positive, text)) = status(line, outlook) else {
            return (replies, Some(ReplyFault::NotAReply));
        };
        let (mut block, mut ended) = (Vec::new(), true);
        if positive && matches!(kind, Awaited::Message | Awaited::Listing) {
            let dot_line_ends = outlook && kind == Awaited::Listing;
            let decoded = decode(
                &Rules {
                    dot_line_ends,
                    ..Rules::RFC1939
                },
                rest,
            );
            block = decoded.data;
            match decoded.outcome {
                Outcome::Ended { consumed, .. } => rest = &rest[consumed..],
                _ => ended = false,
            }
        }
        replies.push(Reply::Status {
            positive,
            text,
            block,
            ended,
        });
        if !ended {
            return (replies, Some(ReplyFault::Block));
        }
    }
    let unsolicited = (!rest.is_empty()).then_some(ReplyFault::Unsolicited);
    (replies, unsolicited)
}

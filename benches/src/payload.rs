//! The messages to decode and encode: the same octets in every run.

use dot_stuffing_testkit::oracle::{self, Newline, Outcome, Rules};

use crate::run::Direction;

/// A message, and the block that carries it.
pub(crate) struct Payload {
    pub(crate) name: &'static str,
    /// The octets before the block on the wire.
    first_line: &'static str,
    pub(crate) message: Vec<u8>,
    pub(crate) wire: Vec<u8>,
}

/// Writes the next line without its end; gets the room that is left for it.
type NextLine = fn(&mut Random, &mut Vec<u8>, usize);

const BLOCKS: [(&str, NextLine); 5] = [
    ("base64", base64),
    ("prose", prose),
    ("dots", dots),
    // Only blank lines.
    ("blank", |_, _, _| {}),
    ("endless", endless),
];

const REPLIES: [(&str, NextLine); 3] = [("RETR", base64), ("LIST", sizes), ("UIDL", unique_ids)];

impl Payload {
    /// All payloads, one after another. Each block has at most `octets` octets,
    /// and a listing has at most a million lines.
    pub(crate) fn each(direction: Direction, octets: usize) -> impl Iterator<Item = Self> {
        let payloads = match direction {
            Direction::Decode | Direction::Encode => &BLOCKS[..],
            Direction::Reply => &REPLIES,
        };
        payloads.iter().map(move |&(name, next_line)| {
            let first_line = match (direction, name) {
                (Direction::Decode | Direction::Encode, _) => "",
                (_, "LIST") => "+OK LIST\r\n",
                (_, "UIDL") => "+OK UIDL\r\n",
                _ => "+OK RETR\r\n",
            };
            let lines = match name {
                "LIST" | "UIDL" => 1_000_000,
                _ => usize::MAX,
            };
            let (message, wire) = write(first_line, next_line, lines, octets);
            Self {
                name,
                first_line,
                message,
                wire,
            }
        })
    }

    /// Compares this payload with the oracle's result.
    pub(crate) fn verify(&self) {
        let block = &self.wire[self.first_line.len()..];
        let decoded = oracle::decode(&Rules::RFC1939, block);
        assert!(decoded.data == self.message, "{}: the message", self.name);
        assert!(
            matches!(decoded.outcome, Outcome::Ended { consumed, .. } if consumed == block.len()),
            "{}: the end",
            self.name
        );
        let encoded = oracle::encode(Newline::Verbatim, &self.message);
        assert!(
            encoded.is_ok_and(|encoded| encoded == block),
            "{}: the block",
            self.name
        );
    }
}

/// A message of such lines, and its block after the first line of the reply.
fn write(first_line: &str, next_line: NextLine, lines: usize, octets: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random {
        state: 0x9E37_79B9_7F4A_7C15,
        lines: 0,
    };
    let mut message = Vec::with_capacity(octets);
    let mut wire = Vec::with_capacity(octets);
    wire.extend_from_slice(first_line.as_bytes());
    let mut line = Vec::new();
    for _ in 0..lines {
        line.clear();
        let room = octets.saturating_sub(wire.len() + b"\r\n.\r\n".len());
        next_line(&mut random, &mut line, room);
        let stuffing: &[u8] = if line.starts_with(b".") { b"." } else { b"" };
        if stuffing.len() + line.len() > room || room == 0 {
            break;
        }
        line.extend_from_slice(b"\r\n");
        message.extend_from_slice(&line);
        wire.extend_from_slice(stuffing);
        wire.extend_from_slice(&line);
    }
    wire.extend_from_slice(b".\r\n");
    (message, wire)
}

/// An attachment as mail carries it: lines of 76 octets.
fn base64(random: &mut Random, line: &mut Vec<u8>, _: usize) {
    digits(random, line, 76);
}

fn digits(random: &mut Random, line: &mut Vec<u8>, octets: usize) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while line.len() < octets {
        let bits = random.next();
        line.extend([0, 6, 12, 18].map(|place| DIGITS[(bits >> place) as usize & 63]));
    }
    line.truncate(octets);
}

/// Paragraphs of words: full lines, a short last one, a blank line between
/// them, and sometimes a line that an editor did not wrap. One line in 250
/// begins with a dot.
fn prose(random: &mut Random, line: &mut Vec<u8>, _: usize) {
    const WORDS: [&str; 32] = [
        "a",
        "the",
        "of",
        "and",
        "to",
        "in",
        "is",
        "that",
        "it",
        "was",
        "for",
        "on",
        "are",
        "with",
        "as",
        "his",
        "they",
        "be",
        "at",
        "one",
        "have",
        "this",
        "message",
        "octet",
        "maildrop",
        "server.",
        "client,",
        "connection",
        "authorization",
        "line",
        "which",
        "however",
    ];
    let target = match random.below(100) {
        0..8 => return,
        8..20 => 5 + random.below(55),
        20..97 => 60 + random.below(17),
        _ => 80 + random.below(400),
    };
    if random.below(230) == 0 {
        line.push(b'.');
    }
    while line.len() < target {
        line.extend_from_slice(WORDS[random.below(32)].as_bytes());
        line.push(b' ');
    }
    line.pop();
}

/// `..x` on the wire.
fn dots(_: &mut Random, line: &mut Vec<u8>, _: usize) {
    line.extend_from_slice(b".x");
}

/// Fills all the room, without a line end.
fn endless(random: &mut Random, line: &mut Vec<u8>, room: usize) {
    digits(random, line, room);
}

/// A line of a listing: the message-number and a field.
fn listing(random: &mut Random, line: &mut Vec<u8>, field: fn(&mut Random) -> String) {
    random.lines += 1;
    let number = random.lines;
    line.extend(format!("{number} {}", field(random)).bytes());
}

/// Most messages have a few kilobytes; one in ten has an attachment.
fn sizes(random: &mut Random, line: &mut Vec<u8>, _: usize) {
    listing(random, line, |random| {
        let octets = match random.below(10) {
            0 => 100_000 + random.below(9_000_000),
            _ => 1000 + random.below(40_000),
        };
        octets.to_string()
    });
}

fn unique_ids(random: &mut Random, line: &mut Vec<u8>, _: usize) {
    listing(random, line, |random| {
        format!("{:010x}{:010x}", random.next() << 8, random.next() << 8)
    });
}

/// xorshift64*.
struct Random {
    state: u64,
    /// Lines of the listing so far.
    lines: u32,
}

impl Random {
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}

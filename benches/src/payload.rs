//! The messages that are decoded and encoded: the same octets in every run.

use pop3_testkit::oracle::{self, Newline, Outcome, Rules};

/// A message, and the block that carries it.
pub(crate) struct Payload {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) message: Vec<u8>,
    pub(crate) wire: Vec<u8>,
}

/// Writes the next line, without its end; gets the room left for it.
type NextLine = fn(&mut Random, &mut Vec<u8>, usize);

const PAYLOADS: [(&str, &str, NextLine); 5] = [
    ("base64", "an attachment, lines of 76 octets", base64),
    (
        "prose",
        "lines of many lengths, 0.4 % of them stuffed",
        prose,
    ),
    ("dots", "every line is ..x", dots),
    ("blank", "blank lines only", |_, _, _| {}),
    ("endless", "one endless line", endless),
];

impl Payload {
    /// All payloads, one after another; each block has at most `octets`.
    pub(crate) fn each(octets: usize) -> impl Iterator<Item = Self> {
        PAYLOADS.into_iter().map(move |(name, about, next_line)| {
            let (message, wire) = write(next_line, octets);
            Self {
                name,
                about,
                message,
                wire,
            }
        })
    }

    /// Compares what was built here with what the oracle says of it.
    pub(crate) fn verify(&self) {
        let decoded = oracle::decode(&Rules::RFC1939, &self.wire);
        assert!(decoded.data == self.message, "{}: the message", self.name);
        assert!(
            matches!(decoded.outcome, Outcome::Ended { consumed, .. } if consumed == self.wire.len()),
            "{}: the end",
            self.name
        );
        let encoded = oracle::encode(Newline::Verbatim, &self.message);
        assert!(
            encoded.as_ref() == Ok(&self.wire),
            "{}: the block",
            self.name
        );
    }
}

/// A message of such lines, and its block.
fn write(next_line: NextLine, octets: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut message = Vec::with_capacity(octets);
    let mut wire = Vec::with_capacity(octets);
    let mut line = Vec::new();
    loop {
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

/// Paragraphs of words: full lines, a short last one, a blank one between
/// them, and now and then a line that an editor did not wrap. One line in 250
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

/// All the room there is, without a line end.
fn endless(random: &mut Random, line: &mut Vec<u8>, room: usize) {
    digits(random, line, room);
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}

//! All possible readings of a text.

use zeroize::Zeroizing;

/// The number of times that decoded octets are decoded again.
const DEPTH: usize = 2;

/// A text, or what it decodes to.
pub(super) struct Reading {
    pub(super) octets: Zeroizing<Vec<u8>>,
    /// Whether only escapes were decoded. Almost any text can be read as base64,
    /// and then contains any short sequence of octets.
    pub(super) is_text: bool,
}

/// Returns the text and everything that it decodes to.
pub(super) fn readings(text: &[u8]) -> Vec<Reading> {
    let mut readings = Vec::new();
    read(text, true, DEPTH, &mut readings);
    readings
}

fn read(text: &[u8], is_text: bool, depth: usize, readings: &mut Vec<Reading>) {
    if depth > 0 {
        for unescape in [backslashes, percents, form, quoted_printable, references] {
            let octets = Zeroizing::new(unescape(text));
            if **octets != *text {
                read(&octets, is_text, depth - 1, readings);
            }
        }
        for skipped in 0..4 {
            read(&base64(text, skipped), false, depth - 1, readings);
        }
        for skipped in 0..2 {
            read(&hexadecimal(text, skipped), false, depth - 1, readings);
        }
    }
    if !text.is_empty() {
        readings.push(Reading {
            octets: Zeroizing::new(text.to_vec()),
            is_text,
        });
    }
}

/// The meaning of an escape.
enum Escaped {
    Octet(u32),
    Char(u32),
}

use Escaped::{Char, Octet};

/// `\n`, `\x41`, `\101`, `\u0041` and `\u{41}`.
fn backslashes(text: &[u8]) -> Vec<u8> {
    unescape(text, b'\\', |rest| match rest.first()? {
        b'n' => Some((Octet(0x0a), 1)),
        b'r' => Some((Octet(0x0d), 1)),
        b't' => Some((Octet(0x09), 1)),
        b'x' | b'X' => number(rest, 1, 2, 16).map(|(value, end)| (Octet(value), end)),
        b'0'..=b'7' => number(rest, 0, 3, 8).map(|(value, end)| (Octet(value), end)),
        b'u' | b'U' if rest.get(1) == Some(&b'{') => {
            let (value, end) = number(rest, 2, 6, 16)?;
            Some((Char(value), end + usize::from(rest.get(end) == Some(&b'}'))))
        }
        b'u' | b'U' => number(rest, 1, 4, 16).map(|(value, end)| (Char(value), end)),
        &octet => Some((Octet(octet.into()), 1)),
    })
}

/// `%41` (RFC 3986 §2.1).
fn percents(text: &[u8]) -> Vec<u8> {
    unescape(text, b'%', two_digits)
}

/// `%41`, and `+` for a space, as in HTML forms.
fn form(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|octet| if *octet == b'+' { b' ' } else { *octet })
        .collect();
    percents(&spaced)
}

/// `=41` (RFC 2045 §6.7).
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    unescape(text, b'=', two_digits)
}

fn two_digits(text: &[u8]) -> Option<(Escaped, usize)> {
    number(text, 0, 2, 16).map(|(value, end)| (Octet(value), end))
}

/// `&#65;`, `&#x41;` and `&amp;`.
fn references(text: &[u8]) -> Vec<u8> {
    const NAMED: [(&[u8], char); 5] = [
        (b"amp;", '&'),
        (b"lt;", '<'),
        (b"gt;", '>'),
        (b"quot;", '"'),
        (b"apos;", '\''),
    ];
    unescape(text, b'&', |rest| {
        if let Some((name, char)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
            return Some((Char(u32::from(*char)), name.len()));
        }
        let (value, end) = match (rest.first()?, rest.get(1)?) {
            (b'#', b'x' | b'X') => number(rest, 2, 6, 16),
            (b'#', _) => number(rest, 1, 7, 10),
            _ => None,
        }?;
        Some((Char(value), end + usize::from(rest.get(end) == Some(&b';'))))
    })
}

/// Replaces escapes. `decode` gets the octets after the mark, and returns the
/// meaning of the escape and its length.
fn unescape(text: &[u8], mark: u8, decode: impl Fn(&[u8]) -> Option<(Escaped, usize)>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escape = (first == mark).then(|| decode(after)).flatten();
        let Some((escaped, used)) = escape else {
            octets.push(first);
            continue;
        };
        rest = after.get(used..).unwrap_or_default();
        match escaped {
            Octet(value) => octets.extend(u8::try_from(value)),
            Char(value) => {
                let mut buffer = [0; 4];
                let char = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                octets.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    octets
}

/// Reads a number of at most `most` digits. Returns it with the offset of its end.
fn number(text: &[u8], start: usize, most: usize, radix: u32) -> Option<(u32, usize)> {
    let digits = text.get(start..)?.iter().take(most);
    let digits: Vec<u32> = digits
        .map_while(|octet| char::from(*octet).to_digit(radix))
        .collect();
    let value = digits.iter().fold(0, |value, digit| value * radix + digit);
    (!digits.is_empty()).then_some((value, start + digits.len()))
}

/// Decodes each run of base64 digits, after `skipped` of its digits.
fn base64(text: &[u8], skipped: usize) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    for run in text.split(|octet| sextet(*octet).is_none()) {
        let run = run.get(skipped..).unwrap_or_default();
        decode(
            run.iter().filter_map(|octet| sextet(*octet)),
            6,
            &mut octets,
        );
        octets.push(b' ');
    }
    octets
}

/// Both alphabets of RFC 4648.
fn sextet(octet: u8) -> Option<u32> {
    let (first, offset) = match octet {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' | b'-' => return Some(62),
        b'/' | b'_' => return Some(63),
        _ => return None,
    };
    Some(u32::from(octet - first) + offset)
}

/// All hexadecimal digits of the text, whatever separates them.
fn hexadecimal(text: &[u8], skipped: usize) -> Zeroizing<Vec<u8>> {
    // The 0 in 0x does not count as a digit.
    let mut digits = text.iter().enumerate().filter_map(|(at, octet)| {
        let next = text.get(at + 1);
        match (octet, next) {
            (b'0', Some(b'x' | b'X')) => None,
            _ => char::from(*octet).to_digit(16),
        }
    });
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    if skipped > 0 {
        digits.next();
    }
    decode(digits, 4, &mut octets);
    octets
}

/// Joins digits of `bits` bits each.
fn decode(digits: impl Iterator<Item = u32>, bits: u32, octets: &mut Vec<u8>) {
    let (mut held, mut known) = (0_u32, 0);
    for digit in digits {
        held = held << bits | digit;
        known += bits;
        if known >= 8 {
            known -= 8;
            octets.extend(u8::try_from(held >> known & 0xff));
            held &= (1 << known) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_every_escape_and_leaves_the_rest() {
        for (unescape, text, expected) in [
            (
                backslashes as fn(&[u8]) -> Vec<u8>,
                r"\n\r\t\x41\X4a\101\u0041\U0042\u{43}\u{44 \q\",
                "\n\r\tAJAABCD q\\",
            ),
            (percents, "%41%4aK%+%zz%", "AJK%+%zz%"),
            (form, "%41+%2B%zz%", "A +%zz%"),
            (quoted_printable, "=41=4A=\r\n=", "AJ=\r\n="),
            (
                references,
                "&#65;&#x42;&#X43;&#68&amp;&lt;&gt;&quot;&apos;&other;&",
                "ABCD&<>\"'&other;&",
            ),
        ] {
            let decoded = unescape(text.as_bytes());
            assert_eq!(decoded.escape_ascii().to_string(), {
                expected.as_bytes().escape_ascii().to_string()
            });
        }
    }

    #[test]
    fn decodes_each_run_of_base64_from_any_digit() {
        assert_eq!(**base64(b"QUJD.REVG", 0), *b"ABC DEF ");
        assert_eq!(base64(b"xQUJD.xxREVG", 1)[..4], *b"ABC ");
        for text in ["+/+/", "-_-_"] {
            assert_eq!(**base64(text.as_bytes(), 0), *b"\xfb\xff\xbf ");
        }
    }

    #[test]
    fn decodes_hexadecimal_digits_from_the_first_or_the_second() {
        for text in ["414243", "41:42:43", "0x41, 0X42, 0x43"] {
            assert_eq!(**hexadecimal(text.as_bytes(), 0), *b"ABC", "{text}");
            assert_eq!(**hexadecimal(text.as_bytes(), 1), *b"\x14\x24", "{text}");
        }
    }

    /// The work is bounded: what is decoded twice is not decoded again.
    #[test]
    fn decodes_twice() {
        let reads = |text: &[u8]| {
            let readings = readings(text);
            let is_text = |reading: &&Reading| reading.is_text;
            readings
                .iter()
                .filter(is_text)
                .any(|reading| **reading.octets == *b"+A")
        };
        for (text, is_read) in [
            ("+A", true),
            ("%2BA", true),
            ("%252BA", true),
            ("%25252BA", false),
            ("=25252BA", false),
        ] {
            assert_eq!(reads(text.as_bytes()), is_read, "{text}");
        }
    }
}

//! Messages that stress stuffing and that other software accepts too.

/// Parts of lines: dots at every position, and text that could be mistaken for
/// the end of a block or for a reply. No line is longer than the 998 octets of
/// RFC 5322 §2.1.1, and none contains NUL or CR: software that changes those is
/// not tested here.
const LINES: [&str; 20] = [
    ".",
    "..",
    "...",
    "....",
    ".x",
    "..x",
    "x.",
    ". ",
    " .",
    ".\t.",
    "",
    "",
    "text",
    "From the beginning of a line",
    "+OK 3 messages",
    "-ERR no such message",
    ".QUIT",
    "Gr\u{fc}\u{df}e, \u{4e16}\u{754c}",
    ".gr\u{f6}\u{df}er",
    "a line of some length, as they are in most messages that people write",
];

/// Returns `count` messages with LF line ends, each with a header; every call
/// returns the same messages. None ends with a blank line, which some software
/// drops.
#[must_use]
pub fn messages(count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x9E37_79B9_u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let message = |number| {
        let mut message = format!(
            "From: Ada <ada@example.org>\nTo: Grace <grace@example.org>\nSubject: {number}\n\
             Message-ID: <{number}@example.org>\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n\n"
        );
        for _ in 0..random(40) {
            match random(30) {
                0 => message += &format!("{}\n", "x".repeat(900 + random(98))),
                1 => message += &format!(".{}\n", ".".repeat(random(900))),
                _ => message += &format!("{}\n", LINES[random(LINES.len())]),
            }
        }
        message += [".\n", "..\n", ".end\n", "end\n"][random(4)];
        message.into_bytes()
    };
    (1..=count).map(message).collect()
}

/// A message as decoded from a block: with CRLF for its LF.
#[must_use]
pub fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => octets.extend([line, b"\r\n"].concat()),
            None => octets.extend_from_slice(line),
        }
    }
    octets
}

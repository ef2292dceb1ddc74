//! Faulty encoders: the output of the model with one error.

use super::{KnownBug, Role};
use crate::{
    oracle::{self, Newline, Refusal},
    view::Encode,
};

type Spoil = fn(Newline, &[&[u8]]) -> Result<Vec<u8>, Refusal>;

struct Faulty {
    name: &'static str,
    encode: Spoil,
}

impl Encode for Faulty {
    fn name(&self) -> &'static str {
        self.name
    }

    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        (self.encode)(newline, chunks)
    }
}

const BUGS: [(&str, &str, Spoil); 10] = [
    (
        "first-octet-not-stuffed",
        "Stalwart crates/pop3; Dovecot 2.3.19 (corpus/captures: first-octet-dot)",
        |newline, chunks| {
            let message = chunks.concat();
            let wire = oracle::encode(newline, &message)?;
            Ok(wire[usize::from(message.starts_with(b"."))..].to_vec())
        },
    ),
    (
        "never-stuffs",
        "POP3Lite, CVE-2001-0996",
        |newline, chunks| {
            let text = oracle::canonical(newline, &chunks.concat())?;
            Ok([&text, &b".\r\n"[..]].concat())
        },
    ),
    (
        "forgets-line-start-over-a-write",
        "mailpit#299, netius#96: CRLF in one write, the dot in the next",
        |newline, chunks| {
            let text = oracle::canonical(newline, &chunks.concat())?;
            let joints = chunks.iter().scan(0, |at, chunk| {
                *at += chunk.len();
                Some(*at)
            });
            let joints: Vec<usize> = joints.collect();
            let mut wire = Vec::new();
            for (at, &octet) in text.iter().enumerate() {
                let line_start = at == 0 || text[..at].ends_with(b"\r\n");
                if octet == b'.' && line_start && !joints.contains(&at) {
                    wire.push(b'.');
                }
                wire.push(octet);
            }
            Ok([&wire, &b".\r\n"[..]].concat())
        },
    ),
    (
        "stuffs-before-mending-newlines",
        "mailrs-smtp-codec 1.0.2: LF-dot-LF becomes CRLF-dot-CRLF",
        |newline, chunks| match newline {
            Newline::Canonicalize => {
                let stuffed = oracle::encode(Newline::Verbatim, &chunks.concat())?;
                oracle::canonical(Newline::Canonicalize, &stuffed)
            }
            _ => oracle::encode(newline, &chunks.concat()),
        },
    ),
    (
        "no-crlf-before-the-terminator",
        "any server that writes `.` CRLF after the file (RFC 1939 §3 is silent on it)",
        |newline, chunks| {
            let message = chunks.concat();
            let wire = oracle::encode(newline, &message)?;
            match message.ends_with(b"\n") || message.is_empty() {
                true => Ok(wire),
                false => Ok([&wire[..wire.len() - 5], b".\r\n"].concat()),
            }
        },
    ),
    (
        "no-crlf-after-a-last-line-of-1023",
        "mpopd 1.4.18 (corpus/captures: no-final-newline-1023)",
        |newline, chunks| {
            let message = chunks.concat();
            let wire = oracle::encode(newline, &message)?;
            let last = message
                .rsplit(|&octet| octet == b'\n')
                .next()
                .unwrap_or_default();
            match last.len() % 1023 == 0 && !last.is_empty() {
                true => Ok([&wire[..wire.len() - 5], b".\r\n"].concat()),
                false => Ok(wire),
            }
        },
    ),
    (
        "nul-cuts-a-line",
        "mpopd 1.4.18 (corpus/captures: nul-octet)",
        |newline, chunks| {
            let message = chunks.concat();
            let lines = message
                .split_inclusive(|&octet| octet == b'\n')
                .map(|line| {
                    let nul = line.iter().position(|&octet| octet == 0);
                    match nul {
                        Some(nul) if line.ends_with(b"\n") => [&line[..nul], b"\r\n"].concat(),
                        Some(nul) => line[..nul].to_vec(),
                        None => line.to_vec(),
                    }
                });
            oracle::encode(newline, &lines.collect::<Vec<_>>().concat())
        },
    ),
    (
        "empty-message-gets-a-line",
        "Dovecot 2.3.19 (corpus/captures: empty)",
        |newline, chunks| match chunks.concat().is_empty() {
            true => Ok(b"\r\n.\r\n".to_vec()),
            false => oracle::encode(newline, &chunks.concat()),
        },
    ),
    (
        "stuffs-after-bare-lf",
        "Dovecot 2.3.19, Go dotWriter: a reader of CRLF lines gets a dot too many",
        |newline, chunks| {
            let mut wire = Vec::new();
            for &octet in &oracle::encode(newline, &chunks.concat())? {
                if octet == b'.' && wire.ends_with(b"\n") && !wire.ends_with(b"\r\n") {
                    wire.push(b'.');
                }
                wire.push(octet);
            }
            Ok(wire)
        },
    ),
    (
        "leaves-bare-cr",
        "Dovecot 2.3.19: LF is mended, CR is not, and no dot after it is stuffed",
        |newline, chunks| match newline {
            Newline::Canonicalize => {
                let message = chunks.concat();
                let mut mended = Vec::new();
                for (at, &octet) in message.iter().enumerate() {
                    if octet == b'\n' && (at == 0 || message[at - 1] != b'\r') {
                        mended.push(b'\r');
                    }
                    mended.push(octet);
                }
                oracle::encode(Newline::Verbatim, &mended)
            }
            _ => oracle::encode(newline, &chunks.concat()),
        },
    ),
];

pub(super) fn all() -> Vec<KnownBug> {
    let bug = |(name, source, encode)| KnownBug {
        name,
        source,
        role: Role::Encoder(Box::new(Faulty { name, encode })),
    };
    BUGS.into_iter().map(bug).collect()
}

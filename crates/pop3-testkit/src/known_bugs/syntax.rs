//! Faulty parsers of commands and replies: the model with one error.

use super::{KnownBug, Role};
use crate::{
    oracle::{self, Awaited, Reply, ReplyFault},
    view::{Commands, Replies, ReplyLines},
};

const SOUND: ReplyLines = ReplyLines {
    status: oracle::status,
    drop_listing: oracle::drop_listing,
    scan_listing: oracle::scan_listing,
    unique_id_listing: oracle::unique_id_listing,
    timestamp: oracle::timestamp,
};

const REPLY_LINES: [(&str, &str, ReplyLines); 9] = [
    (
        "cuts-unique-ids-to-70",
        "CVE-2005-2335, fetchmail: two long unique-ids become one",
        ReplyLines {
            unique_id_listing: |line, outlook| {
                let excess = line.len().saturating_sub(b"1 ".len() + 70);
                let cut = oracle::unique_id_listing(&line[..line.len() - excess], outlook);
                oracle::unique_id_listing(line, outlook).or(cut)
            },
            ..SOUND
        },
    ),
    (
        "takes-no-unique-id-for-one",
        "mutt, CVE-2018-14356",
        ReplyLines {
            unique_id_listing: |line, outlook| match line.strip_suffix(b" ") {
                Some(number) => match oracle::unique_id_listing(&[line, b"x"].concat(), outlook) {
                    Some((number, unique_id)) if unique_id == b"x" => Some((number, Vec::new())),
                    _ => oracle::unique_id_listing(number, outlook),
                },
                None => oracle::unique_id_listing(line, outlook),
            },
            ..SOUND
        },
    ),
    (
        "message-numbers-wrap-at-2-to-the-32",
        "clients that parse into 32 bits without a look at the overflow",
        ReplyLines {
            scan_listing: |line, outlook| {
                let text = String::from_utf8_lossy(line);
                let (number, rest) = text.split_once(' ')?;
                let wrapped = number.parse::<u64>().ok()? as u32;
                let wrapped = format!("{wrapped} {rest}");
                oracle::scan_listing(line, outlook)
                    .or_else(|| oracle::scan_listing(wrapped.as_bytes(), outlook))
            },
            ..SOUND
        },
    ),
    (
        "message-0-exists",
        "Stalwart: 0 is taken for 1",
        ReplyLines {
            scan_listing: |line, outlook| match line.strip_prefix(b"0 ") {
                Some(rest) => oracle::scan_listing(&[b"1 ", rest].concat(), outlook),
                None => oracle::scan_listing(line, outlook),
            },
            ..SOUND
        },
    ),
    (
        "stat-without-fields-is-empty",
        "older poplib, which does not look how many fields there are",
        ReplyLines {
            drop_listing: |text, outlook| match text.iter().all(u8::is_ascii_digit) {
                true => Some((0, 0)),
                false => oracle::drop_listing(text, outlook),
            },
            ..SOUND
        },
    ),
    (
        "sizes-may-be-negative",
        "MailKit#872: a server counts below zero",
        ReplyLines {
            drop_listing: |text, outlook| {
                let positive = String::from_utf8_lossy(text).replace('-', "");
                oracle::drop_listing(positive.as_bytes(), outlook)
            },
            ..SOUND
        },
    ),
    (
        "any-octets-are-a-timestamp",
        "CVE-2007-1558: APOP with what is no message-id",
        ReplyLines {
            timestamp: |text| {
                let start = text.iter().position(|&octet| octet == b'<')?;
                let end = text[start..].iter().position(|&octet| octet == b'>')?;
                Some(text[start..=start + end].to_vec())
            },
            ..SOUND
        },
    ),
    (
        "finds-ok-anywhere",
        "pop3 1.0.6: the pattern for the status line is not anchored",
        ReplyLines {
            status: |line, outlook| match line.windows(3).any(|word| word == b"+OK") {
                true => oracle::status(line, outlook).or(Some((true, Vec::new()))),
                false => oracle::status(line, outlook),
            },
            ..SOUND
        },
    ),
    (
        "okay-is-ok",
        "poplib, mpop, Net::POP3: no look at what follows +OK",
        ReplyLines {
            status: |line, outlook| match line.strip_prefix(b"+OK") {
                Some(text) => oracle::status(line, outlook).or(Some((true, text.to_vec()))),
                None => oracle::status(line, outlook),
            },
            ..SOUND
        },
    ),
];

const COMMANDS: [(&str, &str, Commands); 4] = [
    (
        "lets-controls-into-arguments",
        "CVE-2025-15367, poplib: a line end in a name begins another command",
        |line| match line {
            [b'U', b'S', b'E', b'R', b' ', name @ ..] if !name.is_empty() => {
                String::from_utf8(line.to_vec()).ok()
            }
            _ => oracle::command(line),
        },
    ),
    (
        "message-0-is-message-1",
        "Stalwart crates/pop3: RETR 0, by saturating_sub",
        |line| {
            let text = String::from_utf8_lossy(line).replacen(" 0", " 1", 1);
            oracle::command(line).or_else(|| oracle::command(text.as_bytes()))
        },
    ),
    (
        "a-password-ends-at-a-space",
        "Stalwart crates/pop3",
        |line| {
            let spelt = oracle::command(line)?;
            match spelt.strip_prefix("PASS ") {
                Some(secret) => Some(format!("PASS {}", secret.split(' ').next()?)),
                None => Some(spelt),
            }
        },
    ),
    ("rset-sends-retr", "pop3 1.0.6", |line| {
        oracle::command(line).map(|spelt| spelt.replace("RSET", "RETR"))
    }),
];

const REPLIES: [(&str, &str, Replies); 7] = [
    (
        "injected-reply-is-left-for-later",
        "NO STARTTLS, CVE-2021-22947: curl kept what followed the answer to STLS",
        |awaited, outlook, chunks| {
            let (replies, fault) = sound(awaited, outlook, &chunks.concat());
            (
                replies,
                fault.filter(|fault| *fault != ReplyFault::Unsolicited),
            )
        },
    ),
    (
        "rest-of-a-long-status-line-is-the-body",
        "fetchmail 6.4.37: 600 octets of status, and the mail is skipped",
        |awaited, outlook, chunks| {
            let mut wire = chunks.concat();
            let line_end = wire.windows(2).position(|pair| pair == b"\r\n");
            if line_end.is_some_and(|end| end > 510) {
                wire.splice(510..510, *b"\r\n");
            }
            sound(awaited, outlook, &wire)
        },
    ),
    (
        "a-dot-line-ends-every-listing",
        "Outlook's habit where RFC 1939 is asked for (curl#19228 has such a CAPA)",
        |awaited, outlook, chunks| {
            let wire = chunks.concat();
            match awaited[0] == Awaited::Listing && !outlook && wire.starts_with(b"+OK") {
                true => sound(awaited, true, &wire),
                false => sound(awaited, outlook, &wire),
            }
        },
    ),
    (
        "list-n-waits-for-a-dot",
        "curl#14677: the answer to LIST with a number is one line",
        |awaited, outlook, chunks| {
            let listings = awaited.iter().map(|kind| match kind {
                Awaited::Line => Awaited::Listing,
                other => *other,
            });
            sound(&listings.collect::<Vec<_>>(), outlook, &chunks.concat())
        },
    ),
    (
        "lf-ends-a-reply",
        "getmail6's mocks answer with LF, and most clients take it",
        |awaited, outlook, chunks| {
            let text = String::from_utf8_lossy(&chunks.concat()).replace("\r\n", "\n");
            sound(awaited, outlook, text.replace('\n', "\r\n").as_bytes())
        },
    ),
    (
        "end-of-file-ends-a-reply",
        "curl 7.88.1: what came is taken for the whole",
        |awaited, outlook, chunks| {
            let (mut replies, fault) = sound(awaited, outlook, &chunks.concat());
            if let Some(Reply::Status { ended, .. }) = replies.last_mut() {
                *ended = true;
            }
            (replies, fault.filter(|fault| *fault != ReplyFault::Block))
        },
    ),
    (
        "a-challenge-needs-a-space",
        "clients that wait for `+ ` (curl test 891 sends `+` alone)",
        |awaited, outlook, chunks| {
            let (mut replies, fault) = sound(awaited, outlook, &chunks.concat());
            let bare = replies
                .iter()
                .position(|reply| *reply == Reply::Challenge(Vec::new()));
            match bare {
                Some(at) => {
                    replies.truncate(at);
                    (replies, Some(ReplyFault::NotAReply))
                }
                None => (replies, fault),
            }
        },
    ),
];

fn sound(awaited: &[Awaited], outlook: bool, wire: &[u8]) -> (Vec<Reply>, Option<ReplyFault>) {
    oracle::replies(awaited, outlook, wire)
}

pub(super) fn all() -> Vec<KnownBug> {
    let mut bugs = Vec::new();
    let mut add = |name, source, role| bugs.push(KnownBug { name, source, role });
    for (name, source, parse) in REPLY_LINES {
        add(name, source, Role::ReplyLines(parse));
    }
    for (name, source, parse) in COMMANDS {
        add(name, source, Role::Commands(parse));
    }
    for (name, source, read) in REPLIES {
        add(name, source, Role::Replies(read));
    }
    bugs
}

//! Compares the mail that a client stored with the messages.
//!
//! Line ends may be CRLF or LF. An mbox has a line before each message, and adds
//! `>` to lines that look like it. Clients may add header fields at the top.
//! Nothing else may differ.

use std::{fs, io, path::Path};

/// Where a client stores mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// On standard output, one message.
    #[default]
    Stdout,
    /// In a Maildir; `{maildir}` is its path.
    Maildir,
    /// In an mbox; `{mbox}` is its path.
    Mbox,
}

/// How stored octets relate to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// They are the message.
    Same,
    /// They are the message up to its last line, but with changes.
    Altered,
    /// They are a part of the message, or something else.
    Cut,
}

/// Header fields that clients add at the top.
const ADDED: [&str; 12] = [
    "received",
    "delivered-to",
    "envelope-to",
    "return-path",
    "status",
    "x-status",
    "content-length",
    "lines",
    "x-uid",
    "x-uidl",
    "x-keywords",
    "date-received",
];

/// The most octets of a mail file that are read.
const FILE_MAX: u64 = 64 << 20;

impl Store {
    /// Reads the stored messages. A missing file has none.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub(super) fn read(&self, place: &Path, stdout: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        match self {
            Self::Stdout if stdout.is_empty() => Ok(Vec::new()),
            Self::Stdout => Ok(vec![stdout.to_vec()]),
            Self::Maildir => maildir(place),
            Self::Mbox => match read(place) {
                Ok(octets) => Ok(mbox(&octets)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            },
        }
    }
}

/// Compares stored octets with a message.
pub(super) fn likeness(stored: &[u8], message: &[u8]) -> Likeness {
    let as_it_is = stored;
    let (stored, message) = (with_lf(stored), with_lf(message));
    // If lines end with LF, a CR before it belongs to the line.
    for stored in [&stored[..], as_it_is] {
        if stored.strip_suffix(&message[..]).is_some_and(is_added) {
            return Likeness::Same;
        }
    }
    let last = |octets: &[u8]| {
        let mut lines = octets.split(|&octet| octet == b'\n').rev();
        lines
            .find(|line| !line.trim_ascii().is_empty())
            .map(<[u8]>::to_vec)
    };
    match (last(&stored), last(&message)) {
        (Some(one), Some(other)) if one == other => Likeness::Altered,
        _ => Likeness::Cut,
    }
}

/// Whether the octets could be a part of the message, to decide from which of
/// several messages they come.
pub(super) fn shares_a_line(stored: &[u8], message: &[u8]) -> bool {
    let (stored, message) = (with_lf(stored), with_lf(message));
    let own = |line: &&[u8]| {
        line.len() > 8
            && !line.starts_with(b"From: ")
            && !line.starts_with(b"To: ")
            && !line.starts_with(b"Date: ")
    };
    let lines: Vec<&[u8]> = stored.split(|&octet| octet == b'\n').filter(own).collect();
    let mut wanted = message.split(|&octet| octet == b'\n').filter(own);
    wanted.any(|line| lines.contains(&line))
}

pub(super) fn with_lf(octets: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                lines.extend_from_slice(line);
                lines.push(b'\n');
            }
            None => lines.extend_from_slice(line),
        }
    }
    lines
}

/// Whether the octets are only complete header fields that clients add, or nothing.
pub(super) fn is_added(octets: &[u8]) -> bool {
    let mut in_field = false;
    octets.is_empty()
        || octets.ends_with(b"\n")
            && octets.split_inclusive(|&octet| octet == b'\n').all(|line| {
                let name = line
                    .split(|&octet| octet == b':')
                    .next()
                    .unwrap_or_default();
                let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                let continued = in_field
                    && matches!(line.first(), Some(b' ' | b'\t'))
                    && !line.trim_ascii().is_empty();
                let added = line.contains(&b':')
                    && (ADDED.contains(&name.as_str())
                        || name.starts_with("x-") && !name.contains(' '));
                in_field = continued || added;
                in_field
            })
}

fn maildir(directory: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    for part in ["new", "cur"] {
        match fs::read_dir(directory.join(part)) {
            Ok(entries) => {
                for entry in entries {
                    paths.push(entry?.path());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut octets = Vec::new();
    fs::File::open(path)?
        .take(FILE_MAX)
        .read_to_end(&mut octets)?;
    Ok(octets)
}

/// Splits an mbox at lines `From ` that follow a blank line or nothing.
fn mbox(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut blank = true;
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        if blank && line.starts_with(b"From ") {
            end_message(&mut messages);
            messages.push(Vec::new());
            blank = false;
            continue;
        }
        blank = line.trim_ascii().is_empty();
        if let Some(message) = messages.last_mut() {
            message.extend_from_slice(unquoted(line));
        }
    }
    end_message(&mut messages);
    messages
}

/// Removes the blank line before the next message, which is not part of this one.
fn end_message(messages: &mut [Vec<u8>]) {
    if let Some(message) = messages.last_mut() {
        for end in [&b"\r\n\r\n"[..], b"\n\n"] {
            if message.ends_with(end) {
                message.truncate(message.len() - end.len() / 2);
                return;
            }
        }
    }
}

/// Removes the `>` that mbox quoting added to a line.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
    match quotes > 0 && line[quotes..].starts_with(b"From ") {
        true => &line[1..],
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"Subject: a\r\n\r\none\r\n\r\r\nThe end.\r\n";

    #[test]
    fn ignores_line_ends_and_added_fields() {
        for stored in [
            MESSAGE,
            b"Subject: a\n\none\n\r\nThe end.\n",
            b"Return-Path: <a@b>\nReceived: from a\n\tby b\nSubject: a\n\none\n\r\nThe end.\n",
            b"X-Fetched: now\r\nSubject: a\r\n\r\none\r\n\r\r\nThe end.\r\n",
        ] {
            assert_eq!(
                likeness(stored, MESSAGE),
                Likeness::Same,
                "{}",
                stored.escape_ascii()
            );
        }
    }

    #[test]
    fn finds_every_other_difference() {
        for (stored, wanted) in [
            (&b"Subject: a\n\none\n\nThe end.\n"[..], Likeness::Altered),
            (b"Subject: a\n\none\n\n\r\nThe end.\n", Likeness::Altered),
            (
                b"Comment: mine\nSubject: a\n\none\n\r\nThe end.\n",
                Likeness::Altered,
            ),
            (
                b"text\nSubject: a\n\none\n\r\nThe end.\n",
                Likeness::Altered,
            ),
            (
                b"\tReceived: x\nSubject: a\n\none\n\r\nThe end.\n",
                Likeness::Altered,
            ),
            (b"Subject: a\n\none\n\r\nThe end.\n\nmore\n", Likeness::Cut),
            (b"Subject: a\n\none\n", Likeness::Cut),
            (b"", Likeness::Cut),
        ] {
            assert_eq!(
                likeness(stored, MESSAGE),
                wanted,
                "{}",
                stored.escape_ascii()
            );
        }
    }

    #[test]
    fn a_line_of_its_own_shows_from_which_message_a_part_is() {
        let message = b"From: Ada <a@b>\r\nTo: Grace <c@d>\r\nDate: Mon, 01 Jan\r\n\
            Subject: x\r\n\r\n12345678\r\n123456789\r\n";
        for (stored, shares) in [
            (
                "From: Ada <a@b>\nTo: Grace <c@d>\nDate: Mon, 01 Jan\n",
                false,
            ),
            ("To: Grace <c@d>\n", false),
            ("Date: Mon, 01 Jan\n", false),
            ("12345678\n", false),
            ("123456789", true),
            ("From: Eve <e@f>\nSubject: x\n", true),
            ("Subject: y\n", false),
            ("", false),
        ] {
            assert_eq!(
                shares_a_line(stored.as_bytes(), message),
                shares,
                "{stored}"
            );
        }
    }

    #[test]
    fn a_missing_store_is_empty_but_an_unreadable_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for store in [Store::Mbox, Store::Maildir] {
            assert!(store.read(&at("nothing"), b"").unwrap().is_empty());
        }
        assert!(Store::Mbox.read(directory.path(), b"").is_err());
        fs::create_dir(at("cur")).unwrap();
        for name in ["cur/2", "cur/1"] {
            fs::write(at(name), name).unwrap();
        }
        let stored = Store::Maildir.read(directory.path(), b"").unwrap();
        assert_eq!(stored, [b"cur/1", b"cur/2"]);
        fs::write(at("new"), "").unwrap();
        assert!(Store::Maildir.read(directory.path(), b"").is_err());
    }

    #[test]
    fn splits_and_unquotes_an_mbox() {
        let octets = b"From a b\nSubject: a\n\n>From one\n>>From two\n>text\nFrom here\n\n\
            From c d\nSubject: b\n\nlast\n\n";
        assert_eq!(
            mbox(octets),
            [
                &b"Subject: a\n\nFrom one\n>From two\n>text\nFrom here\n"[..],
                b"Subject: b\n\nlast\n"
            ]
        );
        assert!(mbox(b"").is_empty());
    }
}

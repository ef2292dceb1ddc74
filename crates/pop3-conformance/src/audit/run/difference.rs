//! Describes the difference between stored octets and a message.

use std::{cmp::Ordering, iter::zip};

use super::stored::{is_added, with_lf};
use crate::report::shown;

/// The most octets of a line that are shown.
const SHOWN: usize = 40;

/// Describes where the stored octets first differ from the message, and how.
pub(super) fn difference(stored: &[u8], message: &[u8]) -> String {
    let message = with_lf(message);
    // Lines may end with LF or CRLF: the reading that matches further is right.
    let readings = [stored.to_vec(), with_lf(stored)].map(|octets| without_added(octets, &message));
    let alike = |octets: &Vec<u8>| zip(octets, &message).take_while(|(a, b)| a == b).count();
    let stored = readings.into_iter().max_by_key(alike).unwrap_or_default();
    let (stored, message) = (lines(&stored), lines(&message));
    let pairs = zip(&stored, &message);
    let at = pairs.take_while(|(stored, sent)| stored == sent).count();
    let number = at + 1;
    match (stored.get(at).copied(), message.get(at).copied()) {
        (None, _) if at == 0 => "nothing of it is there".to_owned(),
        (None, _) => format!("it ends after line {at} of {}", message.len()),
        (Some(b"\n" | b"\r\n"), None) if stored.len() == number => {
            "a blank line is added at its end".to_owned()
        }
        (Some(line), None) => format!("`{}` is added at its end", shown(line, SHOWN)),
        (Some(line), Some(sent)) => {
            let next = |lines: &[&[u8]], line: &[u8]| lines.get(at + 1) == Some(&line);
            let what = if next(&stored, sent) {
                format!("`{}` is added before it", shown(line, SHOWN))
            } else if next(&message, line) {
                "it is missing".to_owned()
            } else {
                of_a_line(line, sent, stored.get(at + 1).copied())
            };
            format!("in line {number} of {}, {what}", message.len())
        }
    }
}

/// Whether the stored octets are the message followed by more.
pub(super) fn goes_on(stored: &[u8], message: &[u8]) -> bool {
    let message = with_lf(message);
    let readings = [stored.to_vec(), with_lf(stored)];
    readings
        .into_iter()
        .any(|octets| without_added(octets, &message).starts_with(&message))
}

/// Describes the difference between a stored line, given the next one, and the line
/// that was sent.
fn of_a_line(line: &[u8], sent: &[u8], next: Option<&[u8]>) -> String {
    let without = |octets: &[u8], octet: u8| {
        let mut octets = octets.to_vec();
        octets.retain(|&one| one != octet);
        octets
    };
    let dotted = |octets: &[u8]| [b".", octets].concat();
    if line == dotted(sent) {
        return "a dot is added at its start".to_owned();
    }
    if dotted(line) == sent {
        return "the dot at its start is lost".to_owned();
    }
    for (octet, name) in [(b'\n', "LF"), (b'\r', "CR"), (0, "NUL")] {
        if without(line, octet) == without(sent, octet) {
            match line.len().cmp(&sent.len()) {
                Ordering::Less => return format!("{name} is lost"),
                Ordering::Greater => return format!("{name} is added"),
                Ordering::Equal => {}
            }
        }
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let sent = sent.strip_suffix(b"\n").unwrap_or(sent);
    let octets = sent.len();
    if let Some(rest) = sent.strip_prefix(line) {
        let goes_on = |next: &[u8]| {
            let next = next.trim_ascii_end();
            !next.is_empty() && rest.starts_with(next)
        };
        return match next.is_some_and(goes_on) {
            true => format!("a line end is added after octet {} of {octets}", line.len()),
            false => format!("it ends after octet {} of {octets}", line.len()),
        };
    }
    if let Some(rest) = line.strip_prefix(sent) {
        return format!("`{}` is added at its end", shown(rest, SHOWN));
    }
    let alike = zip(line, sent).take_while(|(a, b)| a == b).count();
    format!(
        "from octet {} on there is `{}` instead of `{}`",
        alike + 1,
        shown(&line[alike..], SHOWN),
        shown(&sent[alike..], SHOWN)
    )
}

/// Leaves out the header fields that a client adds at the top.
fn without_added(mut octets: Vec<u8>, message: &[u8]) -> Vec<u8> {
    let first = lines(message).first().copied().unwrap_or_default();
    let (mut end, mut added) = (0, 0);
    for line in lines(&octets) {
        if line == first || !is_added(&octets[..end]) {
            break;
        }
        added = end;
        end += line.len();
    }
    if is_added(&octets[..end]) {
        added = end;
    }
    octets.drain(..added);
    octets
}

fn lines(octets: &[u8]) -> Vec<&[u8]> {
    octets.split_inclusive(|&octet| octet == b'\n').collect()
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn describes_differences() {
        let message = b"Subject: a\r\n\r\n.one\r\ntwo\0 three\r\n\r\r\nThe end.\r\n";
        for (stored, wanted) in [
            (&b""[..], "nothing of it is there"),
            (b"Subject: a\n\n.one\n", "it ends after line 3 of 6"),
            (
                b"Subject: a\n\n.one\ntwo\0 three\n\r\nThe end.\n\n",
                "a blank line is added at its end",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 three\n\r\nThe end.\n.\n",
                "`.\\n` is added at its end",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 three\n\r\nThe end.\n\nmore\n",
                "`\\n` is added at its end",
            ),
            (
                b"Subject: a\n\n.one\ntwo three\0\n\r\nThe end.\n",
                "in line 4 of 6, from octet 4 on there is ` three\\x00` instead of `\\x00 three`",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0\0 three\n\r\nThe end.\n",
                "in line 4 of 6, NUL is added",
            ),
            (
                b"Subject: a\r\n\r\n.one\r\ntwo\0 three\r\n\r\r\nThe end.",
                "in line 6 of 6, LF is lost",
            ),
            (
                b"X-Mine: b\nSubject: a\n\n..one\ntwo\0 three\n\r\nThe end.\n",
                "in line 3 of 6, a dot is added at its start",
            ),
            (
                b"Subject: a\n\none\ntwo\0 three\n\r\nThe end.\n",
                "in line 3 of 6, the dot at its start is lost",
            ),
            (
                b"Subject: a\n\n.one\ntwo three\n\r\nThe end.\n",
                "in line 4 of 6, NUL is lost",
            ),
            (
                b"Subject: a\n\n.one\ntwo\n\r\nThe end.\n",
                "in line 4 of 6, it ends after octet 3 of 10",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 t\nhree\n\r\nThe end.\n",
                "in line 4 of 6, a line end is added after octet 6 of 10",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 three four\n\r\nThe end.\n",
                "in line 4 of 6, ` four` is added at its end",
            ),
            (
                b"Subject: a\n\n.one\ntwo! three\n\r\nThe end.\n",
                "in line 4 of 6, from octet 4 on there is `! three` instead of `\\x00 three`",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 three\n\nThe end.\n",
                "in line 5 of 6, CR is lost",
            ),
            (
                b"Subject: a\n\n.one\ntwo\0 three\nThe end.\n",
                "in line 5 of 6, it is missing",
            ),
            (
                b"Subject: a\n\nmore\n.one\ntwo\0 three\n\r\nThe end.\n",
                "in line 3 of 6, `more\\n` is added before it",
            ),
        ] {
            let found = difference(stored, message);
            assert_eq!(found, wanted, "{}", stored.escape_ascii());
        }
    }
}

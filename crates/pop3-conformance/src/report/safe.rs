//! Makes text safe for a report: printable, and of bounded length.

use pop3_proto::{Counted, Escaped};

use super::{MAX_EVIDENCE_LINES, MAX_LINE};

/// Shows octets of a peer: printable ASCII unchanged, everything else as `\r`, `\n`
/// or `\xNN`. Octets after the first `max` are only counted.
///
/// ```
/// use pop3_conformance::report::shown;
///
/// assert_eq!(shown(b"+OK caf\xC3\xA9\r\n", 80), r"+OK caf\xc3\xa9\r\n");
/// assert_eq!(shown(b"+OK ready", 3), "+OK [and 6 octets more]");
/// ```
#[must_use]
pub fn shown(octets: &[u8], max: usize) -> String {
    let (first, rest) = octets.split_at(max.min(octets.len()));
    let mut text = Escaped(first).to_string();
    if !rest.is_empty() {
        text.push_str(&format!(" [and {} more]", Counted(rest.len(), "octet")));
    }
    text
}

/// Makes one line safe: line ends are escaped like all other non-printable
/// characters.
pub(super) fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(MAX_LINE));
    for (at, char) in text.char_indices() {
        let before = safe.len();
        match char {
            '"' | '\'' | '\\' => safe.push(char),
            // Marks that join other letters, or change the direction of writing,
            // are escaped too.
            char => safe.extend(char.escape_debug()),
        }
        if safe.len() > MAX_LINE {
            safe.truncate(before);
            let left_out = Counted(text.len() - at, "octet");
            safe.push_str(&format!(" [and {left_out} more]"));
            break;
        }
    }
    safe
}

/// Makes lines safe. If there are too many, those in the middle are left out.
pub(super) fn lines(text: &str) -> String {
    let all: Vec<&str> = text.lines().collect();
    if all.len() <= MAX_EVIDENCE_LINES {
        return all.into_iter().map(line).collect::<Vec<_>>().join("\n");
    }
    let kept = MAX_EVIDENCE_LINES - 1;
    let (first, last) = (kept - kept / 2, kept / 2);
    let left_out = format!("[{} left out]", Counted(all.len() - kept, "line"));
    let first_lines = all[..first].iter().map(|text| line(text));
    let last_lines = all[all.len() - last..].iter().map(|text| line(text));
    first_lines
        .chain([left_out])
        .chain(last_lines)
        .collect::<Vec<_>>()
        .join("\n")
}

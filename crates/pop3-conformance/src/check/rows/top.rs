//! TOP.

use pop3_proto::Counted;

use super::{Check, Finding, Observed, Phase, listing::needs_a_message, retrieval, untestable};
use crate::{
    Strength::Must,
    check::{
        dialogue::{Reply, TroubleKind},
        observed::{Sample, split_header, split_header_of_double_cr},
    },
};

pub(super) static STATEMENTS: [Check; 1] = [Check {
    id: "C0034",
    title: "TOP sends the header, the blank line and the requested number of lines",
    strength: Must,
    phases: &[Phase::Reading],
    outlook: |_| "It shows wrong text for a message that it has not fetched yet.",
    judge: |seen, _| top(seen),
}];

pub(super) static CLAUSES: [Check; 1] = [Check {
    id: "rfc1939-top-0",
    title: "TOP with 0 lines sends no line of the body (RFC 1939 §7)",
    strength: Must,
    phases: &[Phase::Reading],
    outlook: |_| "It fetches whole messages where it wants only headers; this is slow, and the server counts each as read.",
    judge: |seen, _| top_0(seen),
}];

/// The samples that can be compared: RETR and TOP sent the same message, correctly
/// on the wire.
fn comparable(seen: &Observed) -> impl Iterator<Item = (&Sample, &Reply)> {
    let samples = seen.reading.samples.iter();
    samples
        .filter(|sample| !sample.is_suspect() && !sample.is_another_message())
        .filter_map(|sample| Some((sample, sample.message()?)))
}

fn top(seen: &Observed) -> Finding {
    if let Finding::Violation(evidence) =
        retrieval::multi_line(seen, |sample| sample.top_0.as_ref())
    {
        return Finding::Violation(evidence);
    }
    let mut compared = None;
    for (sample, message) in comparable(seen) {
        // Accept either: the server decides what ends a header.
        let splits = [
            split_header(&message.block),
            split_header_of_double_cr(&message.block),
        ];
        let (_, body) = splits[0];
        for (top, lines) in [(&sample.top_0, 0), (&sample.top_1, 1)] {
            let top = match top {
                Some(Ok(top)) if top.positive => top,
                Some(Err(trouble)) if trouble.kind == TroubleKind::NoBlock => {
                    return Finding::Violation(trouble.shown.clone());
                }
                _ => continue,
            };
            let expected = splits.map(|(header, body)| [header, first_lines(body, lines)].concat());
            // With 0 lines, the other row judges excess lines.
            let mut is_right = expected.iter().map(|expected| match lines {
                0 => top.block.starts_with(expected.trim_ascii_end()),
                _ => is_the_same(&top.block, expected),
            });
            if !is_right.any(|is_right| is_right) {
                return Finding::Violation(format!(
                    "{}\n({} came, and {} would be right)",
                    top.shown,
                    Counted(top.block.len(), "octet"),
                    expected[0].len()
                ));
            }
            if first_lines(body, 1).len() < body.len() && lines == 1 {
                compared.get_or_insert(&top.shown);
            }
        }
    }
    match compared {
        Some(shown) => Finding::Pass(shown.clone()),
        None => needs(seen, "Needs a message with two lines of text or more."),
    }
}

fn top_0(seen: &Observed) -> Finding {
    let mut compared = None;
    for (sample, message) in comparable(seen) {
        let Some(top) = sample.top() else {
            continue;
        };
        let (header, body) = split_header(&message.block);
        let is_longer = top.block.starts_with(header) && !is_the_same(&top.block, header);
        if is_longer {
            return Finding::Violation(format!(
                "{}\n(a header of {}, and {} came)",
                top.shown,
                Counted(header.len(), "octet"),
                top.block.len()
            ));
        }
        if !body.is_empty() {
            compared.get_or_insert(&top.shown);
        }
    }
    match compared {
        Some(shown) => Finding::Pass(shown.clone()),
        None => needs(seen, "Needs a message with a line of text."),
    }
}

fn needs(seen: &Observed, what: &str) -> Finding {
    match seen.reading.samples.first() {
        None => needs_a_message(seen),
        Some(sample) => match &sample.top_0 {
            Some(Ok(top)) if top.positive => untestable(what),
            Some(answer) => untestable(format!("Needs TOP:\n{}", super::shown(answer))),
            None => untestable("Needs TOP."),
        },
    }
}

/// Whether both are the same, except that a server may add a line end to a message
/// without a last line end or without a body.
fn is_the_same(top: &[u8], expected: &[u8]) -> bool {
    top == expected || top.strip_suffix(b"\r\n") == Some(expected)
}

fn first_lines(body: &[u8], lines: usize) -> &[u8] {
    if lines == 0 {
        return b"";
    }
    let end = body.windows(2).position(|octets| octets == b"\r\n");
    &body[..end.map_or(body.len(), |end| end + 2)]
}

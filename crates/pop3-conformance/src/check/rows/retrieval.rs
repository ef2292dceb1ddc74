//! RETR, and the stuffing of what it sends.

use pop3_proto::Counted;

use super::{Check, Finding, Observed, Options, Phase, listing::needs_a_message, untestable};
use crate::{
    Strength::Must,
    check::{dialogue::TroubleKind, observed::Sample},
};

pub(super) static STATEMENTS: [Check; 2] = [
    Check {
        id: "C0022",
        title: "A positive answer to RETR is a multi-line reply",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It waits for a message that does not come.",
        judge: |seen, _| multi_line(seen, |sample| Some(&sample.retr)),
    },
    Check {
        id: "C0023",
        title: "RETR sends the message with the requested number",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |profile| match profile.after_sync {
            pop3_proto::AfterSync::Delete => {
                "It stores one message under the unique-id of another, and then deletes from the server a message that it never fetched."
            }
            pop3_proto::AfterSync::Keep => {
                "It stores one message under the unique-id of another, and never fetches the other one."
            }
        },
        judge: right_message,
    },
];

pub(super) static CLAUSES: [Check; 2] = [
    Check {
        id: "rfc1939-stuffing",
        title: "A line that begins with a dot is stuffed (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "The dot is lost; if the line is a single dot, the message ends there, and the rest is read as replies.",
        judge: |seen, _| stuffing(seen),
    },
    Check {
        id: "rfc1939-stuffing-first-octet",
        title: "A dot that begins the message is stuffed (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "The message loses its first dot, and its signatures no longer match; if the line is a single dot, the message arrives empty.",
        judge: |seen, _| stuffing_first_octet(seen),
    },
];

/// Passes if a message follows a positive first line.
pub(super) fn multi_line<'a>(
    seen: &'a Observed,
    answer: fn(&'a Sample) -> Option<&'a super::Answer>,
) -> Finding {
    let mut found = None;
    for sample in &seen.reading.samples {
        match answer(sample) {
            Some(Err(trouble)) if trouble.kind == TroubleKind::NoBlock => {
                return Finding::Violation(trouble.shown.clone());
            }
            Some(Ok(reply)) if reply.positive => {
                found.get_or_insert(&reply.shown);
            }
            _ => {}
        }
    }
    match (found, seen.reading.samples.first()) {
        (Some(shown), _) => Finding::Pass(shown.clone()),
        (None, None) => needs_a_message(seen),
        (None, Some(sample)) => untestable(format!(
            "Needs a positive answer:\n{}",
            answer(sample).map_or("(not asked)", super::shown)
        )),
    }
}

fn right_message(seen: &Observed, _: &Options) -> Finding {
    let samples = &seen.reading.samples;
    // If no size in LIST is right, sizes say nothing.
    let mut exact = samples.iter().filter(|sample| {
        let octets = sample.message().map(|message| message.block.len() as u64);
        octets.is_some() && octets == sample.listed
    });
    let sizes_tell = exact.next().is_some();
    let mut compared = 0;
    for sample in samples {
        let Some(message) = sample.message() else {
            continue;
        };
        if sample.is_suspect() || (sample.top().is_none() && !sizes_tell) {
            continue;
        }
        if sample.is_another_message() {
            let top = sample.top_0.as_ref().map_or("", super::shown);
            return Finding::Violation(format!("{}\n{top}", message.shown));
        }
        // Without TOP there is only the size: it may be that of another message.
        let octets = message.block.len() as u64;
        let others = samples.iter().filter(|other| other.number != sample.number);
        let is_like_another = others.into_iter().any(|other| other.listed == Some(octets));
        if sample.top().is_none() && sample.listed != Some(octets) && is_like_another {
            return Finding::Violation(format!(
                "{}\n({}, as another message has by LIST)",
                message.shown,
                Counted(octets, "octet")
            ));
        }
        compared += 1;
    }
    match compared {
        0 | 1 => untestable("Needs two messages or more that can be retrieved."),
        _ => Finding::Pass(format!(
            "({compared} messages have the header that TOP sends, or the octets of LIST)"
        )),
    }
}

fn stuffing(seen: &Observed) -> Finding {
    let mut stuffed = None;
    for sample in &seen.reading.samples {
        let Some(message) = sample.message() else {
            continue;
        };
        let is_first = sample.loses_first_dot();
        match (message.unstuffed, &sample.after) {
            (Some(offset), _) if offset > 0 => {
                return Finding::Violation(format!(
                    "{}\n(a line with one dot, octet {offset} of the block)",
                    message.shown
                ));
            }
            (_, Some(after)) if !is_first => {
                return Finding::Violation(format!(
                    "{}\n(and after the end of the block:)\n{after}",
                    message.shown
                ));
            }
            _ => {}
        }
        let at_first = u64::from(message.block.starts_with(b"."));
        if !is_first && message.stuffed_lines > at_first {
            stuffed.get_or_insert((sample.number, message.stuffed_lines));
        }
    }
    match stuffed {
        Some((number, lines)) => Finding::Pass(format!(
            "(message {number} has {})",
            Counted(lines, "stuffed line")
        )),
        None if seen.reading.samples.is_empty() => needs_a_message(seen),
        None => untestable(
            "Needs a message with a line that begins with a dot, after the first, such as:\n\
             Subject: dots\n\n.one\n..two\n.",
        ),
    }
}

fn stuffing_first_octet(seen: &Observed) -> Finding {
    let mut stuffed = None;
    for sample in &seen.reading.samples {
        let Some(message) = sample.message() else {
            continue;
        };
        if sample.loses_first_dot() {
            return Finding::Violation(format!(
                "{}\n(LIST: {}; {} came)",
                message.shown,
                Counted(sample.listed.unwrap_or(0), "octet"),
                message.block.len()
            ));
        }
        if message.block.starts_with(b".") && !sample.may_lose_first_dot() {
            stuffed.get_or_insert(&message.shown);
        }
    }
    match stuffed {
        Some(shown) => Finding::Pass(shown.clone()),
        None if seen.reading.samples.is_empty() => needs_a_message(seen),
        None => untestable(
            "Needs a message whose first octet is a dot, such as:\n\
             .first: line\nSubject: a dot comes first\n\ntext",
        ),
    }
}

//! STAT and LIST.

use pop3_proto::{Counted, DropListing, ScanListing};

use super::{
    Check, Finding, Observed, Options, Phase, basics::each_refused, no_session, untestable, yes,
};
use crate::{
    Strength::Must,
    check::{
        dialogue::{Answer, TroubleKind},
        prober::lines,
    },
};

pub(super) static NUMBERS: [Check; 1] = [Check {
    id: "C0011",
    title: "Message-numbers count from 1 without a gap",
    strength: Must,
    phases: &[Phase::Reading],
    outlook: |_| "It requests messages by numbers that differ from the listing, and misses mail.",
    judge: numbers,
}];

pub(super) static STATEMENTS: [Check; 4] = [
    Check {
        id: "C0017",
        title: "STAT gives the number of messages and their octets",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It cannot tell whether there is mail.",
        judge: stat,
    },
    Check {
        id: "C0019",
        title: "LIST with a number gets one line, the same as in LIST",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "Nothing: it never sends this. Other clients may.",
        judge: list_one,
    },
    Check {
        id: "C0020",
        title: "LIST gets a line for each message",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It does not see messages without a line, and never fetches them.",
        judge: list,
    },
    Check {
        id: "C0021",
        title: "A scan listing is a number and the exact octets of the message",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It shows wrong sizes and progress, and its limit on message size applies to the wrong messages; a line that it cannot read hides a message.",
        judge: scan_listings,
    },
];

pub(super) static CLAUSES: [Check; 2] = [
    Check {
        id: "rfc1939-agreement",
        title: "STAT, LIST and UIDL agree on messages and octets (RFC 1939 §§5, 7)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It relies on one count for the other: it misses messages, or requests messages that do not exist.",
        judge: agreement,
    },
    Check {
        id: "rfc1939-no-such-message",
        title: "A message-number without a message is refused (RFC 1939 §5)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It never sends one; a client that does fetches or deletes another message.",
        judge: |seen, _| each_refused(&seen.reading.no_such_message, seen),
    },
];

/// The lines of a listing, if it arrived.
pub(super) fn listed(answer: &Option<Answer>, seen: &Observed) -> Result<Vec<Vec<u8>>, Finding> {
    Ok(lines(&yes(answer, seen)?.block))
}

fn stat(seen: &Observed, options: &Options) -> Finding {
    let reply = match yes(&seen.reading.stat, seen) {
        Ok(reply) => reply,
        Err(finding) => return finding,
    };
    match DropListing::parse(&reply.text, options.profile.fields) {
        Ok(_) => Finding::Pass(reply.shown.clone()),
        Err(error) => Finding::Violation(format!("{}\n({error})", reply.shown)),
    }
}

fn list_one(seen: &Observed, options: &Options) -> Finding {
    let Some((number, answer)) = &seen.reading.list_one else {
        return needs_a_message(seen);
    };
    let answer = Some(answer.clone());
    let reply = match yes(&answer, seen) {
        Ok(reply) => reply,
        Err(finding) => return finding,
    };
    let rule = options.profile.fields;
    let octets = seen.listing(rule).sizes.get(number).copied();
    match ScanListing::parse(&reply.text, rule) {
        Ok(line) if line.number.get() == *number && Some(line.octets) == octets => {
            Finding::Pass(reply.shown.clone())
        }
        Ok(_) => {
            let listed = match octets {
                Some(octets) => format!("LIST has {}", Counted(octets, "octet")),
                None => "LIST has no such line".to_owned(),
            };
            Finding::Violation(format!("{}\n({listed})", reply.shown))
        }
        Err(error) => Finding::Violation(format!("{}\n({error})", reply.shown)),
    }
}

fn list(seen: &Observed, options: &Options) -> Finding {
    let list = &seen.reading.list;
    if let Some(Err(trouble)) = list
        && trouble.kind == TroubleKind::NoBlock
    {
        return Finding::Violation(trouble.shown.clone());
    }
    let reply = match yes(list, seen) {
        Ok(reply) => reply,
        Err(finding) => return finding,
    };
    each_has_a_line(seen, options, list, &seen.reading.uidl, &reply.shown)
}

/// Passes if there is a line for each message. If only STAT disagrees with the
/// listings, STAT is wrong, which another row judges.
pub(super) fn each_has_a_line(
    seen: &Observed,
    options: &Options,
    this: &Option<Answer>,
    other: &Option<Answer>,
    shown: &str,
) -> Finding {
    let lines = listed(this, seen).map_or(0, |lines| lines.len());
    let other = listed(other, seen).ok().map(|lines| lines.len());
    let stat = seen.drop_listing(options.profile.fields);
    let messages = stat.map(|stat| stat.messages as usize);
    match (messages, other) {
        (None, None) => untestable("Needs an answer to STAT to compare with."),
        (Some(messages), _) if lines == messages => Finding::Pass(shown.to_owned()),
        (_, Some(other)) if lines == other => Finding::Pass(shown.to_owned()),
        (messages, other) => Finding::Violation(format!(
            "{shown}\n({} for {})",
            Counted(lines, "line"),
            Counted(messages.or(other).unwrap_or(0), "message")
        )),
    }
}

fn scan_listings(seen: &Observed, options: &Options) -> Finding {
    let lines = match listed(&seen.reading.list, seen) {
        Ok(lines) => lines,
        Err(finding) => return finding,
    };
    for line in &lines {
        if let Err(error) = ScanListing::parse(line, options.profile.fields) {
            let line = seen.secrets.quoted(line, 80);
            return Finding::Violation(format!("C: LIST\nS: {line}\n({error})"));
        }
    }
    let mut compared = 0;
    for sample in &seen.reading.samples {
        let (Some(message), Some(listed)) = (sample.message(), sample.listed) else {
            continue;
        };
        if sample.is_suspect() || sample.is_another_message() {
            continue;
        }
        compared += 1;
        let octets = message.block.len();
        if octets as u64 != listed {
            return Finding::Violation(format!(
                "C: LIST\nS: {} {listed}\n{}\n({} came, CRLF for each line end)",
                sample.number,
                message.shown,
                Counted(octets, "octet")
            ));
        }
    }
    match compared {
        0 => untestable("Needs a message that can be retrieved, of a mebibyte at most."),
        _ => Finding::Pass(format!(
            "({} as long as LIST says; {} not retrieved)",
            Counted(compared, "message"),
            seen.reading.not_sampled
        )),
    }
}

fn numbers(seen: &Observed, options: &Options) -> Finding {
    let lines = match listed(&seen.reading.list, seen) {
        Ok(lines) => lines,
        Err(finding) => return finding,
    };
    let rule = options.profile.fields;
    let mut next = 1_u64;
    for line in &lines {
        let Ok(listing) = ScanListing::parse(line, rule) else {
            return untestable("Needs a LIST whose lines can be read.");
        };
        if u64::from(listing.number.get()) != next {
            return Finding::Violation(format!(
                "C: LIST\nS: {}\n(where number {next} was due)",
                seen.secrets.quoted(line, 80)
            ));
        }
        next += 1;
    }
    match lines.is_empty() {
        true => needs_a_message(seen),
        false => Finding::Pass(format!("(LIST has the numbers from 1 to {})", next - 1)),
    }
}

fn agreement(seen: &Observed, options: &Options) -> Finding {
    let rule = options.profile.fields;
    let list = listed(&seen.reading.list, seen);
    let (Some(stat), Ok(list)) = (seen.drop_listing(rule), list) else {
        return untestable("Needs answers to STAT and LIST that can be read.");
    };
    let uidl = listed(&seen.reading.uidl, seen);
    let uidl = uidl.map_or(list.len(), |lines| lines.len());
    if uidl != list.len() {
        return untestable("Needs a LIST and a UIDL of as many lines.");
    }
    let listing = seen.listing(rule);
    if listing.sizes.len() != list.len() {
        return untestable("Needs a LIST whose lines can be read.");
    }
    let octets: u64 = listing
        .sizes
        .values()
        .fold(0, |sum, octets| sum.saturating_add(*octets));
    let told = format!(
        "(STAT: {}, {}; LIST: {}, {octets}; UIDL: {uidl})",
        Counted(stat.messages, "message"),
        Counted(stat.octets, "octet"),
        list.len()
    );
    match stat.messages as usize == list.len() && stat.octets == octets {
        true => Finding::Pass(told),
        false => Finding::Violation(told),
    }
}

pub(super) fn needs_a_message(seen: &Observed) -> Finding {
    match &seen.reading.list {
        Some(Ok(_)) => untestable("Needs a message in the maildrop."),
        Some(Err(trouble)) => untestable(format!("Needs an answer to LIST:\n{}", trouble.shown)),
        None => no_session(seen),
    }
}

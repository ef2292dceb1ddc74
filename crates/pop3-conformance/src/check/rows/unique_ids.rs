//! UIDL.

use std::collections::BTreeMap;

use pop3_proto::{ArgumentErrorKind, Counted, ListingErrorKind, UniqueIdListing};

use super::{
    Check, Finding, Observed, Options, Phase,
    listing::{each_has_a_line, listed, needs_a_message},
    untestable, yes,
};
use crate::{
    Strength::{Must, ShouldNot},
    check::{dialogue::TroubleKind, observed::Listing},
};

pub(super) static STATEMENTS: [Check; 5] = [
    Check {
        id: "C0036",
        title: "UIDL with a number gets one line, as UIDL has it",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "Nothing: it never asks so. Other clients may.",
        judge: uidl_one,
    },
    Check {
        id: "C0037",
        title: "UIDL gets a line for each message",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It cannot tell which of the messages it has already: it misses them, or fetches them again each time.",
        judge: uidl,
    },
    Check {
        id: "C0038",
        title: "A unique-id listing is a number and a unique-id",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |profile| match profile.is_named_in("C0038") {
            true => "It cannot read the line, and does not know the message.",
            false => {
                "It takes nothing but a number and a unique-id, as RFC 1939 has it, and does not know the message."
            }
        },
        judge: unique_id_listings,
    },
    Check {
        id: "C0039",
        title: "A unique-id has 1 to 70 printable octets, and names the same message in later sessions",
        strength: Must,
        phases: &[Phase::Reading, Phase::Again],
        outlook: |profile| match profile.after_sync {
            pop3_proto::AfterSync::Delete => {
                "It fetches mail again that it has, or takes new mail for old: it is not fetched, and may be deleted."
            }
            pop3_proto::AfterSync::Keep => {
                "It fetches all mail again at each synchronization, or takes new mail for old and never fetches it."
            }
        },
        judge: unique_ids,
    },
    Check {
        id: "C0040",
        title: "No two messages that differ have the same unique-id",
        strength: ShouldNot,
        phases: &[Phase::Reading],
        outlook: |profile| match profile.equal_unique_ids {
            pop3_proto::EqualUniqueIds::Interchangeable => {
                "It takes them for one message: one of them is never fetched, or deleted for the other (C0041)."
            }
            pop3_proto::EqualUniqueIds::Apart => {
                "It tells them apart in one session, and cannot in the next."
            }
        },
        judge: equal_unique_ids,
    },
];

fn needs_uidl(seen: &Observed) -> Finding {
    match yes(&seen.reading.uidl, seen) {
        Err(finding) => finding,
        Ok(_) => needs_a_message(seen),
    }
}

fn uidl_one(seen: &Observed, options: &Options) -> Finding {
    let Some((number, answer)) = &seen.reading.uidl_one else {
        return needs_uidl(seen);
    };
    let answer = Some(answer.clone());
    let reply = match yes(&answer, seen) {
        Ok(reply) => reply,
        Err(finding) => return finding,
    };
    let rule = options.profile.fields;
    let listing = seen.listing(rule);
    let Some(listed) = listing.unique_ids.get(number) else {
        return untestable("Needs a UIDL whose lines can be read.");
    };
    match UniqueIdListing::parse(&reply.text, rule) {
        Ok(line) if line.number.get() == *number && line.unique_id.as_bytes() == &listed[..] => {
            Finding::Pass(reply.shown.clone())
        }
        Ok(_) => Finding::Violation(format!(
            "{}\n(UIDL has {})",
            reply.shown,
            seen.secrets.quoted(listed, 80)
        )),
        Err(error) => Finding::Violation(format!("{}\n({error})", reply.shown)),
    }
}

fn uidl(seen: &Observed, options: &Options) -> Finding {
    let (uidl, list) = (&seen.reading.uidl, &seen.reading.list);
    if let Some(Err(trouble)) = uidl
        && trouble.kind == TroubleKind::NoBlock
    {
        return Finding::Violation(trouble.shown.clone());
    }
    match yes(uidl, seen) {
        Err(finding) => finding,
        Ok(reply) => each_has_a_line(seen, options, uidl, list, &reply.shown),
    }
}

/// The lines of UIDL that are no listing, by whether the unique-id is to blame.
fn malformed(seen: &Observed, options: &Options, in_unique_id: bool) -> Option<String> {
    listed(&seen.reading.uidl)?.iter().find_map(|line| {
        let error = UniqueIdListing::parse(line, options.profile.fields).err()?;
        let is_in_unique_id = matches!(error.kind(), ListingErrorKind::UniqueId(kind)
            if kind != ArgumentErrorKind::Empty);
        let line = seen.secrets.quoted(line, 100);
        (is_in_unique_id == in_unique_id).then(|| format!("C: UIDL\nS: {line}\n({error})"))
    })
}

fn unique_id_listings(seen: &Observed, options: &Options) -> Finding {
    let listing = seen.listing(options.profile.fields);
    match malformed(seen, options, false) {
        Some(evidence) => Finding::Violation(evidence),
        None if listing.unique_ids.is_empty() => needs_uidl(seen),
        None => Finding::Pass(format!("({})", Counted(listing.unique_ids.len(), "line"))),
    }
}

fn unique_ids(seen: &Observed, options: &Options) -> Finding {
    if let Some(evidence) = malformed(seen, options, true) {
        return Finding::Violation(evidence);
    }
    let rule = options.profile.fields;
    let first = seen.listing(rule);
    if first.unique_ids.is_empty() {
        return needs_uidl(seen);
    }
    let Some(again) = &seen.again else {
        return untestable("Needs a second session.");
    };
    let later = Listing::of(&again.list, &again.uidl, rule);
    let mut compared = 0;
    for sample in &seen.reading.samples {
        let number = later.number_of(&first, sample.number);
        let ids = (
            first.unique_ids.get(&sample.number),
            later.unique_ids.get(&number),
        );
        let (Some(message), Some(Ok(retrieved))) = (sample.message(), again.messages.get(&number))
        else {
            continue;
        };
        let (Some(id), Some(later_id)) = ids else {
            continue;
        };
        let is_same_message = message.block == retrieved.block;
        if is_same_message == (id == later_id) {
            compared += usize::from(is_same_message);
            continue;
        }
        let which = match is_same_message {
            true => "the message is the same",
            false => "the message is another",
        };
        return Finding::Violation(format!(
            "(UIDL: {} {}, and in a later session {number} {}; {which})",
            sample.number,
            seen.secrets.quoted(id, 80),
            seen.secrets.quoted(later_id, 80),
        ));
    }
    match compared {
        0 => untestable("Needs a message that is retrieved in two sessions."),
        _ => Finding::Pass(format!(
            "({} found again by unique-id in a later session)",
            Counted(compared, "message")
        )),
    }
}

fn equal_unique_ids(seen: &Observed, options: &Options) -> Finding {
    let listing = seen.listing(options.profile.fields);
    let mut by_id: BTreeMap<&[u8], u32> = BTreeMap::new();
    for (&number, id) in &listing.unique_ids {
        let Some(other) = by_id.insert(id, number) else {
            continue;
        };
        // Two copies of one message may have one (RFC 1939 §7).
        let message = |number| {
            let mut samples = seen.reading.samples.iter();
            let sample = samples.find(|sample| sample.number == number)?;
            sample.message()
        };
        let sizes = (listing.sizes.get(&number), listing.sizes.get(&other));
        let are_copies = match (message(number), message(other)) {
            (Some(this), Some(that)) => this.block == that.block,
            _ => sizes.0 == sizes.1,
        };
        if !are_copies {
            return Finding::Violation(format!(
                "C: UIDL\nS: {other} {id}\nS: {number} {id}",
                id = seen.secrets.quoted(id, 80)
            ));
        }
    }
    match by_id.len() {
        0 => needs_uidl(seen),
        1 => untestable("Needs two messages or more."),
        ids => Finding::Pass(format!("({ids} unique-ids)")),
    }
}

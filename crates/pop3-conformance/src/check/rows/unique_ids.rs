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
        title: "UIDL with a number gets one line, the same as in UIDL",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "Nothing: it never sends this. Other clients may.",
        judge: uidl_one,
    },
    Check {
        id: "C0037",
        title: "UIDL gets a line for each message",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It cannot know which messages it already has: it misses them, or fetches them again each time.",
        judge: uidl,
    },
    Check {
        id: "C0038",
        title: "A unique-id listing is a number and a unique-id",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |profile| match profile.is_named_in("C0038") {
            true => "It cannot read the line, and ignores the message.",
            false => {
                "It accepts only a number and a unique-id, as RFC 1939 says, and ignores the message."
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
                "It fetches mail again, or takes new mail for old, which is then not fetched and may be deleted."
            }
            pop3_proto::AfterSync::Keep => {
                "It fetches all mail again at each synchronization, or takes new mail for old and never fetches it."
            }
        },
        judge: unique_ids,
    },
    Check {
        id: "C0040",
        title: "Different messages have different unique-ids",
        strength: ShouldNot,
        phases: &[Phase::Reading],
        outlook: |profile| match profile.equal_unique_ids {
            pop3_proto::EqualUniqueIds::Interchangeable => {
                "It takes them for one message: one is never fetched, or is deleted instead of the other (C0041)."
            }
            pop3_proto::EqualUniqueIds::Apart => {
                "It distinguishes them within a session, but not in the next one."
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

/// The malformed lines of UIDL: those with an invalid unique-id, or the others.
fn malformed(seen: &Observed, options: &Options, in_unique_id: bool) -> Option<String> {
    listed(&seen.reading.uidl, seen)
        .ok()?
        .iter()
        .find_map(|line| {
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
        // Two copies of one message may share a unique-id (RFC 1939 §7).
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

//! What later sessions find.

use pop3_proto::Counted;

use super::{Check, Finding, Observed, Options, Phase, listing::needs_a_message, no_session};
use crate::{Strength::Must, check::observed::Listing};

pub(super) static CLAUSES: [Check; 1] = [Check {
    id: "maildrop-as-found",
    title: "A later session finds all messages that were there (RFC 1939 §6)",
    strength: Must,
    phases: &[Phase::Reading, Phase::Deleting, Phase::Again],
    outlook: |_| "Mail that it only looked at is gone from the server.",
    judge: as_found,
}];

/// By unique-ids, or else by sizes: that one of them changes is for another row.
fn as_found(seen: &Observed, options: &Options) -> Finding {
    let rule = options.profile.fields;
    let Some(again) = &seen.again else {
        return no_session(seen);
    };
    let (first, later) = (
        seen.listing(rule),
        Listing::of(&again.list, &again.uidl, rule),
    );
    if first.sizes.is_empty() {
        return needs_a_message(seen);
    }
    if !again.list.as_ref().is_ok_and(|reply| reply.positive) {
        return super::untestable(format!(
            "Needs a LIST in a later session:\n{}",
            super::shown(&again.list)
        ));
    }
    let mut left: Vec<u64> = later.sizes.values().copied().collect();
    let found = format!(
        "({} at first, {} later)",
        Counted(first.messages(), "message"),
        later.messages()
    );
    for (number, octets) in &first.sizes {
        let id = first.unique_ids.get(number);
        if id.is_some_and(|id| later.unique_ids.values().any(|other| other == id)) {
            continue;
        }
        match left.iter().position(|size| size == octets) {
            Some(at) => drop(left.swap_remove(at)),
            None => {
                return Finding::Violation(format!(
                    "{found}\n(message {number}, of {}, is not there any more)",
                    Counted(*octets, "octet")
                ));
            }
        }
    }
    Finding::Pass(found)
}

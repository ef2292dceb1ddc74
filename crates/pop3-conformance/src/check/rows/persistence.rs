//! The maildrop in later sessions.

use pop3_proto::Counted;

use super::{Check, Finding, Observed, Options, Phase, listing::needs_a_message, no_session};
use crate::{
    Strength::Must,
    check::observed::{Listing, Told},
};

pub(super) static CLAUSES: [Check; 1] = [Check {
    id: "maildrop-as-found",
    title: "A later session finds all messages that were there (RFC 1939 §6)",
    strength: Must,
    phases: &[Phase::Reading, Phase::Deleting, Phase::Again],
    outlook: |_| "Mail that it only read is gone from the server.",
    judge: as_found,
}];

/// Compares the maildrops by unique-ids, or else by sizes; another row judges
/// changes of these. Each message of the later session stands for only one of the
/// first.
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
    let found = format!(
        "({} at first, {} later)",
        Counted(first.messages(), "message"),
        later.messages()
    );
    let (mut missing, mut left) = (first.messages_told(), later.messages_told());
    let same_size = |this: &Told<'_>, that: &Told<'_>| this.octets == that.octets;
    let same_id = |this: &Told<'_>, that: &Told<'_>| this.id.is_some() && this.id == that.id;
    match_off(&mut missing, &mut left, |this, that| {
        same_id(this, that) && same_size(this, that)
    });
    match_off(&mut missing, &mut left, same_size);
    match_off(&mut missing, &mut left, same_id);
    match missing.first() {
        None => Finding::Pass(found),
        Some(lost) => Finding::Violation(format!(
            "{found}\n(message {}, of {}, is missing)",
            lost.number,
            Counted(lost.octets, "octet")
        )),
    }
}

/// Removes from both lists what they have in common.
fn match_off(
    missing: &mut Vec<Told<'_>>,
    left: &mut Vec<Told<'_>>,
    is_same: impl Fn(&Told<'_>, &Told<'_>) -> bool,
) {
    missing.retain(|this| {
        let at = left.iter().position(|that| is_same(this, that));
        at.map(|at| left.remove(at)).is_none()
    });
}

//! DELE and RSET.

use pop3_proto::Counted;

use super::{
    Answer, Check, Finding, Observed, Options, Phase, listing::needs_a_message, shown, untestable,
};
use crate::{
    Strength::Must,
    check::observed::{Deleting, Listing, drop_listing},
};

pub(super) static STATEMENTS: [Check; 1] = [Check {
    id: "C0026",
    title: "Commands that name a deleted message fail",
    strength: Must,
    phases: &[Phase::Deleting],
    outlook: |_| "It never sends them; a client that does believes that the message stays.",
    judge: |seen, _| with_marked(seen, named),
}];

pub(super) static CLAUSES: [Check; 2] = [
    Check {
        id: "rfc1939-deleted-unlisted",
        title: "STAT, LIST and UIDL leave out deleted messages (RFC 1939 §§5, 7)",
        strength: Must,
        phases: &[Phase::Deleting],
        outlook: |_| "If it lists again in the same session, it believes that deleted messages stay.",
        judge: unlisted,
    },
    Check {
        id: "rfc1939-rset",
        title: "RSET unmarks deleted messages (RFC 1939 §5)",
        strength: Must,
        phases: &[Phase::Deleting],
        outlook: |_| "Nothing: it never sends RSET (V0006). Other clients lose mail that they wanted to keep.",
        judge: |seen, _| with_marked(seen, rset),
    },
];

fn with_marked(seen: &Observed, judge: fn(&Deleting) -> Finding) -> Finding {
    match &seen.deleting {
        None => needs_a_message(seen),
        Some(deleting) => match &deleting.dele {
            Ok(reply) if reply.positive => judge(deleting),
            answer => untestable(format!("Needs a DELE that succeeds:\n{}", shown(answer))),
        },
    }
}

fn named(deleting: &Deleting) -> Finding {
    let mut refused = None;
    for asked in &deleting.named {
        match &asked.answer {
            Ok(reply) if reply.positive => {
                return Finding::Violation(format!("{}\n{}", shown(&deleting.dele), reply.shown));
            }
            Ok(reply) => refused = Some(&reply.shown),
            Err(_) => {}
        }
    }
    match refused {
        Some(last) => Finding::Pass(format!("{}\n{last}", shown(&deleting.dele))),
        None => untestable("Needs answers after DELE."),
    }
}

fn unlisted(seen: &Observed, options: &Options) -> Finding {
    let rule = options.profile.fields;
    let Some(deleting) = &seen.deleting else {
        return needs_a_message(seen);
    };
    if !deleting.dele.as_ref().is_ok_and(|reply| reply.positive) {
        return with_marked(seen, |_| untestable("Needs a DELE that succeeds."));
    }
    let none: Answer = Err(super::super::dialogue::Trouble::none());
    let (list, uidl) = (
        deleting.list.as_ref().unwrap_or(&none),
        deleting.uidl.as_ref().unwrap_or(&none),
    );
    let listing = Listing::of(list, uidl, rule);
    let number = deleting.number;
    if listing.sizes.contains_key(&number) {
        return Finding::Violation(format!("{}\n{}", shown(&deleting.dele), shown(list)));
    }
    if listing.unique_ids.contains_key(&number) {
        return Finding::Violation(format!("{}\n{}", shown(&deleting.dele), shown(uidl)));
    }
    let before = drop_listing(&deleting.before, rule);
    let after = deleting
        .stat
        .as_ref()
        .and_then(|stat| drop_listing(stat, rule));
    let (Some(before), Some(after)) = (before, after) else {
        return untestable("Needs answers to STAT that can be read.");
    };
    let told = format!(
        "{}\n(STAT: {}, {} before; {}, {} after)",
        shown(&deleting.dele),
        Counted(before.messages, "message"),
        Counted(before.octets, "octet"),
        after.messages,
        after.octets
    );
    match after.messages + 1 == before.messages && after.octets <= before.octets {
        true => Finding::Pass(told),
        false => Finding::Violation(told),
    }
}

fn rset(deleting: &Deleting) -> Finding {
    let (Some(rset), Some(after), Some(list)) =
        (&deleting.rset, &deleting.after, &deleting.list_after)
    else {
        return untestable("Needs an answer to RSET.");
    };
    let told = format!("{}\n{}\n{}", shown(rset), shown(after), shown(list));
    match (rset, &deleting.before, after, list) {
        (Ok(rset), ..) if !rset.positive => untestable(told),
        (Ok(_), Ok(before), Ok(after), Ok(list)) => {
            match before.text == after.text && list.positive {
                true => Finding::Pass(told),
                false => Finding::Violation(told),
            }
        }
        _ => untestable(told),
    }
}

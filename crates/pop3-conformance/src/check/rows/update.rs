//! The UPDATE state, with a maildrop made for tests.

use pop3_proto::Counted;

use super::{Check, Finding, Observed, Options, Phase, shown, untestable};
use crate::{
    Strength::{Must, ShouldNot},
    check::{
        evidence::Secrets,
        observed::{Listing, Update},
    },
};

pub(super) static CLAUSES: [Check; 3] = [
    Check {
        id: "rfc1939-dropped-connection",
        title: "A connection that ends without QUIT removes nothing (RFC 1939 §6)",
        strength: Must,
        phases: &[Phase::Update],
        outlook: |_| "If its connection breaks, mail is lost that it may not have stored.",
        judge: |seen, options| with_update(seen, options, dropped),
    },
    Check {
        id: "rfc1939-update",
        title: "After DELE and QUIT the message is gone (RFC 1939 §6)",
        strength: Must,
        phases: &[Phase::Update],
        outlook: |profile| match profile.after_sync {
            pop3_proto::AfterSync::Delete => {
                "Mail that it deleted stays on the server, and it fetches it again."
            }
            pop3_proto::AfterSync::Keep => {
                "Mail that its user wants to remove stays on the server."
            }
        },
        judge: |seen, options| with_update(seen, options, removed),
    },
    Check {
        id: "rfc1939-unique-id-reuse",
        title: "The unique-id of a removed message is not reused (RFC 1939 §7)",
        strength: ShouldNot,
        phases: &[Phase::Update],
        outlook: |_| "It takes a new message for one that it has, and never fetches it.",
        judge: |seen, options| with_update(seen, options, reused),
    },
];

fn with_update(
    seen: &Observed,
    options: &Options,
    judge: fn(&Update, &Secrets) -> Finding,
) -> Finding {
    match &seen.update {
        Some(update) => judge(update, &seen.secrets),
        None if options.destructive => untestable("Needs a maildrop with three messages or more."),
        None => untestable(
            "Needs --destructive, and a maildrop for tests with three messages or \
             more; up to two of them will be removed.",
        ),
    }
}

fn dropped(update: &Update, _: &Secrets) -> Finding {
    match &update.dropped {
        None => untestable(format!(
            "Needs a DELE that succeeds, and another session:\n{}",
            update.shown
        )),
        Some(dropped) => {
            let found = counts("dropped", &update.before, dropped);
            match dropped.messages() < update.before.messages() {
                true => Finding::Violation(format!("{}\n{found}", update.shown)),
                false => Finding::Pass(found),
            }
        }
    }
}

fn removed(update: &Update, _: &Secrets) -> Finding {
    let (Some(before), Some(quit), Some(after)) = (&update.dropped, &update.quit, &update.after)
    else {
        return untestable("Needs a DELE that succeeds, an answer to QUIT, and another session.");
    };
    let found = format!("{}\n{}", shown(quit), counts("QUIT", before, after));
    match quit {
        // The server itself says that it could not remove it (RFC 1939 §6).
        Ok(reply) if !reply.positive => untestable(found),
        _ if after.messages() + 1 == before.messages() => Finding::Pass(found),
        _ => Finding::Violation(found),
    }
}

fn reused(update: &Update, secrets: &Secrets) -> Finding {
    let (Some(id), Some(before), Some(after)) =
        (&update.deleted_id, &update.dropped, &update.after)
    else {
        return untestable("Needs UIDL, and a message that was removed.");
    };
    if after.messages() >= before.messages() {
        return untestable("Needs a message that was removed.");
    }
    let mut ids = after.unique_ids.iter();
    let copies = before.unique_ids.values().filter(|other| *other == id);
    let id_shown = secrets.quoted(id, 80);
    match ids.find(|(_, other)| *other == id) {
        // Copies of one message may have one unique-id.
        Some((number, _)) if copies.count() == 1 => Finding::Violation(format!(
            "(unique-id {id_shown} was that of a message that is gone, and is that of message {number})"
        )),
        _ => Finding::Pass(format!("(unique-id {id_shown} is gone)")),
    }
}

fn counts(how: &str, before: &Listing, after: &Listing) -> String {
    format!(
        "({} before DELE and {how}, {} after)",
        Counted(before.messages(), "message"),
        after.messages()
    )
}

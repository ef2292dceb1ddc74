//! Connection, replies and commands in general.

use super::{
    Check, Finding, Observed, Options, Phase, asked, no_session, shown, untestable, whole,
};
use crate::{
    Strength::Must,
    check::{
        dialogue::TroubleKind,
        prober::IncidentKind::{Inexact, Trouble, Unasked},
    },
};

pub(super) static STATEMENTS: [Check; 3] = [
    Check {
        id: "C0002",
        title: "The server greets on a new connection",
        strength: Must,
        phases: &[],
        outlook: |_| "The synchronization hangs until it times out, and no mail arrives.",
        judge: greets,
    },
    Check {
        id: "C0005",
        title: "CRLF ends every reply",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "The synchronization hangs at this reply.",
        judge: |seen, _| never(seen, &[TroubleKind::LineUnended]),
    },
    Check {
        id: "C0006",
        title: "CRLF and a line that is a single dot end every multi-line reply",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "The synchronization hangs in this reply.",
        judge: |seen, _| {
            never(
                seen,
                &[TroubleKind::BlockUnended, TroubleKind::BlockTooLong],
            )
        },
    },
];

pub(super) static ANSWERS: [Check; 1] = [Check {
    id: "C0014",
    title: "Every command is answered",
    strength: Must,
    phases: &[Phase::Reading],
    outlook: |_| "The synchronization hangs at this command.",
    judge: |seen, _| never_silent(seen),
}];

pub(super) static COMMANDS: [Check; 2] = [
    Check {
        id: "C0029",
        title: "NOOP is answered with +OK",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It treats the connection as broken, and ends the synchronization.",
        judge: |seen, _| match whole(&seen.reading.noop, seen) {
            Err(finding) => finding,
            Ok(reply) if reply.positive => Finding::Pass(reply.shown.clone()),
            Ok(reply) => Finding::Violation(reply.shown.clone()),
        },
    },
    Check {
        id: "C0031",
        title: "No command of RFC 1939 §§4 to 6 is missing",
        strength: Must,
        phases: &[Phase::EarlyQuit, Phase::Reading, Phase::Deleting],
        outlook: |_| "What needs the command does not work: it cannot list, fetch or delete.",
        judge: |seen, _| has_commands(seen),
    },
];

pub(super) static CLAUSES: [Check; 8] = [
    Check {
        id: "rfc1939-indicator",
        title: "Replies begin with +OK or -ERR in upper case (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It looks only at the first octet and continues; other clients may stop.",
        judge: |seen, _| match seen.incident(|kind| kind == Inexact) {
            Some(incident) => Finding::Violation(incident.shown.clone()),
            None => all_seen(seen),
        },
    },
    Check {
        id: "rfc1939-reply-length",
        title: "First lines of replies have at most 512 octets (RFC 1939 §3, RFC 2449 §4)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "Its reaction to a longer line is not known; other clients read the rest as the next reply.",
        judge: |seen, _| never(seen, &[TroubleKind::LineTooLong]),
    },
    Check {
        id: "rfc1939-one-reply",
        title: "Each command gets one reply, and nothing is sent unasked (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It takes the second reply for the answer to the next command, and from then on confuses all answers.",
        judge: |seen, _| match seen.incident(|kind| kind == Unasked) {
            Some(incident) => Finding::Violation(incident.shown.clone()),
            None => all_seen(seen),
        },
    },
    Check {
        id: "rfc1939-unknown-command",
        title: "An unknown command is answered with -ERR (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It sends extensions such as CAPA and AUTH, and hangs or fails if the server neither knows nor refuses them.",
        judge: |seen, _| refused(&seen.reading.unknown, seen),
    },
    Check {
        id: "rfc1939-state",
        title: "Commands of the TRANSACTION state are refused before login (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::EarlyQuit],
        outlook: |_| "It never sends them there; a client that does reads mail without a password.",
        judge: |seen, _| refused_before_login(seen),
    },
    Check {
        id: "rfc1939-case",
        title: "Keywords are accepted in lower case too (RFC 1939 §3)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It sends keywords in upper case and is not affected; other clients may be.",
        judge: |seen, _| match (&seen.reading.noop, &seen.reading.noop_in_lower_case) {
            (Some(Ok(upper)), Some(Ok(lower))) if upper.positive == lower.positive => {
                Finding::Pass(lower.shown.clone())
            }
            (Some(Ok(upper)), Some(Ok(lower))) => {
                Finding::Violation(format!("{}\n{}", upper.shown, lower.shown))
            }
            (_, lower) => match whole(lower, seen) {
                Err(finding) => finding,
                Ok(_) => untestable("Needs an answer to NOOP to compare with."),
            },
        },
    },
    Check {
        id: "rfc2449-command-length",
        title: "An overlong command is read as one command and refused (RFC 1939 §3, RFC 2449 §4)",
        strength: Must,
        phases: &[Phase::Reading],
        outlook: |_| "It sends no such command; if a server reads a line as two, text that a user types can become commands.",
        judge: |seen, _| long_command(seen),
    },
    Check {
        id: "rfc1939-quit",
        title: "QUIT is answered, and the server closes the connection (RFC 1939 §§4, 6)",
        strength: Must,
        phases: &[Phase::EarlyQuit, Phase::Reading],
        outlook: |_| "It has finished; on the server, the connection and perhaps the lock of the maildrop remain.",
        judge: |seen, _| quits(seen),
    },
];

fn greets(seen: &Observed, _: &Options) -> Finding {
    match &seen.greeting {
        Some(Ok(reply)) if reply.is_reply() => Finding::Pass(reply.shown.clone()),
        Some(Ok(reply)) => Finding::Violation(reply.shown.clone()),
        // The greeting arrived; other rows judge what is wrong with it.
        Some(Err(trouble)) if !trouble.kind.is_unanswered() => Finding::Pass(trouble.shown.clone()),
        Some(Err(trouble)) => Finding::Violation(trouble.shown.clone()),
        None => no_session(seen),
    }
}

/// Passes if no reply had one of these troubles.
fn never(seen: &Observed, kinds: &[TroubleKind]) -> Finding {
    let is = |kind| matches!(kind, Trouble(kind) if kinds.contains(&kind));
    match seen.incident(is) {
        Some(incident) => Finding::Violation(incident.shown.clone()),
        None => all_seen(seen),
    }
}

/// Passes a row about all replies, if there were any.
fn all_seen(seen: &Observed) -> Finding {
    match asked(&seen.reading.stat) {
        Some(answer) => Finding::Pass(shown(answer).to_owned()),
        None => no_session(seen),
    }
}

fn never_silent(seen: &Observed) -> Finding {
    // The greeting has a row of its own.
    let greeting = seen.greeting.as_ref().map(shown);
    let silent = seen.incidents.iter().find(|incident| {
        matches!(incident.kind, Trouble(kind) if kind.is_unanswered())
            && Some(&incident.shown[..]) != greeting
    });
    match silent {
        Some(incident) => Finding::Violation(incident.shown.clone()),
        None => all_seen(seen),
    }
}

fn has_commands(seen: &Observed) -> Finding {
    let reading = &seen.reading;
    // One message may be refused; all of them are not.
    let mut retrs = reading.samples.iter().map(|sample| &sample.retr);
    let retr = match retrs.clone().all(is_no) {
        true => retrs.next(),
        false => None,
    };
    let deleting = seen.deleting.as_ref();
    let early_quit = seen.early_quit.as_ref().map(|(answer, _)| answer);
    let quit = reading.quit.as_ref().map(|(answer, _)| answer);
    let answers = [
        early_quit,
        reading.stat.as_ref(),
        reading.list.as_ref(),
        retr,
        deleting.map(|deleting| &deleting.dele),
        deleting.and_then(|deleting| deleting.rset.as_ref()),
        quit,
    ];
    let mut refused = answers.into_iter().flatten().filter(|answer| is_no(answer));
    match refused.next() {
        Some(answer) => Finding::Violation(shown(answer).to_owned()),
        None => all_seen(seen),
    }
}

fn is_no(answer: &super::Answer) -> bool {
    answer.as_ref().is_ok_and(|reply| !reply.positive)
}

/// Judges a command that must be refused.
fn refused(answer: &Option<super::Answer>, seen: &Observed) -> Finding {
    match answer {
        Some(Ok(reply)) if !reply.positive => Finding::Pass(reply.shown.clone()),
        Some(Ok(reply)) => Finding::Violation(reply.shown.clone()),
        Some(Err(trouble)) if trouble.kind.is_unanswered() => {
            Finding::Violation(trouble.shown.clone())
        }
        answer => match whole(answer, seen) {
            Err(finding) => finding,
            Ok(_) => no_session(seen),
        },
    }
}

/// Judges commands that must be refused.
pub(super) fn each_refused(asked: &[crate::check::observed::Asked], seen: &Observed) -> Finding {
    let mut last = no_session(seen);
    for asked in asked {
        let answer = Some(asked.answer.clone());
        match refused(&answer, seen) {
            Finding::Violation(evidence) => return Finding::Violation(evidence),
            finding => last = finding,
        }
    }
    last
}

/// Closing the connection instead of replying reveals no mail either.
fn refused_before_login(seen: &Observed) -> Finding {
    let mut found = no_session(seen);
    for asked in &seen.early {
        match &asked.answer {
            Ok(reply) if reply.positive => return Finding::Violation(reply.shown.clone()),
            Ok(reply) => found = Finding::Pass(reply.shown.clone()),
            Err(trouble) if trouble.kind == TroubleKind::NoBlock => {
                return Finding::Violation(trouble.shown.clone());
            }
            Err(trouble) if trouble.kind.is_close() => {
                found = Finding::Pass(trouble.shown.clone());
            }
            Err(trouble) => found = untestable(trouble.shown.clone()),
        }
    }
    found
}

fn long_command(seen: &Observed) -> Finding {
    let Some(long) = &seen.reading.long_command else {
        return no_session(seen);
    };
    match (&long.answer, &long.after) {
        (Ok(reply), Some(after)) => Finding::Violation(format!(
            "(a command of {} octets)\n{}\n{after}",
            long.octets, reply.shown
        )),
        (Ok(reply), None) if reply.positive => Finding::Violation(reply.shown.clone()),
        (Ok(reply), None) => Finding::Pass(reply.shown.clone()),
        (Err(trouble), _) if trouble.kind == TroubleKind::Silent => {
            Finding::Violation(trouble.shown.clone())
        }
        // Closing the connection is a refusal too.
        (Err(trouble), _) => untestable(format!(
            "The connection gave no answer to a command of {} octets:\n{}",
            long.octets, trouble.shown
        )),
    }
}

fn quits(seen: &Observed) -> Finding {
    let quits = [&seen.early_quit, &seen.reading.quit];
    let mut found = no_session(seen);
    for (answer, ends) in quits.into_iter().flatten() {
        match answer {
            Ok(reply) if reply.positive && *ends == Some(true) => {
                if let Finding::Untestable(_) = found {
                    found = Finding::Pass(format!("{}\n(closed)", reply.shown));
                }
            }
            Ok(reply) if reply.positive && *ends == Some(false) => {
                return Finding::Violation(format!("{}\n(not closed)", reply.shown));
            }
            // Another row judges a missing reply or a refusal.
            _ => {}
        }
    }
    found
}

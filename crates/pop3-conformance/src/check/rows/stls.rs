//! STLS.

use super::{Check, Finding, Observed, Phase, ended, untestable};
use crate::{Strength::Must, check::observed::Injection};

pub(super) static CLAUSES: [Check; 3] = [
    Check {
        id: "rfc2595-stls",
        title: "STLS works where it is announced (RFC 2595 §4)",
        strength: Must,
        phases: &[],
        outlook: |_| "It cannot connect with encryption by STARTTLS.",
        judge: |seen, _| works(seen),
    },
    Check {
        id: "rfc2595-stls-discards",
        title: "Octets sent with STLS before TLS are discarded (RFC 2595 §4)",
        strength: Must,
        phases: &[Phase::Stls],
        outlook: |_| "It sends nothing with STLS, but anyone between it and the server can put commands into its session.",
        judge: |seen, _| discards(seen),
    },
    Check {
        id: "rfc2595-stls-once",
        title: "STLS is refused where TLS is active (RFC 2595 §4)",
        strength: Must,
        phases: &[Phase::Stls],
        outlook: |_| "It sends no second STLS.",
        judge: |seen, _| once(seen),
    },
];

fn works(seen: &Observed) -> Finding {
    match &seen.stls {
        Some((true, shown)) => Finding::Pass(shown.clone()),
        Some((false, shown)) => Finding::Violation(shown.clone()),
        None => not_used(),
    }
}

fn not_used() -> Finding {
    untestable("Needs a server that announces STLS, at a pop3:// URL.")
}

fn discards(seen: &Observed) -> Finding {
    match (&seen.stls_pipelined, &seen.stls) {
        (Some(Injection::Obeyed(shown)), _) => Finding::Violation(shown.clone()),
        (Some(Injection::Discarded(shown)), _) => Finding::Pass(shown.clone()),
        // Ending such a connection is just as safe.
        (Some(Injection::Ended(trouble)), _) => ended(trouble),
        (None, Some((_, shown))) => untestable(format!("Needs STLS to work:\n{shown}")),
        (None, None) => not_used(),
    }
}

fn once(seen: &Observed) -> Finding {
    match &seen.stls_again {
        Some(Ok(reply)) if !reply.positive => Finding::Pass(reply.shown.clone()),
        Some(Ok(reply)) => Finding::Violation(reply.shown.clone()),
        Some(Err(trouble)) => untestable(trouble.shown.clone()),
        None => untestable("Needs a connection under TLS."),
    }
}

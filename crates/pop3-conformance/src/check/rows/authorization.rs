//! Login.

use pop3_proto::Capability;

use super::{Check, Finding, Observed, Phase, ended, no_session, untestable};
use crate::{
    Strength::{Fact, Must},
    check::dialogue::Reply,
};

pub(super) static STATEMENTS: [Check; 2] = [
    Check {
        id: "C0009",
        title: "The server offers a way to log in that Outlook supports",
        strength: Must,
        phases: &[],
        outlook: |_| "It cannot log in.",
        judge: |seen, _| login(seen),
    },
    Check {
        id: "C0010",
        title: "After a refused login the server closes the connection, or accepts another login or QUIT",
        strength: Fact,
        phases: &[Phase::RefusedLogin],
        outlook: |profile| match profile.is_named_in("C0010") {
            true => "It asks the user for the password, and cannot send it on this connection.",
            false => "The document does not say what this release does.",
        },
        judge: |seen, _| refused_login(seen),
    },
];

fn login(seen: &Observed) -> Finding {
    if let Some(shown) = &seen.login {
        return Finding::Pass(shown.clone());
    }
    let Some(shown) = &seen.no_login else {
        return no_session(seen);
    };
    let mut lines = seen.capabilities.iter();
    let has_sasl = lines.any(|line| {
        Capability::parse(line).is_ok_and(|capability| capability.mechanisms().next().is_some())
    });
    match has_sasl {
        true => untestable(format!("Needs a login by USER or SASL PLAIN:\n{shown}")),
        false => Finding::Violation(shown.clone()),
    }
}

fn refused_login(seen: &Observed) -> Finding {
    let Some(login) = &seen.refused_login else {
        return untestable("Needs a login by USER and PASS.");
    };
    let refused: &Reply = match &login.answer {
        Ok(reply) if !reply.positive => reply,
        Ok(reply) => {
            return untestable(format!(
                "Needs a password that the server refuses, but it seems to accept any:\n{}",
                reply.shown
            ));
        }
        Err(trouble) => return untestable(trouble.shown.clone()),
    };
    match &login.after {
        None => Finding::Pass(format!("{}\n(closed)", refused.shown)),
        Some(Ok(reply)) if reply.positive => {
            Finding::Pass(format!("{}\n{}", refused.shown, reply.shown))
        }
        // A server that will close the connection may say so first.
        Some(Err(trouble)) => ended(&trouble.clone().following(&refused.shown)),
        Some(Ok(reply)) => Finding::Violation(format!("{}\n{}", refused.shown, reply.shown)),
    }
}

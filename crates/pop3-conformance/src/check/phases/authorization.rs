//! The state before login, and a login that is refused.

use pop3_proto::{Capability, ReplyKind};

use super::kind_of;
use crate::check::{
    Account, Unable,
    observed::{Asked, Observed, RefusedLogin},
    prober::Prober,
};

pub(super) fn before_login(
    prober: &mut Prober<'_>,
    seen: &mut Observed,
    quits: bool,
) -> Result<(), Unable> {
    let greeting = prober.connect()?;
    let greets = greeting.as_ref().is_ok_and(|reply| reply.positive);
    if let Ok(reply) = &greeting
        && reply.is_reply()
        && !reply.positive
    {
        return Err(Unable::Busy(reply.shown.clone()));
    }
    seen.greeting = Some(greeting);
    if !greets {
        return Ok(());
    }
    seen.capa = prober.capa();
    if !quits {
        return Ok(());
    }
    for command in ["STAT", "RETR 1"] {
        if prober.is_open() {
            let answer = prober.probe_here(command, kind_of(command));
            prober.note_silence(&answer);
            seen.early.push(Asked {
                command: command.to_owned(),
                answer,
            });
        }
    }
    if prober.is_open() {
        let answer = prober.ask_here("QUIT", ReplyKind::Line);
        seen.early_quit = Some((answer, prober.ends()));
    }
    Ok(())
}

pub(super) fn refused_login(
    prober: &mut Prober<'_>,
    account: &Account<'_>,
) -> Option<RefusedLogin> {
    let by_user = prober.announces(|capability| *capability == Capability::User)
        || prober.capabilities.is_empty();
    let greets = prober
        .connect()
        .ok()?
        .is_ok_and(|greeting| greeting.positive);
    if !by_user || !greets || prober.secure().ok()?.is_err() {
        return None;
    }
    // About as long as a real one, and harmless in a log.
    let wrong = format!("{}x", account.user);
    let wrong = if wrong == account.password {
        "wrong".to_owned()
    } else {
        wrong
    };
    let answer = prober.user_and_pass(&wrong);
    let incidents = prober.incidents.len();
    let is_refused = answer.as_ref().is_ok_and(|reply| !reply.positive);
    let after = is_refused.then(|| prober.log_in());
    // The server may close instead of accepting another command.
    if !prober.is_open() {
        prober.incidents.truncate(incidents);
    }
    if prober.is_open() {
        let _ = prober.ask_here("QUIT", ReplyKind::Line);
    }
    prober.drop_connection();
    Some(RefusedLogin { answer, after })
}

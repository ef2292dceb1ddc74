//! Before login, and a login that is refused.

use pop3_proto::{Capability, ReplyKind};

use super::kind_of;
use crate::check::{
    Account, Unable,
    lab::Lab,
    observed::{Asked, Observed, RefusedLogin},
};

pub(super) fn before_login(
    lab: &mut Lab<'_>,
    seen: &mut Observed,
    quits: bool,
) -> Result<(), Unable> {
    let greeting = lab.connect()?;
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
    seen.capa = lab.capa();
    if !quits {
        return Ok(());
    }
    for command in ["STAT", "RETR 1"] {
        if lab.is_open() {
            let answer = lab.probe_here(command, kind_of(command));
            lab.note_silence(&answer);
            seen.early.push(Asked {
                command: command.to_owned(),
                answer,
            });
        }
    }
    if lab.is_open() {
        let answer = lab.ask_here("QUIT", ReplyKind::Line);
        seen.early_quit = Some((answer, lab.ends()));
    }
    Ok(())
}

pub(super) fn refused_login(lab: &mut Lab<'_>, account: &Account<'_>) -> Option<RefusedLogin> {
    let by_user =
        lab.announces(|capability| *capability == Capability::User) || lab.capabilities.is_empty();
    let greets = lab.connect().ok()?.is_ok_and(|greeting| greeting.positive);
    if !by_user || !greets || lab.secure().ok()?.is_err() {
        return None;
    }
    // As long as the right one, and as harmless in a log.
    let wrong = format!("{}x", account.user);
    let wrong = if wrong == account.password {
        "wrong".to_owned()
    } else {
        wrong
    };
    let answer = lab.user_and_pass(&wrong);
    let incidents = lab.incidents.len();
    let after = match &answer {
        Ok(reply) if !reply.positive && lab.is_open() => Some(lab.log_in()),
        _ => None,
    };
    // It may close instead of taking another command.
    if !lab.is_open() {
        lab.incidents.truncate(incidents);
    }
    if lab.is_open() {
        let _ = lab.ask_here("QUIT", ReplyKind::Line);
    }
    lab.drop_connection();
    Some(RefusedLogin { answer, after })
}

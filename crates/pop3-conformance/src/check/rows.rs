//! The rows. Each file holds the rows on one subject; the order here is the order
//! in a report.

use super::{
    Check, Finding, Options, Phase,
    dialogue::{Answer, Reply, Trouble, TroubleKind},
    observed::Observed,
    phases::shown,
};

mod authorization;
mod basics;
mod capabilities;
mod deletion;
mod listing;
mod persistence;
mod retrieval;
mod stls;
mod top;
mod unique_ids;
mod update;

pub(super) static ALL: [&[Check]; 19] = [
    &basics::STATEMENTS,
    &authorization::STATEMENTS,
    &listing::NUMBERS,
    &basics::ANSWERS,
    &listing::STATEMENTS,
    &retrieval::STATEMENTS,
    &deletion::STATEMENTS,
    &basics::COMMANDS,
    &top::STATEMENTS,
    &unique_ids::STATEMENTS,
    &basics::CLAUSES,
    &listing::CLAUSES,
    &retrieval::CLAUSES,
    &top::CLAUSES,
    &deletion::CLAUSES,
    &persistence::CLAUSES,
    &update::CLAUSES,
    &capabilities::CLAUSES,
    &stls::CLAUSES,
];

/// Returns the reply, if it is complete; otherwise the row has nothing to judge.
fn whole<'a>(answer: &'a Option<Answer>, seen: &Observed) -> Result<&'a Reply, Finding> {
    match asked(answer) {
        None => Err(no_session(seen)),
        Some(Ok(reply)) => Ok(reply),
        Some(Err(trouble)) => Err(Finding::Untestable(format!(
            "Needs an answer that is missing:\n{}",
            trouble.shown
        ))),
    }
}

/// Returns the answer to a command, if there was a session to send it in.
fn asked(answer: &Option<Answer>) -> Option<&Answer> {
    match answer {
        Some(Err(trouble)) if trouble.kind == TroubleKind::NoSession => None,
        answer => answer.as_ref(),
    }
}

/// Returns the reply, if it is positive.
fn yes<'a>(answer: &'a Option<Answer>, seen: &Observed) -> Result<&'a Reply, Finding> {
    match whole(answer, seen)? {
        reply if reply.positive => Ok(reply),
        reply => Err(Finding::Untestable(format!(
            "Needs a positive answer:\n{}",
            reply.shown
        ))),
    }
}

fn no_session(seen: &Observed) -> Finding {
    // The row in which it failed shows the rest.
    let why = seen.cut_short().unwrap_or("(no session)");
    Finding::Untestable(format!("Needs a session: {why}"))
}

/// Passes a server that ends the connection, if the run had time to see it.
fn ended(trouble: &Trouble) -> Finding {
    match trouble.kind.is_ours() {
        true => untestable(trouble.shown.clone()),
        false => Finding::Pass(format!("{}\n(ended)", trouble.shown)),
    }
}

fn untestable(what: impl Into<String>) -> Finding {
    Finding::Untestable(what.into())
}

//! The sessions, one after the other. Each adds its observations to [`Observed`].

use pop3_proto::ReplyKind;

use super::{
    Account, Options, Phase, Unable,
    dialogue::{Answer, TroubleKind},
    observed::Observed,
    prober::Prober,
};

mod authorization;
mod deletion;
mod later;
mod reading;
mod stls;

pub(super) fn run(
    prober: &mut Prober<'_>,
    account: &Account<'_>,
    options: &Options,
    wanted: &dyn Fn(Phase) -> bool,
    progress: &mut dyn FnMut(&'static str),
) -> Result<Observed, Unable> {
    let mut seen = Observed::default();
    let rule = options.profile.fields;
    progress("greeting and capabilities");
    authorization::before_login(prober, &mut seen, wanted(Phase::EarlyQuit))?;
    // This login must succeed, or there is nothing to report.
    progress("login");
    let entered = prober.enter()?;
    if let Err(trouble) = &entered
        && trouble.kind == TroubleKind::NoLogin
    {
        seen.no_login = Some(trouble.shown.clone());
    }
    let is_tls = prober.is_tls;
    if entered.is_ok() {
        if wanted(Phase::Reading) {
            progress("reading the maildrop");
            reading::reading(prober, options, &mut seen, wanted(Phase::Pipelining));
        }
        if wanted(Phase::Stls) && is_tls {
            progress("STLS");
            seen.stls_again = stls::again(prober);
            if prober.stls.as_ref().is_some_and(|(works, _)| *works) {
                seen.stls_pipelined = stls::pipelined(prober);
            }
            prober.drop_connection();
        }
        if wanted(Phase::Deleting) {
            progress("deleting, and undoing it");
            seen.deleting = deletion::deleting(prober, &seen, rule);
        }
        if wanted(Phase::Again) {
            progress("a second session");
            seen.again = later::again(prober, options, &seen);
        }
        if wanted(Phase::RefusedLogin) {
            progress("a login with a wrong password");
            seen.refused_login = authorization::refused_login(prober, account);
        }
        if wanted(Phase::Update) && options.destructive {
            progress("deleting for good");
            seen.update = deletion::update(prober, rule);
        }
    }
    prober.drop_connection();
    seen.secrets = prober.secrets.clone();
    seen.hopeless = prober.hopeless();
    seen.stls = prober.stls.clone();
    seen.login = prober.login.clone();
    seen.capabilities = prober.capabilities.clone();
    seen.incidents = std::mem::take(&mut prober.incidents);
    Ok(seen)
}

/// The kind of the reply, if the server obeys the command after all.
fn kind_of(command: &str) -> ReplyKind {
    match command.split(' ').next() {
        Some("RETR" | "TOP") => ReplyKind::Message,
        _ => ReplyKind::Line,
    }
}

fn is_yes(answer: &Option<Answer>) -> bool {
    matches!(answer, Some(Ok(reply)) if reply.positive)
}

/// The exchange of an answer, for the report.
pub(super) fn shown(answer: &Answer) -> &str {
    match answer {
        Ok(reply) => &reply.shown,
        Err(trouble) => &trouble.shown,
    }
}

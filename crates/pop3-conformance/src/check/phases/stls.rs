//! STLS with a command sent along, and STLS under TLS.

use pop3_proto::ReplyKind;

use crate::check::{dialogue::Answer, observed::Injection, prober::Prober};

/// Sends STLS under TLS, on a connection of its own, because a server that accepts
/// it then waits for a handshake.
pub(super) fn again(prober: &mut Prober<'_>) -> Option<Answer> {
    let greets = prober
        .connect()
        .ok()?
        .is_ok_and(|greeting| greeting.positive);
    let is_secure = greets && prober.secure().ok()?.is_ok() && prober.is_tls;
    let answer = is_secure.then(|| prober.probe_here("STLS", ReplyKind::Line));
    prober.drop_connection();
    answer
}

pub(super) fn pipelined(prober: &mut Prober<'_>) -> Option<Injection> {
    if !prober
        .connect()
        .ok()?
        .is_ok_and(|greeting| greeting.positive)
    {
        return None;
    }
    prober.send_here(b"STLS\r\nCAPA\r\n").ok()?;
    let sent = "C: STLS\nC: CAPA\n(both at once)";
    let stls = match prober.read_here(ReplyKind::Line) {
        Ok(reply) => reply,
        Err(trouble) if trouble.kind.is_ours() => return None,
        Err(trouble) => return Some(Injection::Ended(format!("{sent}\n{}", trouble.shown))),
    };
    if !stls.positive {
        return Some(Injection::Discarded(format!("{sent}\n{}", stls.shown)));
    }
    let shown = format!("{sent}\n{}", stls.shown);
    match prober.start_tls() {
        Err(error) => {
            let shown = format!("{shown}\n(TLS handshake: {error})");
            return Some(Injection::Ended(shown));
        }
        Ok(before) if !before.is_empty() => {
            return Some(Injection::Obeyed(format!("{shown}\n{before}")));
        }
        Ok(_) => {}
    }
    // A reply to CAPA would precede the one to QUIT.
    let quit = prober.ask_here("QUIT", ReplyKind::Line);
    let rest = prober.linger();
    prober.drop_connection();
    let quit = match quit {
        Ok(reply) => reply.shown,
        Err(trouble) if trouble.kind.is_ours() => return None,
        Err(trouble) => return Some(Injection::Ended(format!("{shown}\n{}", trouble.shown))),
    };
    let shown = format!("{shown}\n(TLS handshake done)\n{quit}");
    Some(match rest {
        Some(rest) => Injection::Obeyed(format!("{shown}\n{rest}")),
        None => Injection::Discarded(shown),
    })
}

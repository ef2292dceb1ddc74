//! STLS with a command sent along, and STLS under TLS.

use pop3_proto::ReplyKind;

use crate::check::{dialogue::Answer, observed::Injection, prober::Prober};

/// Sends STLS under TLS, on a connection of its own, because a server that accepts
/// it then waits for a handshake.
pub(super) fn again(prober: &mut Prober<'_>) -> Option<Answer> {
    greeted(prober)?;
    prober.secure().ok()?.ok()?;
    let is_tls = prober.is_tls;
    is_tls.then(|| prober.probe_here("STLS", ReplyKind::Line))
}

fn greeted(prober: &mut Prober<'_>) -> Option<()> {
    let greeting = prober.connect().ok()?.ok()?;
    greeting.positive.then_some(())
}

pub(super) fn pipelined(prober: &mut Prober<'_>) -> Option<Injection> {
    greeted(prober)?;
    prober.send_here(b"STLS\r\nCAPA\r\n").ok()?;
    let sent = "C: STLS\nC: CAPA\n(both at once)";
    let stls = match prober.read_here(ReplyKind::Line) {
        Ok(reply) => reply,
        Err(trouble) => return Some(Injection::Ended(trouble.following(sent))),
    };
    if !stls.positive {
        return Some(Injection::Discarded(format!("{sent}\n{}", stls.shown)));
    }
    let shown = format!("{sent}\n{}", stls.shown);
    match prober.start_tls() {
        Err(error) => {
            let shown = format!("{shown}\n(TLS handshake: {error})\n(ended)");
            return Some(Injection::Discarded(shown));
        }
        Ok(before) if !before.is_empty() => {
            return Some(Injection::Obeyed(format!("{shown}\n{before}")));
        }
        Ok(_) => {}
    }
    // A reply to CAPA would precede the one to QUIT.
    let quit = prober.ask_here("QUIT", ReplyKind::Line);
    let rest = prober.linger();
    let quit = match quit {
        Ok(reply) => reply.shown,
        Err(trouble) => return Some(Injection::Ended(trouble.following(&shown))),
    };
    let shown = format!("{shown}\n(TLS handshake done)\n{quit}");
    Some(match rest {
        Some(rest) => Injection::Obeyed(format!("{shown}\n{rest}")),
        None => Injection::Discarded(shown),
    })
}

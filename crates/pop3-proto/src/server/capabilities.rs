//! CAPA, in both states (RFC 2449 §5). It announces only what applies.

use super::{Maildrop, Session, Tls, session::Phase};
use crate::Capability;

impl<M: Maildrop> Session<M> {
    pub(super) fn capabilities(&mut self) {
        let authorization = matches!(self.phase, Phase::Authorization(_));
        self.reply.line("+OK");
        let reply = &mut self.reply;
        if self.config.takes_plaintext(self.tls) {
            reply.line(Capability::User);
        }
        let mechanisms: Vec<&str> = self.config.usable_mechanisms(self.tls).collect();
        if !mechanisms.is_empty() {
            reply.line(Capability::Sasl(&mechanisms.join(" ")));
        }
        for capability in [
            Capability::Top,
            Capability::Uidl,
            Capability::Pipelining,
            Capability::RespCodes,
            Capability::AuthRespCode,
            Capability::Lang,
        ] {
            reply.line(capability);
        }
        if let Some(days) = self.config.expire {
            reply.line(Capability::Expire {
                days,
                per_user: false,
            });
        }
        if let Some(seconds) = self.config.login_delay {
            reply.line(Capability::LoginDelay {
                seconds,
                per_user: false,
            });
        }
        // Announced only where it can be sent (RFC 2595 §4).
        if authorization && self.tls == Tls::Offered {
            reply.line(Capability::Stls);
        }
        if self.config.utf8 {
            reply.line(Capability::Utf8 {
                user: self.config.takes_utf8_names(),
            });
        }
        if let Some(name) = &self.config.implementation {
            reply.line(Capability::Implementation(name));
        }
        reply.line(".");
    }
}

//! From a greeting to the TRANSACTION state.

use std::{io, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pop3_proto::{Capability, IndicatorRule, ReplyKind, StatusLine};

use super::Prober;
use crate::check::{
    Account, Protection, Unable,
    dialogue::{Answer, Reply, Trouble, TroubleKind},
};

/// How often a login is tried again while the maildrop is locked by the session
/// before, and how long is waited in between.
const LOGIN_TRIES: u32 = 8;
const LOGIN_PAUSE: Duration = Duration::from_millis(500);

impl Prober<'_> {
    /// From the greeting to where a password may be sent.
    pub(in crate::check) fn secure(&mut self) -> Result<Result<(), Trouble>, Unable> {
        let protection = self.account.protection;
        if self.is_tls || protection == Protection::Implicit {
            return Ok(Ok(()));
        }
        self.capa();
        if !self.is_open() {
            return Ok(Err(Trouble::none()));
        }
        if !self.announces(|capability| *capability == Capability::Stls) {
            return match protection {
                Protection::StlsIfOffered => Ok(Ok(())),
                Protection::Stls if self.is_local => Ok(Ok(())),
                _ => Err(Unable::NoTls),
            };
        }
        let stls = self.stls()?;
        let (works, shown) = match &stls {
            Stls::Works(shown) => (true, shown),
            Stls::Refused(shown) | Stls::Fails(shown) => (false, shown),
        };
        // What there was no time for says nothing of the server.
        if works || self.network.now() < self.end {
            self.stls.get_or_insert((works, shown.clone()));
        }
        if works {
            self.capa();
            return Ok(Ok(()));
        }
        if matches!(stls, Stls::Refused(_)) && protection == Protection::StlsIfOffered {
            return Ok(Ok(()));
        }
        // The password does not go out in the clear because TLS fails.
        let kind = TroubleKind::NoSession;
        let shown = shown.clone();
        let trouble = Trouble { kind, shown };
        self.hopeless = Some(trouble.clone());
        Ok(Err(trouble))
    }

    fn stls(&mut self) -> Result<Stls, Unable> {
        let reply = match self.ask_here("STLS", ReplyKind::Line) {
            Ok(reply) => reply,
            Err(trouble) => return Ok(Stls::Fails(trouble.shown)),
        };
        if !reply.positive {
            return Ok(Stls::Refused(reply.shown));
        }
        match self.start_tls() {
            Ok(_) => Ok(Stls::Works(format!(
                "{}\n(TLS handshake done)",
                reply.shown
            ))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Unable::Certificate(error))
            }
            Err(error) => Ok(Stls::Fails(format!(
                "{}\n(TLS handshake: {error})",
                reply.shown
            ))),
        }
    }

    /// A new session in the TRANSACTION state.
    pub(in crate::check) fn enter(&mut self) -> Result<Result<(), Trouble>, Unable> {
        for _ in 0..LOGIN_TRIES {
            let greeting = match self.connect()? {
                Ok(greeting) => greeting,
                Err(trouble) => return Ok(Err(trouble)),
            };
            if !greeting.positive {
                if !self.has_logged_in {
                    return Err(Unable::Busy(greeting.shown));
                }
                if self.hopeless.is_none() {
                    self.network.pause(LOGIN_PAUSE);
                }
                continue;
            }
            if self.secure()?.is_err() {
                // CAPA is not answered: once more, without. If TLS failed, the
                // next connection is none.
                continue;
            }
            match self.log_in() {
                Err(trouble) => {
                    self.hopeless = Some(trouble.clone());
                    return Ok(Err(trouble));
                }
                Ok(reply) if reply.positive => {
                    self.has_logged_in = true;
                    self.login.get_or_insert(reply.shown);
                    return Ok(Ok(()));
                }
                Ok(reply) if !self.has_logged_in && !is_for_now(&reply) => {
                    return Err(Unable::Refused(reply.shown));
                }
                // The session before is not over for the server, maybe.
                Ok(_) => self.network.pause(LOGIN_PAUSE),
            }
        }
        let shown = "(no login any more)".to_owned();
        let kind = TroubleKind::NoSession;
        self.hopeless = Some(Trouble { kind, shown });
        Ok(Err(Trouble::none()))
    }

    /// The login, on a connection where a password may be sent.
    pub(in crate::check) fn log_in(&mut self) -> Answer {
        let by_plain = !self.announces(|capability| *capability == Capability::User)
            && self.announces(|capability| {
                let mut mechanisms = capability.mechanisms();
                mechanisms.any(|name| name.eq_ignore_ascii_case("PLAIN"))
            });
        if by_plain {
            return self.tell_here("AUTH PLAIN", &plain(self.account));
        }
        let password = self.account.password;
        self.user_and_pass(password)
    }

    /// USER and PASS, with this password.
    pub(in crate::check) fn user_and_pass(&mut self, password: &str) -> Answer {
        let user = format!("USER {}", self.account.user);
        let named = self.ask_here(&user, ReplyKind::Line)?;
        if !named.positive {
            // The name may be refused, or the command.
            let is_known = self.capabilities.is_empty()
                || self.announces(|capability| *capability == Capability::User);
            return match is_known {
                true => Ok(named),
                false => Err(Trouble {
                    kind: TroubleKind::NoLogin,
                    shown: named.shown,
                }),
            };
        }
        let mut reply = self.tell_here("PASS", password)?;
        reply.shown = format!("{}\n{}", named.shown, reply.shown);
        Ok(reply)
    }

    pub(super) fn enter_if_needed(&mut self) -> Result<(), Trouble> {
        self.notice_unasked();
        if self.is_open() {
            return Ok(());
        }
        match self.enter() {
            Ok(entered) => entered,
            // The first session got in; that this one does not is no reason to
            // throw the report away.
            Err(unable) => {
                let shown = format!("({unable})");
                let kind = TroubleKind::NoSession;
                let trouble = Trouble { kind, shown };
                self.hopeless = Some(trouble.clone());
                Err(trouble)
            }
        }
    }
}

/// What became of STLS, and what was said.
enum Stls {
    Works(String),
    /// The connection goes on in the clear.
    Refused(String),
    Fails(String),
}

/// The response to AUTH PLAIN (RFC 4616 §2).
fn plain(account: &Account<'_>) -> String {
    BASE64_STANDARD.encode(format!("\0{}\0{}", account.user, account.password))
}

/// Whether a refusal is about now, and not about the name or password
/// (RFC 2449 §8.1.2, RFC 3206 §4).
fn is_for_now(reply: &Reply) -> bool {
    let line = [b"-ERR ", &reply.text[..]].concat();
    let Ok(line) = StatusLine::parse(&line, IndicatorRule::Exact) else {
        return false;
    };
    let codes = ["IN-USE", "LOGIN-DELAY", "SYS/TEMP"];
    line.code()
        .is_some_and(|code| codes.into_iter().any(|known| code.is_within(known)))
}

//! From a greeting to the TRANSACTION state.

use std::{io, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pop3_proto::{Capability, IndicatorRule, ReplyKind, StatusLine};

use super::Prober;
use crate::check::{
    Account, Protection, Unable,
    dialogue::{Answer, Reply, Trouble, TroubleKind},
};

/// The number of tries to log in while an earlier session locks the maildrop, and
/// the pause between them.
const LOGIN_TRIES: u32 = 8;
const LOGIN_PAUSE: Duration = Duration::from_millis(500);

impl Prober<'_> {
    /// Goes from the greeting to the point where a password may be sent.
    pub(in crate::check) fn secure(&mut self) -> Result<Result<(), Trouble>, Unable> {
        let protection = self.account.protection;
        if self.is_tls {
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
        // A lack of time says nothing about the server.
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
        // Do not send the password without TLS because TLS failed.
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

    /// Opens a session and logs in.
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
                // CAPA got no answer: try once more without it. If TLS failed,
                // there is no next connection.
                continue;
            }
            match self.log_in() {
                Err(trouble) => {
                    self.hopeless = Some(trouble.clone());
                    return Ok(Err(trouble));
                }
                Ok(reply) if reply.positive => {
                    self.has_logged_in = true;
                    self.has_session = true;
                    self.login.get_or_insert(reply.shown);
                    return Ok(Ok(()));
                }
                Ok(reply) if !self.has_logged_in && !is_for_now(&reply) => {
                    return Err(Unable::Refused(reply.shown));
                }
                // The server may not have ended the previous session yet.
                Ok(_) => self.network.pause(LOGIN_PAUSE),
            }
        }
        let shown = "(the login no longer succeeds)".to_owned();
        let kind = TroubleKind::NoSession;
        self.hopeless = Some(Trouble { kind, shown });
        Ok(Err(Trouble::none()))
    }

    /// Logs in, on a connection where a password may be sent.
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

    /// Sends USER and PASS with `password`.
    pub(in crate::check) fn user_and_pass(&mut self, password: &str) -> Answer {
        let user = format!("USER {}", self.account.user);
        let named = self.ask_here(&user, ReplyKind::Line)?;
        if !named.positive {
            // The server may refuse the name or the command.
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
        if self.has_session && self.is_open() {
            return Ok(());
        }
        match self.enter() {
            Ok(entered) => entered,
            // The first login succeeded, so a later failure is no reason to discard
            // the report.
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

/// The outcome of STLS, with the exchange.
enum Stls {
    Works(String),
    /// The connection continues without TLS.
    Refused(String),
    Fails(String),
}

/// The response to AUTH PLAIN (RFC 4616 §2).
fn plain(account: &Account<'_>) -> String {
    BASE64_STANDARD.encode(format!("\0{}\0{}", account.user, account.password))
}

/// Whether a refusal is temporary, and not about the name or password (RFC 2449
/// §8.1.2, RFC 3206 §4).
fn is_for_now(reply: &Reply) -> bool {
    let line = [b"-ERR ", &reply.text[..]].concat();
    let Ok(line) = StatusLine::parse(&line, IndicatorRule::Exact) else {
        return false;
    };
    let codes = ["IN-USE", "LOGIN-DELAY", "SYS/TEMP"];
    line.code()
        .is_some_and(|code| codes.into_iter().any(|known| code.is_within(known)))
}

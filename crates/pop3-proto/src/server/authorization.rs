//! Commands of the AUTHORIZATION state, and logins.

use core::{mem, str};
use std::time::Instant;

use dot_stuffing::LineDecoder;

use super::{
    ChallengeError, Closed, Event, HiddenText, Login, Maildrop, Session, Tls, Verdict,
    maildrop::Marked,
    session::{AfterReply, Phase},
};
use crate::{ArgumentError, ArgumentErrorKind, Command, MAX_SASL_LINE};

/// The progress of a login.
pub(super) enum LoginState {
    None,
    /// USER was accepted; only PASS may follow.
    Named(String),
    /// The driver must answer.
    Asked {
        sasl: bool,
    },
    /// The client must answer a challenge.
    Response {
        lines: Box<LineDecoder<MAX_SASL_LINE>>,
        /// Whether the response is too long, and is being skipped.
        refused: bool,
    },
    /// STLS was accepted, and no octet is a command until the handshake is done.
    Tls,
}

impl<M: Maildrop> Session<M> {
    pub(super) fn authorization(&mut self, command: Command<'_>) {
        let named = self.forget_name();
        let plaintext = self.config.takes_plaintext(self.tls);
        match command {
            Command::User(_) | Command::Pass(_) if !plaintext => {
                self.refuse(match self.tls {
                    Tls::Offered => "no password is taken without TLS: send STLS first",
                    _ => "no password is taken without TLS",
                });
            }
            // RFC 6856 §2.2: only a server that announces it accepts non-ASCII
            // names.
            Command::User(name) | Command::Apop { name, .. } if !self.takes(name.as_str()) => {
                self.refuse("[AUTH] names are in ASCII here");
            }
            Command::Pass(password) if named.is_some() && !self.takes(password.expose()) => {
                self.refuse("[AUTH] passwords are in ASCII here");
            }
            Command::User(name) => {
                self.phase = Phase::Authorization(LoginState::Named(name.as_str().to_owned()));
                self.ok();
            }
            Command::Pass(password) => match named {
                Some(name) => self.ask(Login::Password {
                    name,
                    password: password.expose().into(),
                }),
                None => self.refuse("PASS comes right after USER"),
            },
            Command::Apop { name, digest } => match self.config.apop_timestamp.clone() {
                Some(timestamp) => self.ask(Login::Apop {
                    name: name.as_str().to_owned(),
                    timestamp,
                    digest: digest.expose().into(),
                }),
                None => self.refuse("APOP is not offered"),
            },
            Command::Auth {
                mechanism,
                initial_response,
            } => {
                let mechanism = mechanism.as_str().to_ascii_uppercase();
                let initial_response = initial_response.map(|response| response.expose());
                if !self.usable(&mechanism) {
                    self.refuse("no such mechanism");
                } else if initial_response.is_some_and(|text| text != "=" && !is_base64(text)) {
                    self.refuse("the initial response is not base64");
                } else {
                    self.ask(Login::Sasl {
                        mechanism,
                        initial_response: initial_response.map(HiddenText::from),
                    });
                }
            }
            Command::AuthList => {
                self.ok();
                for mechanism in self.config.usable_mechanisms(self.tls) {
                    self.reply.line(mechanism);
                }
                self.reply.line(".");
            }
            Command::Capa => self.capabilities(),
            Command::LangList => self.languages(),
            Command::Lang(range) => self.language(range),
            Command::Quit => {
                self.reply.line("+OK goodbye");
                self.end(Closed::Quit);
            }
            Command::Stls => self.stls(),
            Command::Utf8 if self.config.utf8 => {
                self.utf8 = true;
                self.ok();
            }
            _ => self.refuse("not a command of the AUTHORIZATION state"),
        }
    }

    /// Answers the login or the SASL response of an [`Event`]. With
    /// [`Verdict::Accept`] the session enters the TRANSACTION state (RFC 1939 §4),
    /// and asks the maildrop for the size of every message.
    ///
    /// If no answer is due, or the session has ended, nothing happens and the
    /// maildrop is dropped.
    pub fn answer(&mut self, now: Instant, verdict: Verdict<M>) {
        if !matches!(self.phase, Phase::Authorization(LoginState::Asked { .. })) {
            return;
        }
        self.restart_autologout(now);
        self.phase = Phase::Authorization(LoginState::None);
        match verdict {
            Verdict::Accept(maildrop) => {
                self.phase = Phase::Transaction(Marked::new(maildrop));
                self.reply.line("+OK maildrop locked and ready");
            }
            Verdict::Reject => {
                self.failed_logins = self.failed_logins.saturating_add(1);
                self.refuse("[AUTH] login failed");
            }
            Verdict::InUse => self.refuse("[IN-USE] the maildrop is locked"),
            Verdict::LoginDelay => self.refuse("[LOGIN-DELAY] the last login was just now"),
            Verdict::Temporary => self.refuse("[SYS/TEMP] try again later"),
            Verdict::Permanent => self.refuse("[SYS/PERM] the server needs repair"),
        }
    }

    /// Answers AUTH, or a SASL response, with another challenge: base64, or nothing
    /// (RFC 5034 §4). If no AUTH is waiting for an answer, nothing happens.
    ///
    /// # Errors
    ///
    /// If the challenge is not base64, its line would be longer than
    /// [`MAX_SASL_LINE`], or the exchange has had too many challenges. The session
    /// still waits for an answer.
    pub fn challenge(&mut self, now: Instant, base64: &str) -> Result<(), ChallengeError> {
        let error = |kind, offset| Err(ChallengeError::Argument(ArgumentError { kind, offset }));
        if !is_base64(base64) {
            return error(ArgumentErrorKind::Octet, 0);
        }
        let most = MAX_SASL_LINE - "+ \r\n".len();
        if base64.len() > most {
            return error(ArgumentErrorKind::TooLong, most);
        }
        if matches!(
            self.phase,
            Phase::Authorization(LoginState::Asked { sasl: true })
        ) {
            if self.challenges == self.config.challenges {
                return Err(ChallengeError::TooMany);
            }
            self.challenges += 1;
            self.restart_autologout(now);
            self.reply.line(format_args!("+ {base64}"));
            self.phase = Phase::Authorization(LoginState::Response {
                lines: Box::default(),
                refused: false,
            });
        }
        Ok(())
    }

    /// Handles the end of the TLS handshake after [`Event::StartTls`]: the session
    /// is in the AUTHORIZATION state, and has discarded what the client sent before
    /// (RFC 2595 §4). There is no second greeting. If the handshake fails, drop the
    /// session.
    ///
    /// Does nothing at any other time.
    pub fn handle_tls(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Authorization(LoginState::Tls))
            || self.after_reply != AfterReply::GoOn
        {
            return;
        }
        // USER is forgotten, a partial command was discarded, and UTF8 cannot be
        // on.
        self.tls = Tls::Active;
        self.phase = Phase::Authorization(LoginState::None);
        self.restart_autologout(now);
    }

    /// Reads the client's response to a challenge.
    pub(super) fn read_response(&mut self, now: Instant, input: &[u8]) -> usize {
        let idle = Phase::Authorization(LoginState::None);
        // Take the decoder out, so that its line does not borrow the session.
        let Phase::Authorization(LoginState::Response { mut lines, refused }) =
            mem::replace(&mut self.phase, idle)
        else {
            return 0;
        };
        let (consumed, refused) = match lines.decode(input) {
            Ok(step) => match step.event.map(str::from_utf8) {
                Some(Ok(text)) if is_base64(text) => {
                    self.restart_autologout(now);
                    self.phase = Phase::Authorization(LoginState::Asked { sasl: true });
                    self.event = Some(Event::SaslResponse(text.into()));
                    return step.consumed;
                }
                Some(_) => {
                    self.restart_autologout(now);
                    self.cancel_sasl();
                    return step.consumed;
                }
                None => (step.consumed, refused),
            },
            Err(_) => {
                lines.skip_line();
                (0, true)
            }
        };
        // The decoder holds nothing exactly after a skipped line.
        if refused && lines.finish().is_ok() {
            self.restart_autologout(now);
            self.cancel_sasl();
        } else {
            self.phase = Phase::Authorization(LoginState::Response { lines, refused });
        }
        consumed
    }

    /// Takes the name that USER gave: it is valid for one command.
    pub(super) fn forget_name(&mut self) -> Option<String> {
        match &mut self.phase {
            Phase::Authorization(exchange) => match mem::replace(exchange, LoginState::None) {
                LoginState::Named(name) => Some(name),
                other => {
                    *exchange = other;
                    None
                }
            },
            _ => None,
        }
    }

    fn stls(&mut self) {
        match self.tls {
            Tls::Offered if !self.utf8 => {
                self.phase = Phase::Authorization(LoginState::Tls);
                self.after_reply = AfterReply::StartTls;
                self.reply.line("+OK begin TLS");
            }
            Tls::Offered => self.refuse("no STLS after UTF8"),
            Tls::Active => self.refuse("TLS is active"),
            Tls::Unavailable => self.refuse("STLS is not offered"),
        }
    }

    fn takes(&self, text: &str) -> bool {
        text.is_ascii() || self.config.takes_utf8_names()
    }

    fn usable(&self, mechanism: &str) -> bool {
        let mut usable = self.config.usable_mechanisms(self.tls);
        usable.any(|name| name == mechanism)
    }

    fn ask(&mut self, login: Login) {
        let sasl = matches!(login, Login::Sasl { .. });
        self.challenges = 0;
        self.phase = Phase::Authorization(LoginState::Asked { sasl });
        self.event = Some(Event::Login(login));
    }

    fn cancel_sasl(&mut self) {
        self.event = Some(Event::SaslCanceled);
        self.refuse("authentication canceled");
    }
}

/// Whether the text is base64 with padding (RFC 4648 §4), or empty.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

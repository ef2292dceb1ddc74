//! The login: chooses the method, and decides when to try another.

use core::fmt;

use md5::{Digest, Md5};
use pop3_proto::{
    Argument, Command, Mechanism, Secret,
    client::{ClientError, Response},
};
use zeroize::Zeroizing;

use super::{
    Client, Credentials, Error, ErrorKind, Method, Refusal,
    commands::{Answer, Ask, Authenticate},
    refusal::Code,
    sasl::{self, SaslError, TokenStatus, encode, hex},
};

/// Why a login did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginError {
    /// A command of the method cannot be sent.
    Command {
        /// The method.
        method: Method,
        /// Why.
        error: ClientError,
    },
    /// A method for passwords was used with a token, or the reverse.
    Credentials(Method),
    /// The SASL exchange failed.
    Exchange {
        /// The method.
        method: Method,
        /// The error.
        error: SaslError,
    },
    /// The server offers no method for such credentials.
    NothingOffered {
        /// What the server offers: SASL mechanisms, separated by blanks.
        offered: String,
    },
    /// More than one method was tried.
    NoneWorked(Vec<LoginError>),
    /// The server refuses the login.
    Refused {
        /// The method.
        method: Method,
        /// The refusal.
        refusal: Refusal,
        /// The status of the token that it sent before, in XOAUTH2 and OAUTHBEARER.
        token_status: Option<TokenStatus>,
    },
    /// An access token is only sent under TLS (RFC 7628 §3).
    TokenNeedsTls,
}

impl LoginError {
    /// Combines the reasons why all methods failed, in order.
    fn of(mut reasons: Vec<Self>, last: Self) -> Self {
        match reasons.is_empty() {
            true => last,
            false => {
                reasons.push(last);
                Self::NoneWorked(reasons)
            }
        }
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Command { .. } | Self::Credentials(_) => ErrorKind::Usage,
            Self::NothingOffered { .. } | Self::TokenNeedsTls => ErrorKind::Authentication,
            // The last reply of the server says more than methods that could not be
            // tried.
            Self::NoneWorked(reasons) => {
                let kinds = reasons.iter().map(Self::kind);
                let mut said = kinds.filter(|kind| *kind != ErrorKind::Usage);
                said.next_back().unwrap_or(ErrorKind::Usage)
            }
            Self::Exchange { error, .. } => match error {
                SaslError::Credentials => ErrorKind::Usage,
                SaslError::Random | SaslError::Stopped => ErrorKind::Temporary,
                SaslError::ErrorOfServer | SaslError::NoSignature | SaslError::WrongSignature => {
                    ErrorKind::Authentication
                }
                _ => ErrorKind::Protocol,
            },
            Self::Refused { refusal, .. } => {
                let kind = refusal.code.as_ref().and_then(Code::kind);
                kind.unwrap_or(ErrorKind::Authentication)
            }
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { method, error } => write!(f, "login with {method}: {error}"),
            Self::Credentials(method) if method.takes_token() => {
                write!(f, "{method} needs an access token, not a password")
            }
            Self::Credentials(method) => {
                write!(f, "{method} needs a password, not an access token")
            }
            Self::Exchange { method, error } => write!(f, "login with {method}: {error}"),
            Self::NothingOffered { offered } => write!(
                f,
                "the server offers no way to log in with an access token; it offers: {offered}"
            ),
            Self::NoneWorked(reasons) => {
                let mut reasons = reasons.iter();
                if let Some(first) = reasons.next() {
                    first.fmt(f)?;
                }
                reasons.try_for_each(|reason| write!(f, "; {reason}"))
            }
            Self::TokenNeedsTls => f.write_str(
                "an access token is only sent under TLS: use pop3s://, or \
                 --dangerous-token-in-cleartext if the server is on this machine",
            ),
            Self::Refused {
                method,
                refusal,
                token_status,
            } => {
                write!(f, "login with {method}: {refusal}")?;
                match token_status {
                    Some(status) => write!(f, " (token: {status})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl core::error::Error for LoginError {}

/// The failure of one method.
enum Try {
    Accepted,
    /// The server does not accept this method, or the method cannot be used with
    /// this server or these credentials. No proof of the password was sent.
    NotThisOne(LoginError),
}

impl Client {
    /// Logs in with the best method that the server offers, then asks for the
    /// capabilities again.
    ///
    /// If the server refuses a method itself, or the method cannot be used, the
    /// next one is tried, but never after the password or a proof of it was sent.
    /// USER and PASS are the last resort, and need not be announced.
    ///
    /// Returns the method that succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::Login`], whose [kind](Error::kind) says whether the password is
    /// wrong or a later try may succeed; or a failure of the connection.
    pub async fn login(&mut self, credentials: &Credentials) -> Result<Method, Error> {
        self.check_token(credentials)?;
        let methods = match credentials {
            Credentials::OAuthToken { .. } => Method::TOKEN,
            Credentials::Password { .. } if self.is_under_tls() => Method::PASSWORD_UNDER_TLS,
            Credentials::Password { .. } => Method::PASSWORD_IN_CLEARTEXT,
        };
        self.know_capabilities().await?;
        let offered: Vec<&str> = self.announced().sasl().collect();
        let is_offered = |method: &Method| {
            !method.is_sasl()
                || offered
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(method.name()))
        };
        let secrets = self.driver.secrets();
        let offered = secrets.shown_or_remark(offered.join(" ").as_bytes());
        let methods: Vec<Method> = methods.iter().copied().filter(is_offered).collect();
        let mut reasons = Vec::new();
        for method in methods {
            let last = match self.attempt(method, credentials).await {
                Ok(Try::Accepted) => return Ok(method),
                Ok(Try::NotThisOne(reason)) => {
                    reasons.push(reason);
                    continue;
                }
                Err(Error::Login(error)) => error,
                Err(Error::Command(error)) if !reasons.is_empty() => {
                    LoginError::Command { method, error }
                }
                Err(error) => return Err(error),
            };
            return Err(LoginError::of(reasons, last).into());
        }
        let last = reasons.pop();
        let last = last.unwrap_or(LoginError::NothingOffered { offered });
        Err(LoginError::of(reasons, last).into())
    }

    /// Logs in with this method and no other, whether the server offers it or not.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login). APOP also fails if the greeting has no timestamp,
    /// or if there is no TLS and the settings do not allow that.
    pub async fn login_by(
        &mut self,
        method: Method,
        credentials: &Credentials,
    ) -> Result<(), Error> {
        let is_token = matches!(credentials, Credentials::OAuthToken { .. });
        if method.takes_token() != is_token {
            return Err(LoginError::Credentials(method).into());
        }
        self.check_token(credentials)?;
        self.know_capabilities().await?;
        match self.attempt(method, credentials).await? {
            Try::Accepted => Ok(()),
            Try::NotThisOne(error) => Err(error.into()),
        }
    }

    /// Checks that a token may be sent: it is enough to log in, so it needs TLS
    /// (RFC 7628 §3, RFC 6750 §5.3).
    fn check_token(&self, credentials: &Credentials) -> Result<(), LoginError> {
        match credentials {
            Credentials::OAuthToken { .. } if !self.is_under_tls() && !self.token_in_cleartext => {
                Err(LoginError::TokenNeedsTls)
            }
            _ => Ok(()),
        }
    }

    async fn attempt(&mut self, method: Method, credentials: &Credentials) -> Result<Try, Error> {
        self.driver.begin()?;
        self.driver.secrets_mut().keep(credentials.secret());
        let outcome = match method {
            Method::UserPass => self.user_pass(credentials).await?,
            Method::Apop => self.apop(credentials).await?,
            _ => self.sasl(method, credentials).await?,
        };
        if let Try::Accepted = outcome {
            self.refresh_capabilities().await?;
        }
        Ok(outcome)
    }

    async fn user_pass(&mut self, credentials: &Credentials) -> Result<Try, Error> {
        let user = Argument::new(credentials.user()).map_err(unusable(Method::UserPass))?;
        let password = Secret::new(credentials.secret()).map_err(unusable(Method::UserPass))?;
        self.one_line(Method::UserPass, &Command::User(user))
            .await?;
        self.one_line(Method::UserPass, &Command::Pass(password))
            .await?;
        Ok(Try::Accepted)
    }

    async fn apop(&mut self, credentials: &Credentials) -> Result<Try, Error> {
        let name = Argument::new(credentials.user()).map_err(unusable(Method::Apop))?;
        let Some(timestamp) = self.driver.session().apop_timestamp() else {
            return Err(ClientError::ApopNotOffered.into());
        };
        let digest = Md5::new_with_prefix(timestamp)
            .chain_update(credentials.secret())
            .finalize();
        let digest = Zeroizing::new(hex(&digest));
        let digest = Secret::new(&digest).map_err(unusable(Method::Apop))?;
        self.one_line(Method::Apop, &Command::Apop { name, digest })
            .await?;
        Ok(Try::Accepted)
    }

    async fn one_line(&mut self, method: Method, command: &Command<'_>) -> Result<(), Error> {
        self.driver.enqueue(command)?;
        match self.driver.run(Ask).await {
            Err(Error::Refused(refusal)) => Err(LoginError::Refused {
                method,
                refusal,
                token_status: None,
            }
            .into()),
            other => other,
        }
    }

    async fn sasl(&mut self, method: Method, credentials: &Credentials) -> Result<Try, Error> {
        let failed = |error| LoginError::Exchange { method, error };
        let mut exchange = match sasl::SaslExchange::new(method, credentials) {
            Ok(Some(exchange)) => exchange,
            Ok(None) => return Err(LoginError::Credentials(method).into()),
            Err(error) => return Ok(Try::NotThisOne(failed(error))),
        };
        let mut initial = match self.announces(method) {
            true => exchange.initial_response(),
            // RFC 5034 §3.
            false => None,
        };
        self.authenticate(method, initial.as_deref().map(Vec::as_slice))?;
        loop {
            match self.driver.run(Authenticate).await? {
                Answer::Challenge(challenge) => {
                    let ignored = initial.take().filter(|_| challenge.is_empty());
                    let response = match ignored {
                        // Ignore it: it contains nothing new.
                        Some(octets) => Ok(octets),
                        None => exchange.respond(&challenge).await,
                    };
                    match response {
                        Ok(octets) => self.respond(&octets)?,
                        Err(error) if exchange.is_unproven(error) => {
                            self.driver.abandon().await;
                            return Err(failed(error).into());
                        }
                        Err(error) => {
                            let canceled = self.cancel().await;
                            return match canceled.is_err() || exchange.has_shown_proof() {
                                true => Err(failed(error).into()),
                                false => Ok(Try::NotThisOne(failed(error))),
                            };
                        }
                    }
                }
                Answer::Accepted => {
                    return match exchange.check_success() {
                        Ok(()) => Ok(Try::Accepted),
                        Err(error) => {
                            self.driver.abandon().await;
                            Err(failed(error).into())
                        }
                    };
                }
                Answer::Refused(refusal) => {
                    let is_about_method = !exchange.has_shown_proof()
                        && refusal.code.as_ref().and_then(Code::kind).is_none();
                    let error = LoginError::Refused {
                        method,
                        refusal,
                        token_status: exchange.token_status(self.driver.secrets()),
                    };
                    return match is_about_method {
                        true => Ok(Try::NotThisOne(error)),
                        false => Err(error.into()),
                    };
                }
            }
        }
    }

    fn announces(&self, method: Method) -> bool {
        let mut mechanisms = self.announced().sasl();
        mechanisms.any(|name| name.eq_ignore_ascii_case(method.name()))
    }

    fn authenticate(&mut self, method: Method, initial: Option<&[u8]>) -> Result<(), Error> {
        let mechanism = Mechanism::new(method.name()).map_err(unusable(method))?;
        let text = initial.map(encode);
        let initial_response = match &text {
            Some(text) => Some(Secret::new(text).map_err(unusable(method))?),
            None => None,
        };
        let command = Command::Auth {
            mechanism,
            initial_response,
        };
        Ok(self.driver.enqueue(&command)?)
    }

    fn respond(&mut self, octets: &[u8]) -> Result<(), Error> {
        let text = encode(octets);
        let response = match Secret::new(&text) {
            Ok(secret) => Response::Base64(secret),
            // Base64 is always printable, or empty.
            Err(_) => Response::Empty,
        };
        Ok(self.driver.respond(response)?)
    }

    /// Cancels an exchange, so that the session can continue.
    async fn cancel(&mut self) -> Result<(), Error> {
        self.driver.respond(Response::Cancel)?;
        self.driver.run(Authenticate).await.map(drop)
    }
}

/// A name or password that cannot be sent.
fn unusable<E>(method: Method) -> impl FnOnce(E) -> Error {
    move |_| {
        Error::Login(LoginError::Exchange {
            method,
            error: SaslError::Credentials,
        })
    }
}

//! The login: which method, and when another may be tried.

use core::fmt;

use md5::{Digest, Md5};
use pop3_proto::{
    Argument, Command, Escaped, Mechanism, Secret,
    client::{ClientError, Response},
};
use zeroize::Zeroizing;

use super::{
    Client, Credentials, Error, ErrorKind, Method, Refusal,
    exchange::{Answer, Ask, Authenticate},
    refusal::Code,
    sasl::{self, SaslError, TokenStatus, encode, hex},
};

/// Why a login did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginError {
    /// A method for passwords with a token, or the other way round.
    Credentials(Method),
    /// The exchange went wrong, by the server or by what the mechanism cannot
    /// carry.
    Exchange {
        /// The method.
        method: Method,
        /// What went wrong.
        error: SaslError,
    },
    /// The server offers nothing for such credentials.
    NothingOffered {
        /// What the server offers: SASL mechanisms, separated by blanks.
        offered: String,
    },
    /// The server refuses the login.
    Refused {
        /// The method.
        method: Method,
        /// What the server said.
        refusal: Refusal,
        /// What it said of the token before, in XOAUTH2 and OAUTHBEARER.
        token_status: Option<TokenStatus>,
    },
}

impl LoginError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Credentials(_) => ErrorKind::Usage,
            Self::NothingOffered { .. } => ErrorKind::Authentication,
            Self::Exchange { error, .. } => match error {
                SaslError::Credentials => ErrorKind::Usage,
                SaslError::Random => ErrorKind::Temporary,
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
            Self::Credentials(method) if method.takes_token() => {
                write!(f, "{method} needs an access token, not a password")
            }
            Self::Credentials(method) => {
                write!(f, "{method} needs a password, not an access token")
            }
            Self::Exchange { method, error } => write!(f, "login by {method}: {error}"),
            Self::NothingOffered { offered } => write!(
                f,
                "the server offers no way to log in by an access token; it offers: {offered}"
            ),
            Self::Refused {
                method,
                refusal,
                token_status,
            } => {
                write!(f, "login by {method}: {refusal}")?;
                match token_status {
                    Some(status) => write!(f, " (token: {status})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl core::error::Error for LoginError {}

/// How a try ended that was no failure of the connection.
enum Try {
    Accepted,
    /// The server does not take this method; nothing that proves who the
    /// client is was shown.
    MethodRefused(LoginError),
}

impl Client {
    /// Logs in by the best method that the server offers, and asks for the
    /// capabilities that hold after it.
    ///
    /// If the server refuses a method itself, the next one is tried; never
    /// after the password or a proof of it was shown. USER and PASS are the
    /// last resort, and need not be announced.
    ///
    /// Returns the method that succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::Login`], whose [kind](Error::kind) says whether the password is
    /// wrong or a later try may succeed; or a failure of the connection.
    pub async fn login(&mut self, credentials: &Credentials) -> Result<Method, Error> {
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
        let mut refused = LoginError::NothingOffered {
            offered: Escaped(offered.join(" ").as_bytes()).to_string(),
        };
        let methods: Vec<Method> = methods.iter().copied().filter(is_offered).collect();
        for method in methods {
            match self.attempt(method, credentials).await? {
                Try::Accepted => return Ok(method),
                Try::MethodRefused(error) => refused = error,
            }
        }
        Err(refused.into())
    }

    /// Logs in by this method and no other, whether it is offered or not.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login); APOP also if the greeting has no timestamp,
    /// or TLS does not protect it and that was not asked for.
    pub async fn login_by(
        &mut self,
        method: Method,
        credentials: &Credentials,
    ) -> Result<(), Error> {
        let is_token = matches!(credentials, Credentials::OAuthToken { .. });
        if method.takes_token() != is_token {
            return Err(LoginError::Credentials(method).into());
        }
        self.know_capabilities().await?;
        match self.attempt(method, credentials).await? {
            Try::Accepted => Ok(()),
            Try::MethodRefused(error) => Err(error.into()),
        }
    }

    async fn attempt(&mut self, method: Method, credentials: &Credentials) -> Result<Try, Error> {
        self.wire.begin()?;
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
        self.one_line(Method::UserPass, &Command::User(user), credentials)
            .await?;
        self.one_line(Method::UserPass, &Command::Pass(password), credentials)
            .await?;
        Ok(Try::Accepted)
    }

    async fn apop(&mut self, credentials: &Credentials) -> Result<Try, Error> {
        let name = Argument::new(credentials.user()).map_err(unusable(Method::Apop))?;
        let Some(timestamp) = self.wire.session.apop_timestamp() else {
            return Err(ClientError::ApopNotOffered.into());
        };
        let digest = Md5::new_with_prefix(timestamp)
            .chain_update(credentials.secret())
            .finalize();
        let digest = Zeroizing::new(hex(&digest));
        let digest = Secret::new(&digest).map_err(unusable(Method::Apop))?;
        self.one_line(Method::Apop, &Command::Apop { name, digest }, credentials)
            .await?;
        Ok(Try::Accepted)
    }

    async fn one_line(
        &mut self,
        method: Method,
        command: &Command<'_>,
        credentials: &Credentials,
    ) -> Result<(), Error> {
        let now = self.wire.tick();
        self.wire.session.enqueue(now, command)?;
        match self.wire.run(Ask).await {
            Err(Error::Refused(refusal)) => Err(LoginError::Refused {
                method,
                refusal: refusal.without(credentials.secret()),
                token_status: None,
            }
            .into()),
            other => other,
        }
    }

    async fn sasl(&mut self, method: Method, credentials: &Credentials) -> Result<Try, Error> {
        let wrong = |error| Error::from(LoginError::Exchange { method, error });
        let Some(mut exchange) = sasl::Exchange::new(method, credentials).map_err(wrong)? else {
            return Err(LoginError::Credentials(method).into());
        };
        let mechanism = Mechanism::new(method.name()).map_err(unusable(method))?;
        let first = exchange.initial_response().map(|octets| encode(&octets));
        let initial_response = match &first {
            Some(text) => Some(Secret::new(text).map_err(unusable(method))?),
            None => None,
        };
        let command = Command::Auth {
            mechanism,
            initial_response,
        };
        let now = self.wire.tick();
        self.wire.session.enqueue(now, &command)?;
        loop {
            let answer = self.wire.run(Authenticate).await?;
            let response = match answer {
                Answer::Challenge(challenge) => exchange.respond(&challenge),
                Answer::Accepted => {
                    return match exchange.check_success() {
                        Ok(()) => Ok(Try::Accepted),
                        Err(error) => {
                            self.wire.poison();
                            Err(wrong(error))
                        }
                    };
                }
                Answer::Refused(refusal) => {
                    let is_about_method = !exchange.has_shown_proof()
                        && refusal.code.as_ref().and_then(Code::kind).is_none();
                    let error = LoginError::Refused {
                        method,
                        refusal: refusal.without(credentials.secret()),
                        token_status: exchange.token_status(),
                    };
                    return match is_about_method {
                        true => Ok(Try::MethodRefused(error)),
                        false => Err(error.into()),
                    };
                }
            };
            match response {
                Ok(octets) => self.respond(&octets)?,
                Err(error) => {
                    self.cancel().await?;
                    return Err(wrong(error));
                }
            }
        }
    }

    fn respond(&mut self, octets: &[u8]) -> Result<(), Error> {
        let now = self.wire.tick();
        let text = encode(octets);
        let response = match Secret::new(&text) {
            Ok(secret) => Response::Base64(secret),
            // Base64 is never anything but printable or empty.
            Err(_) => Response::Empty,
        };
        Ok(self.wire.session.respond(now, response)?)
    }

    /// Gives an exchange up, so that the session can go on.
    async fn cancel(&mut self) -> Result<(), Error> {
        let now = self.wire.tick();
        self.wire.session.respond(now, Response::Cancel)?;
        self.wire.run(Authenticate).await.map(drop)
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

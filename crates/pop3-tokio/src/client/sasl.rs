//! The client's side of the SASL mechanisms, without I/O: challenges in,
//! responses out.
//!
//! This uses the common cryptographic crates directly, because the two libraries
//! for SASL that were examined panic on octets that a hostile server can send, and
//! accept any number of SCRAM iterations.

mod ntlm;
mod oauth;
pub(super) mod password;
mod scram;

use core::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use self::{ntlm::Ntlm, oauth::OAuth, scram::Scram};
use super::{Credentials, Method, secrets::Secrets};
use crate::sasl::ITERATIONS;

pub use oauth::TokenStatus;

/// Octets to send in base64.
pub(super) type Octets = Zeroizing<Vec<u8>>;

/// An exchange of one mechanism.
pub(super) enum SaslExchange {
    Plain(Option<Octets>),
    /// Name and password, in the order in which the server asks for them.
    Login(std::vec::IntoIter<Octets>),
    CramMd5 {
        user: String,
        password: Octets,
        done: bool,
    },
    ScramSha1(Scram<Sha1>),
    ScramSha256(Scram<Sha256>),
    OAuth(OAuth),
    Ntlm(Ntlm),
}

impl SaslExchange {
    /// Begins an exchange; `None` if the method is not a SASL mechanism.
    pub(super) fn new(
        method: Method,
        credentials: &Credentials,
    ) -> Result<Option<Self>, SaslError> {
        let (user, secret) = (credentials.user(), credentials.secret());
        Ok(Some(match method {
            Method::Plain => Self::Plain(Some(password::plain(user, secret)?)),
            Method::Login => Self::Login(password::login(user, secret)?),
            Method::CramMd5 => Self::CramMd5 {
                user: password::checked(user, &['\0', '\r', '\n'])?.to_owned(),
                password: Zeroizing::new(secret.as_bytes().to_vec()),
                done: false,
            },
            Method::ScramSha1 => Self::ScramSha1(Scram::new(user, secret)?),
            Method::ScramSha256 => Self::ScramSha256(Scram::new(user, secret)?),
            Method::XOAuth2 => Self::OAuth(OAuth::xoauth2(user, secret)?),
            Method::OAuthBearer => Self::OAuth(OAuth::bearer(user, secret)?),
            Method::Ntlm => Self::Ntlm(Ntlm::new(user, secret)),
            Method::UserPass | Method::Apop => return Ok(None),
        }))
    }

    /// The initial response in the line of AUTH. XOAUTH2 sends it only after a
    /// challenge, because Exchange refuses it in the line; NTLM and LOGIN always
    /// work that way.
    pub(super) fn initial_response(&mut self) -> Option<Octets> {
        match self {
            Self::Plain(message) => message.take(),
            Self::ScramSha1(scram) => scram.client_first(),
            Self::ScramSha256(scram) => scram.client_first(),
            Self::OAuth(oauth) => oauth.initial_response(),
            Self::Login(_) | Self::CramMd5 { .. } | Self::Ntlm(_) => None,
        }
    }

    /// Returns the response to a challenge, which is in base64.
    pub(super) async fn respond(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        match self {
            // A challenge before the client's first message has no meaning.
            Self::Plain(message) => message.take().ok_or(SaslError::OneMore),
            Self::Login(answers) => answers.next().ok_or(SaslError::OneMore),
            Self::CramMd5 { done: true, .. } => Err(SaslError::OneMore),
            Self::CramMd5 {
                user,
                password,
                done,
            } => {
                *done = true;
                password::cram_md5(user, password, &decode(challenge)?)
            }
            Self::ScramSha1(scram) => scram.respond(challenge).await,
            Self::ScramSha256(scram) => scram.respond(challenge).await,
            Self::OAuth(oauth) => oauth.respond(challenge),
            Self::Ntlm(ntlm) => ntlm.respond(challenge),
        }
    }

    /// Whether the password, or something computed from it, was sent. Then a
    /// refusal is about the password rather than about the mechanism.
    pub(super) fn has_shown_proof(&self) -> bool {
        match self {
            Self::Plain(message) => message.is_none(),
            Self::Login(answers) => answers.len() < 2,
            Self::CramMd5 { done, .. } => *done,
            Self::ScramSha1(scram) => scram.has_shown_proof(),
            Self::ScramSha256(scram) => scram.has_shown_proof(),
            Self::OAuth(oauth) => oauth.has_shown_token(),
            Self::Ntlm(ntlm) => ntlm.has_shown_proof(),
        }
    }

    /// Checks whether the server may report success: with SCRAM only after it has
    /// proved that it knows the password.
    pub(super) fn check_success(&self) -> Result<(), SaslError> {
        let proven = match self {
            Self::ScramSha1(scram) => scram.is_proven(),
            Self::ScramSha256(scram) => scram.is_proven(),
            _ => true,
        };
        match proven {
            true => Ok(()),
            false => Err(SaslError::NoSignature),
        }
    }

    /// Whether the client has sent a proof of the password, and the server failed
    /// with `error` to prove that it knows the password too, so that it may be an
    /// impostor. An error that the server itself reports does not count.
    pub(super) fn is_unproven(&self, error: SaslError) -> bool {
        match self {
            Self::ScramSha1(_) | Self::ScramSha256(_) => {
                self.has_shown_proof() && error != SaslError::ErrorOfServer
            }
            _ => false,
        }
    }

    /// The status that the server sent for a token that it did not accept.
    pub(super) fn token_status(&self, secrets: &Secrets) -> Option<TokenStatus> {
        match self {
            Self::OAuth(oauth) => oauth.status(secrets),
            _ => None,
        }
    }
}

/// Encodes octets in base64; `=` means an empty initial response.
pub(super) fn encode(octets: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD.encode(octets))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn decode(challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
    BASE64_STANDARD
        .decode(challenge.trim_ascii())
        .map_err(|_| SaslError::NoBase64)
}

/// Why an exchange cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SaslError {
    /// The mechanism cannot send this name or password.
    Credentials,
    /// The server ended SCRAM with an error of its own.
    ErrorOfServer,
    /// A number of iterations under 4096 (RFC 7677 §4) or over 1,000,000.
    Iterations,
    /// A challenge that does not follow the mechanism.
    Malformed,
    /// A challenge that is not base64.
    NoBase64,
    /// Success without a proof that the server knows the password.
    NoSignature,
    /// A challenge after the last one of the mechanism.
    OneMore,
    /// The operating system returned no random octets.
    Random,
    /// The computation was stopped.
    Stopped,
    /// The server does not know the password, so it may be an impostor.
    WrongSignature,
}

impl fmt::Display for SaslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Credentials => "this method cannot send this name or password",
            Self::ErrorOfServer => "the server ended the exchange with an error",
            Self::Iterations => {
                let (least, most) = (ITERATIONS.start(), ITERATIONS.end());
                return write!(
                    f,
                    "the server asks for fewer than {least} or more than {most} iterations"
                );
            }
            Self::Malformed => "the challenge is malformed",
            Self::NoBase64 => "the challenge is not base64",
            Self::NoSignature => "the server did not prove that it knows the password",
            Self::OneMore => "the server sent one challenge too many",
            Self::Random => "the operating system returns no random octets",
            Self::Stopped => "the computation was stopped",
            Self::WrongSignature => {
                "the server does not know the password: it may not be the server that you expect"
            }
        };
        f.write_str(text)
    }
}

impl core::error::Error for SaslError {}

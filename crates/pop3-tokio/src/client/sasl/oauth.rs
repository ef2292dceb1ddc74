//! XOAUTH2 and OAUTHBEARER (RFC 7628).

use core::fmt;

use zeroize::Zeroizing;

use super::{Octets, SaslError, decode};
use crate::client::secrets::Secrets;

pub(in crate::client) enum Form {
    XOAuth2,
    Bearer,
}

pub(in crate::client) struct OAuth {
    form: Form,
    message: Option<Octets>,
    /// The server's status of the token, which must not be shown unchecked.
    status: Option<Zeroizing<String>>,
    answered_error: bool,
}

/// A server's reason for refusing a token (RFC 7628 §3.2.2): its `status`, such as
/// `invalid_token` or `401`, unless that repeats the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenStatus(String);

impl TokenStatus {
    /// The status, as at most 64 characters of printable ASCII; empty if the server
    /// sent none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl OAuth {
    pub(super) fn xoauth2(user: &str, token: &str) -> Result<Self, SaslError> {
        check(user, token)?;
        let message = format!("user={user}\x01auth=Bearer {token}\x01\x01");
        Ok(Self::new(Form::XOAuth2, message))
    }

    pub(super) fn bearer(user: &str, token: &str) -> Result<Self, SaslError> {
        check(user, token)?;
        // Escape the user as in SCRAM (RFC 5801 §4).
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let message = format!("n,a={user},\x01auth=Bearer {token}\x01\x01");
        Ok(Self::new(Form::Bearer, message))
    }

    fn new(form: Form, message: String) -> Self {
        Self {
            form,
            message: Some(Zeroizing::new(message.into_bytes())),
            status: None,
            answered_error: false,
        }
    }

    pub(super) fn initial_response(&mut self) -> Option<Octets> {
        match self.form {
            Form::XOAuth2 => None,
            Form::Bearer => self.message.take(),
        }
    }

    /// Returns the message or, once that is sent, the response that a server
    /// expects to its error status before it replies `-ERR`.
    pub(super) fn respond(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        if let Some(message) = self.message.take() {
            return Ok(message);
        }
        if self.answered_error {
            return Err(SaslError::OneMore);
        }
        self.answered_error = true;
        let said = decode(challenge).unwrap_or_default();
        self.status = Some(Zeroizing::new(status(&said)));
        Ok(Zeroizing::new(match self.form {
            Form::XOAuth2 => Vec::new(),
            Form::Bearer => vec![1],
        }))
    }

    pub(super) const fn has_shown_token(&self) -> bool {
        self.message.is_none()
    }

    pub(super) fn status(&self, secrets: &Secrets) -> Option<TokenStatus> {
        let status = self.status.as_ref()?;
        let shown = secrets.shown_or_remark(status.as_bytes());
        Some(TokenStatus(shown.chars().take(64).collect()))
    }
}

/// Checks that no part contains the octet that separates them.
fn check(user: &str, token: &str) -> Result<(), SaslError> {
    let clean = |text: &str| !text.is_empty() && !text.contains(char::is_control);
    match clean(user) && clean(token) {
        true => Ok(()),
        false => Err(SaslError::Credentials),
    }
}

fn status(json: &[u8]) -> String {
    let said: Option<serde_json::Value> = serde_json::from_slice(json).ok();
    let status = said.as_ref().and_then(|said| said.get("status"));
    match status {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

//! Texts of the server, for callers that read replies themselves.

use core::fmt;

use super::{Credentials, secrets::Secrets};

/// Makes texts of the server fit to be shown, by the rule for
/// [`Refusal::text`](super::Refusal::text). Knows what the connection had sent to
/// log in when [`Client::redactor`](super::Client::redactor) was called, or what
/// it was [told](Self::new).
#[derive(Clone)]
pub struct Redactor(pub(super) Secrets);

impl Redactor {
    /// For a caller that logs in by itself: knows what USER and PASS, or AUTH
    /// PLAIN, send with these credentials, the name excepted. No other login has
    /// its answers to challenges known.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        let mut secrets = Secrets::default();
        match credentials {
            Credentials::Password { user, password } => secrets.keep_password(user, password),
            Credentials::OAuthToken { token, .. } => secrets.keep(token),
        }
        Self(secrets)
    }

    /// Whether the text repeats what was sent to log in, in whatever writing.
    #[must_use]
    pub fn repeats(&self, text: &[u8]) -> bool {
        self.0.shown(text).is_none()
    }

    /// The text in at most 512 octets of printable ASCII, all else escaped; or a
    /// remark in its place if it repeats what was sent to log in, in whatever
    /// writing.
    ///
    /// Takes the text as the server sent it: words of the caller's own would be
    /// compared too.
    #[must_use]
    pub fn shown(&self, text: &[u8]) -> String {
        self.0.shown_or_remark(text)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

//! Makes texts of the server safe to show, for callers that read replies
//! themselves.

use core::fmt;

use super::{Credentials, secrets::Secrets};

/// Makes texts of the server safe to show, by the rule for
/// [`Refusal::text`](super::Refusal::text). It knows what the connection had sent
/// to log in when [`Client::redactor`](super::Client::redactor) was called, or the
/// credentials given to [`new`](Self::new).
#[derive(Clone)]
pub struct Redactor(pub(super) Secrets);

impl Redactor {
    /// A redactor for a caller that logs in itself. It knows what USER and PASS, or
    /// AUTH PLAIN, send with these credentials, except for the name. It does not
    /// know the responses of other methods.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        let mut secrets = Secrets::default();
        match credentials {
            Credentials::Password { user, password } => secrets.keep_password(user, password),
            Credentials::OAuthToken { token, .. } => secrets.keep(token),
        }
        Self(secrets)
    }

    /// Whether the text repeats what was sent to log in, in any encoding.
    #[must_use]
    pub fn repeats(&self, text: &[u8]) -> bool {
        self.0.shown(text).is_none()
    }

    /// Returns the text as at most 512 octets of printable ASCII, with everything
    /// else escaped; or a remark in its place, if it repeats what was sent to log
    /// in, in any encoding.
    ///
    /// Pass the text as the server sent it: added words would be compared too.
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

//! Texts of the server, for callers that read replies themselves.

use core::fmt;

use super::secrets::Secrets;

/// Makes texts of the server fit to be shown, by the rule for
/// [`Refusal::text`](super::Refusal::text). Knows what the connection had sent to
/// log in when [`Client::redactor`](super::Client::redactor) was called.
#[derive(Clone)]
pub struct Redactor(pub(super) Secrets);

impl Redactor {
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

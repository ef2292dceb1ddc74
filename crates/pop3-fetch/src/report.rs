//! The progress and the result of a fetch.

use crate::Plan;

/// Receives the progress of a fetch.
pub trait Report {
    /// Retrieval begins; the messages have `octets` in all.
    fn begins(&self, octets: u64);

    /// `octets` more were received.
    fn received(&self, octets: u64);

    /// Retrieval ended.
    fn ends(&self);

    /// The user should know this, but it is not a failure.
    fn warn(&self, what: &str);

    /// Returns a text of the server in printable form, without repeated secrets.
    fn shown(&self, text: &[u8]) -> String;

    /// Reports what a run without `--dry-run` would do.
    fn plan(&self, plan: &Plan);
}

/// The result of a run for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of messages delivered.
    pub delivered: usize,
    /// Their octets, as received: message octets with CRLF, unstuffed.
    pub octets: u64,
    /// The number of messages deleted on the server, confirmed by the reply to
    /// QUIT.
    pub deleted: usize,
    /// The number of new messages recorded as seen.
    pub caught_up: usize,
    /// The number of messages on the server that were delivered before.
    pub held: usize,
    /// The number of new messages left on the server because of their size.
    pub too_large: usize,
    /// The number of new messages that the limit left for the next run.
    pub over_limit: usize,
    /// The number of messages without a valid unique-id.
    pub nameless: usize,
    /// The number of messages not deleted because their size has changed since they
    /// were fetched.
    pub changed: usize,
    /// The number of messages that the server refused.
    pub refused: usize,
    /// The number of messages left on the server because the command or the LMTP
    /// server did not take them.
    pub declined: usize,
    /// The number of messages left on the server because they are in doubt.
    pub doubtful: usize,
}

impl Summary {
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.held = plan.held;
        self.too_large = plan.too_large;
        self.over_limit = plan.over_limit;
        self.nameless = plan.nameless;
        self.changed = plan.changed;
    }
}

//! What a fetch tells while it goes on, and what it came to.

use crate::Plan;

/// Who is told.
pub trait Report {
    /// Messages of `octets` in all are about to come.
    fn begins(&self, octets: u64);

    /// `octets` of them came.
    fn received(&self, octets: u64);

    /// No more come.
    fn ends(&self);

    /// Something to know that is no failure.
    fn warn(&self, what: &str);

    /// A text of the server as it may be shown: printable, and without what
    /// repeats a secret.
    fn shown(&self, text: &[u8]) -> String;

    /// What a dry run would do.
    fn plan(&self, plan: &Plan);
}

/// What was done for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages delivered.
    pub delivered: usize,
    /// Their octets, as received: message octets with CRLF, unstuffed.
    pub octets: u64,
    /// Messages deleted on the server, confirmed.
    pub deleted: usize,
    /// Messages on the server that were delivered before.
    pub held: usize,
    /// New messages left on the server because of their size.
    pub too_large: usize,
    /// New messages left for the next run by the limit.
    pub over_limit: usize,
    /// Messages without a usable unique-id.
    pub nameless: usize,
    /// Messages not deleted because their size is another than when they were
    /// fetched.
    pub changed: usize,
    /// Messages that the server refused.
    pub refused: usize,
    /// Messages left on the server because what came may not be they.
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

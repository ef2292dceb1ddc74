//! What a command or an LMTP server says about messages that it was given.

use pop3_proto::client::MaildropIndex;

use super::{plan, retrieval::Kept};
use crate::{Answer, Key, Report, Verdict, journal::nameless::is_digest};

/// Reports each answer. Returns the messages that were declined.
pub(super) fn report(answers: Vec<(Key, Answer)>, report: &dyn Report) -> Vec<(Key, Verdict)> {
    let mut declined = Vec::new();
    for (key, answer) in answers {
        let id = report.shown(&key.unique_id);
        let message = match is_digest(&key.unique_id) {
            true => format!("the message without unique-id ({id})"),
            false => format!("the message with unique-id {id}"),
        };
        let words = match answer.words.is_empty() {
            true => String::new(),
            false => format!(": {}", report.shown(&answer.words)),
        };
        let how = answer.how;
        report.warn(&match answer.verdict {
            Verdict::Accepted => format!("{message}: {how}{words}"),
            _ => format!("{message} stays on the server: {how}{words}"),
        });
        if answer.verdict != Verdict::Accepted {
            declined.push((key, answer.verdict));
        }
    }
    declined
}

/// Takes away the proofs that would allow declined messages to be deleted, and gives
/// each of these messages the key that it has in the plan.
pub(super) fn withhold(
    declined: &mut [(Key, Verdict)],
    proofs: &mut Vec<Kept>,
    maildrop: &MaildropIndex,
) {
    if declined.is_empty() {
        return;
    }
    declined.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut named = Vec::new();
    proofs.retain(|kept| {
        let own = plan::key(maildrop, kept.wanted.number, kept.wanted.copy);
        let key = kept.digest.as_deref().unwrap_or(&own);
        let found = declined.binary_search_by(|(declined, _)| declined.cmp(key));
        if let Ok(index) = found {
            named.push((index, own));
        }
        found.is_err()
    });
    for (index, own) in named {
        declined[index].0 = own;
    }
}

//! Messages that another program takes one by one.

use crate::failure::Failure;

/// The octets of an answer's words that are kept.
pub(super) const WORDS: usize = 500;

/// A group that is handed over message by message.
pub(crate) trait HandOver: Send {
    /// Hands over the message `index` of the group, except to the recipients that
    /// accepted it `earlier`. Adds those that accept it now to `accepted`, however
    /// the call ends.
    ///
    /// # Errors
    ///
    /// If no further message can be handed over. This one was not accepted by all.
    fn hand_over(
        &mut self,
        index: usize,
        earlier: &[String],
        accepted: &mut Vec<String>,
    ) -> Result<Answer, Failure>;
}

/// What a command or a server says about a message that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it took the message.
    pub verdict: Verdict,
    /// How it says so.
    pub how: String,
    /// Its own words, cut off after a few hundred octets.
    pub words: Vec<u8>,
}

/// Whether a command or a server took a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It took the message.
    Accepted,
    /// It did not, and asks to try again later.
    Deferred,
    /// It did not.
    Refused,
}

impl Answer {
    pub(super) fn new(verdict: Verdict, how: String, words: &[u8]) -> Self {
        let words = words.trim_ascii();
        Self {
            verdict,
            how,
            words: words[..words.len().min(WORDS)].to_vec(),
        }
    }

    pub(super) const fn accepted() -> Self {
        Self {
            verdict: Verdict::Accepted,
            how: String::new(),
            words: Vec::new(),
        }
    }

    /// Whether the user should see it.
    pub(super) fn is_news(&self) -> bool {
        self.verdict != Verdict::Accepted || !self.words.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_sees_remarks_and_all_that_is_declined() {
        for (verdict, words, is_news) in [
            (Verdict::Accepted, &b""[..], false),
            (Verdict::Accepted, b"remark", true),
            (Verdict::Deferred, b"", true),
            (Verdict::Refused, b"why", true),
        ] {
            let answer = Answer::new(verdict, String::new(), words);
            assert_eq!(answer.is_news(), is_news, "{answer:?}");
        }
    }
}

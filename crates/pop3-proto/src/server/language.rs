//! LANG, in both states (RFC 6856 §3). The texts of replies are in English.

use super::{Maildrop, Session};
use crate::LanguageRange;

/// The language tag of the texts.
const TAG: &str = "en";

impl<M: Maildrop> Session<M> {
    pub(super) fn languages(&mut self) {
        self.ok();
        self.reply.line(format_args!("{TAG} English"));
        self.reply.line(".");
    }

    pub(super) fn language(&mut self, range: LanguageRange<'_>) {
        match is_met(range) {
            true => self.reply.line(format_args!("+OK {TAG} English it is")),
            false => self.refuse("no such language"),
        }
    }
}

/// Whether the tag is the one to look up for a range (RFC 4647 §3.4): the range
/// may be narrower, such as `en-GB`.
fn is_met(range: LanguageRange<'_>) -> bool {
    let language = range.as_str().split('-').next().unwrap_or_default();
    range.as_str() == "*" || language.eq_ignore_ascii_case(TAG)
}

//! Text from clients, as it may stand in a log.

use core::fmt::{self, Write as _};

/// The most characters that are shown.
const SHOWN_MAX: usize = 64;

/// Text with its control characters escaped, and not too much of it.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        // Also what changes the direction of text, and quotes.
        for shown in chars.by_ref().take(SHOWN_MAX).flat_map(char::escape_debug) {
            f.write_char(shown)?;
        }
        match chars.next() {
            Some(_) => f.write_str("..."),
            None => Ok(()),
        }
    }
}

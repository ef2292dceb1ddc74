//! Text from clients, as it may stand in a log.

/// The most characters that are shown.
const SHOWN_MAX: usize = 64;

/// Text with its control characters escaped, and not too much of it.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.chars();
    // Also what changes the direction of text, and quotes.
    let escaped = chars.by_ref().take(SHOWN_MAX);
    let mut shown: String = escaped.flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        shown.push_str("...");
    }
    shown
}

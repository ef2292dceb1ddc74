//! Makes text from clients safe for the log.

/// The most characters that are shown.
const SHOWN_MAX: usize = 64;

/// Escapes non-printable characters and limits the length. Keeps quotes and
/// backslashes, because the log quotes and escapes the text itself.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown = String::new();
    for char in chars.by_ref().take(SHOWN_MAX) {
        match char {
            ' '..='~' => shown.push(char),
            // This also escapes characters that change the direction of text.
            char => shown.extend(char.escape_debug()),
        }
    }
    if chars.next().is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn escapes_what_does_not_print_and_nothing_else() {
        assert_eq!(shown("O'Neil \"x\" \\"), "O'Neil \"x\" \\");
        assert_eq!(shown("a\u{1b}[2J\u{202e}é"), "a\\u{1b}[2J\\u{202e}é");
        assert_eq!(shown(&"x".repeat(65)), format!("{}...", "x".repeat(64)));
    }
}

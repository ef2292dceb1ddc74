//! The scenarios that come with the crate. A test compares the list with the
//! directory.

use std::sync::OnceLock;

use super::Scenario;

/// Every scenario, in the order of file names; families are expanded.
#[must_use]
pub fn scenarios() -> &'static [Scenario] {
    static SCENARIOS: OnceLock<Vec<Scenario>> = OnceLock::new();
    SCENARIOS.get_or_init(|| {
        let families = FILES
            .iter()
            .flat_map(|(name, text)| Scenario::parse(name, text).ok());
        families.flatten().collect()
    })
}

/// The names and texts of the scenarios.
#[must_use]
pub const fn scenario_files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// The names and texts of files.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*]
    };
}

#[rustfmt::skip]
const FILES: &[(&str, &str)] = files![
    "capa-line-with-a-dot"
    "capa-refused"
    "capa-without-an-argument"
    "dele-refused"
    "dot-cr-octet"
    "dot-not-doubled"
    "dot-not-stuffed"
    "dot-nul"
    "dots-doubled"
    "dots-in-the-first-line"
    "eight-bit-octets"
    "empty-maildrop"
    "empty-message"
    "end-cr-dot-cr"
    "end-cr-dot-lf"
    "end-crlf-dot-lf"
    "end-dot-cr-crlf"
    "end-lf-dot-crlf"
    "end-lf-dot-lf"
    "end-without-lf"
    "eof-after-dele"
    "eof-anywhere-in-a-message"
    "eof-anywhere-in-list"
    "eof-anywhere-in-stat"
    "eof-anywhere-in-the-greeting"
    "eof-anywhere-in-the-login"
    "eof-anywhere-in-uidl"
    "eof-between-messages"
    "first-dot-not-stuffed"
    "greeting-drips"
    "greeting-full-of-brackets"
    "greeting-is-of-another-protocol"
    "greeting-missing"
    "greeting-refuses"
    "greeting-with-a-forged-stamp"
    "greeting-without-end"
    "line-of-a-mebibyte"
    "lines-at-buffer-sizes"
    "lines-of-998-octets"
    "list-counts-more"
    "list-duplicates"
    "list-line-without-end"
    "list-numbers-overflow"
    "list-refused"
    "list-sizes-too-large"
    "list-sizes-too-small"
    "list-with-blanks-and-text"
    "list-with-gaps"
    "nul-in-a-line"
    "octet-by-octet"
    "octets-after-the-end"
    "pass-refused"
    "pass-unanswered"
    "plain"
    "quit-refused"
    "replies-interleaved"
    "retr-drips"
    "retr-stops-in-the-middle"
    "retr-unanswered"
    "split-anywhere"
    "stat-above-31-bits"
    "stat-huge"
    "stat-negative"
    "stat-none"
    "stat-one"
    "stat-text"
    "stat-with-blanks-and-text"
    "status-empty"
    "status-err"
    "status-err-lower-case"
    "status-of-3000-octets"
    "status-of-512-octets"
    "status-of-600-octets"
    "status-of-70000-octets"
    "status-ok"
    "status-ok-cr-crlf"
    "status-ok-lf"
    "status-ok-lower-case"
    "status-ok-tab"
    "status-okay"
    "status-plus"
    "status-star"
    "status-text-before"
    "status-with-8-bit"
    "status-with-nul"
    "status-without-end"
    "status-without-plus"
    "stls-capa-refused"
    "stls-capabilities-change"
    "stls-closed"
    "stls-greeting-refuses"
    "stls-injected"
    "stls-injected-refusal"
    "stls-no-handshake"
    "stls-of-a-stranger"
    "stls-plain"
    "stls-refused"
    "stls-stripped"
    "stls-unanswered"
    "text-that-looks-like-replies"
    "uidl-duplicates"
    "uidl-line-with-a-dot"
    "uidl-numbers-overflow"
    "uidl-refused"
    "uidl-with-blanks"
    "unique-id-empty"
    "unique-id-too-long"
    "unique-ids-alike-to-the-70th-octet"
    "unique-ids-are-paths"
    "unique-ids-equal"
    "unique-ids-of-70-octets"
    "unique-ids-unprintable"
    "user-refused"
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::scenarios;

    /// Otherwise a client that follows the standard and ends there would be blamed
    /// for something that the scenario is not about.
    #[test]
    fn doubles_dots_except_in_scenarios_about_that() {
        let about = [
            "dot-cr-octet",
            "dot-not-doubled",
            "dot-not-stuffed",
            "dot-nul",
            "end-cr-dot-cr",
            "end-cr-dot-lf",
            "end-crlf-dot-lf",
            "end-dot-cr-crlf",
            "end-lf-dot-crlf",
            "end-lf-dot-lf",
            "end-without-lf",
            "first-dot-not-stuffed",
        ];
        let single = |line: &&[u8]| line.starts_with(b".") && !line.starts_with(b"..");
        let mut found = BTreeSet::new();
        for scenario in scenarios() {
            for message in &scenario.messages {
                let lines = message.block.split_inclusive(|&octet| octet == b'\n');
                let lines: Vec<_> = lines.filter(single).collect();
                if lines.iter().any(|line| *line != b".\r\n") {
                    found.insert(scenario.family());
                }
            }
        }
        let found: Vec<_> = found
            .into_iter()
            .filter(|name| !about.contains(name))
            .collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

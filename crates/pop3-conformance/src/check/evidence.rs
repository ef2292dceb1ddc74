//! What is shown of a dialogue: its lines, cut short, without secrets.

use std::rc::Rc;

use pop3_proto::Counted;

use crate::report::shown;

/// The most octets that are shown of one line.
const LINE_SHOWN: usize = 120;

/// The most lines that are shown of one reply.
const LINES_SHOWN: usize = 4;

/// A shorter secret is not looked for in our own words.
const SHORT: usize = 4;

/// Octets that no report may show, wherever they come from.
#[derive(Clone, Default)]
pub(super) struct Secrets(Rc<Vec<Vec<u8>>>);

impl Secrets {
    pub(super) fn new(secrets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        Self(Rc::new(secrets.collect()))
    }

    /// The octets, with `***` for each secret in them.
    fn hide(&self, octets: &[u8]) -> Vec<u8> {
        let mut left = octets;
        let mut hidden = Vec::with_capacity(octets.len());
        while let Some(&first) = left.first() {
            let found = self.0.iter().find(|secret| left.starts_with(secret));
            match found {
                Some(secret) => {
                    hidden.extend_from_slice(b"***");
                    left = &left[secret.len()..];
                }
                None => {
                    hidden.push(first);
                    left = &left[1..];
                }
            }
        }
        hidden
    }

    /// The same for text that rows have put together: a last look, since a
    /// server may put what it was told into any line.
    pub(super) fn hide_in_text(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for secret in self.0.iter().filter(|secret| secret.len() >= SHORT) {
            hidden = hidden.replace(&shown(secret, secret.len()), "***");
        }
        hidden
    }

    /// What the client sent.
    pub(super) fn sent(&self, octets: &[u8]) -> String {
        self.lines("C: ", octets)
    }

    /// What the server sent.
    pub(super) fn received(&self, octets: &[u8]) -> String {
        match octets {
            [] => "S: (nothing)".to_owned(),
            octets => self.lines("S: ", octets),
        }
    }

    fn lines(&self, side: &str, octets: &[u8]) -> String {
        // A secret that is cut in two would not be found: cut after the search,
        // but do not search what is far beyond the cut.
        let most = LINES_SHOWN * 1024;
        let hidden = self.hide(&octets[..octets.len().min(most)]);
        let mut lines = hidden.split_inclusive(|octet| *octet == b'\n');
        let mut text: Vec<String> = lines
            .by_ref()
            .take(LINES_SHOWN)
            .map(|line| format!("{side}{}", shown(without_line_end(line), LINE_SHOWN)))
            .collect();
        if lines.next().is_some() || octets.len() > most {
            text.push(format!("{side}({} in all)", Counted(octets.len(), "octet")));
        }
        text.join("\n")
    }
}

/// A whole CRLF goes without saying; half of one is shown.
fn without_line_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let secrets = Secrets::new([b"tanstaaf".to_vec(), Vec::new()]);
        assert_eq!(secrets.sent(b"PASS tanstaaf\r\n"), "C: PASS ***");
        assert_eq!(
            secrets.received(b"-ERR tanstaaf? tanstaaf!\r\n"),
            "S: -ERR ***? ***!"
        );
    }

    #[test]
    fn a_reply_is_cut_to_a_few_lines() {
        let secrets = Secrets::default();
        let reply = [b"+OK\r\n".to_vec(), b"1 1\r\n".repeat(9)].concat();
        assert_eq!(
            secrets.received(&reply),
            "S: +OK\nS: 1 1\nS: 1 1\nS: 1 1\nS: (50 octets in all)"
        );
        assert_eq!(secrets.received(b"+OK\n"), r"S: +OK\n");
    }
}

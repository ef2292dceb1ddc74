//! The lines of a dialogue in a report: shortened, and without secrets.
//!
//! Each text of the server in a report passes through [`Secrets::received`],
//! [`Secrets::quoted`] or [`Secrets::error`], which leave out texts that repeat the
//! password. Numbers from such texts are used in commands and sentences;
//! [`Secrets::without_numbers`] handles these.

use std::{fmt::Write as _, io, rc::Rc};

use pop3_proto::Counted;

use super::Repeats;
use crate::report::shown;

/// The most octets that are shown of one line.
const LINE_SHOWN: usize = 120;

/// The most lines that are shown of one reply.
const LINES_SHOWN: usize = 4;

/// The most octets of a reply that are examined.
const REPLY_SHOWN: usize = LINES_SHOWN * 1024;

/// What is shown in place of a text that repeats the password.
const NOT_SHOWN: &str = "(not shown: it repeats what was sent to log in)";

/// Decides which texts no report may show.
#[derive(Clone)]
pub(super) struct Secrets(pub(super) Rc<Repeats>);

impl Secrets {
    fn repeated(&self, octets: &[u8]) -> bool {
        (self.0)(octets)
    }

    /// Shows octets that the client sent.
    pub(super) fn sent(octets: &[u8]) -> String {
        lines("C: ", octets, octets.len())
    }

    /// Shows octets that the server sent.
    pub(super) fn received(&self, octets: &[u8]) -> String {
        self.received_of(octets, octets.len())
    }

    /// Shows octets that the server sent, of which only the first ones were kept.
    pub(super) fn received_of(&self, octets: &[u8], in_all: usize) -> String {
        let most = &octets[..octets.len().min(REPLY_SHOWN)];
        let lines_shown = most.split_inclusive(|octet| *octet == b'\n');
        let looked_at: usize = lines_shown.take(LINES_SHOWN).map(<[u8]>::len).sum();
        match octets {
            [] => "S: (nothing)".to_owned(),
            _ if self.repeated(&most[..looked_at]) => format!("S: {NOT_SHOWN}"),
            octets => lines("S: ", octets, in_all),
        }
    }

    /// Shows a part of what the server sent, for a sentence.
    pub(super) fn quoted(&self, octets: &[u8], max: usize) -> String {
        match self.repeated(octets) {
            true => NOT_SHOWN.to_owned(),
            false => shown(octets, max),
        }
    }

    /// Makes an error of the connection safe, which may contain received octets.
    pub(super) fn error(&self, error: io::Error) -> io::Error {
        match self.repeated(error.to_string().as_bytes()) {
            true => io::Error::new(error.kind(), NOT_SHOWN),
            false => error,
        }
    }

    /// Replaces each number that repeats the password with `***`.
    pub(super) fn without_numbers(&self, text: &str) -> String {
        let mut safe = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|char: char| !char.is_ascii_digit());
            let (number, after) = from.split_at(end.unwrap_or(from.len()));
            let number = match self.repeated(number.as_bytes()) {
                true => "***",
                false => number,
            };
            let _ = write!(safe, "{before}{number}");
            rest = after;
        }
        safe + rest
    }
}

/// For a server that was not asked.
impl Default for Secrets {
    fn default() -> Self {
        Self(Rc::new(|_| true))
    }
}

fn lines(side: &str, octets: &[u8], in_all: usize) -> String {
    let most = &octets[..octets.len().min(REPLY_SHOWN)];
    let mut lines = most.split_inclusive(|octet| *octet == b'\n');
    let mut text: Vec<String> = lines
        .by_ref()
        .take(LINES_SHOWN)
        .map(|line| format!("{side}{}", shown(without_line_end(line), LINE_SHOWN)))
        .collect();
    if lines.next().is_some() || in_all > most.len() {
        text.push(format!("{side}({} in all)", Counted(in_all, "octet")));
    }
    text.join("\n")
}

/// Removes a CRLF; keeps a bare CR or LF, which is shown.
fn without_line_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::{io, rc::Rc};

    use super::{NOT_SHOWN, Secrets};

    fn secrets(secret: &'static str) -> Secrets {
        Secrets(Rc::new(move |text| {
            String::from_utf8_lossy(text).contains(secret)
        }))
    }

    #[test]
    fn hides_a_text_that_repeats_the_secret() {
        let secrets = secrets("tanstaaf");
        let hidden = format!("S: {NOT_SHOWN}");
        assert_eq!(secrets.received(b"+OK\r\n1 tanstaaf\r\n"), hidden);
        assert_eq!(secrets.received(b"+OK\n1\n2\ntanstaaf\n"), hidden);
        assert_eq!(secrets.quoted(b"tanstaaf?", 2), NOT_SHOWN);
        let error = secrets.error(io::Error::other("not TLS: tanstaaf"));
        assert_eq!(error.to_string(), NOT_SHOWN);
    }

    #[test]
    fn hides_a_number_that_repeats_the_secret() {
        let secrets = secrets("4711");
        assert_eq!(
            secrets.without_numbers("C: RETR 14711\n(4711 octets, 47 11)"),
            "C: RETR ***\n(*** octets, 47 11)"
        );
    }

    #[test]
    fn cuts_a_reply_to_a_few_lines() {
        let secrets = secrets("tanstaaf");
        let reply = [b"+OK\r\n".to_vec(), b"1 1\r\n".repeat(9)].concat();
        assert_eq!(
            secrets.received(&reply),
            "S: +OK\nS: 1 1\nS: 1 1\nS: 1 1\nS: (50 octets in all)"
        );
        assert_eq!(
            secrets.received_of(&reply, 9000).lines().next_back(),
            Some("S: (9000 octets in all)")
        );
        assert_eq!(secrets.received(b"+OK\n"), r"S: +OK\n");
        let cut = secrets.received_of(b"+OK\r\n", 9000);
        assert_eq!(cut, "S: +OK\nS: (9000 octets in all)");
    }
}

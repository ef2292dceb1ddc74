//! The log of a connection.

use super::{MAX_COMMANDS, Maildrop};
use crate::report::shown;

/// The most entries in a log besides commands, of which it keeps [`MAX_COMMANDS`].
pub const MAX_ENTRIES: usize = 2000;

/// The most octets that an entry keeps.
pub const OCTETS_KEPT: usize = 600;

/// The log of a connection, from the server's side. It is bounded, whatever the
/// client does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    pub(crate) entries: Vec<Entry>,
    /// The messages in the maildrop when the connection began.
    pub(crate) maildrop: Maildrop,
    commands_kept: usize,
    others_kept: usize,
    /// Whether the client sent more or longer commands than any client needs.
    pub(crate) too_much: bool,
    /// Whether the client read all of an endless line.
    pub(crate) took_the_flood: bool,
}

/// An event on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The server sent octets.
    Sent(Vec<u8>),
    /// The client sent a line.
    Command(Command),
    /// The TLS handshake succeeded, or failed.
    Tls(bool),
    /// The client has closed its side.
    ClientClosed,
    /// The server has closed its side.
    ServerClosed,
}

/// A line from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The line without its end, or the first [`OCTETS_KEPT`] octets of it.
    pub line: Vec<u8>,
    /// Whether CRLF ended it, rather than a bare LF.
    pub crlf: bool,
    /// The state of the session.
    pub state: State,
    /// Whether it was received under TLS.
    pub tls: bool,
    /// Whether an answer was still outstanding.
    pub early: bool,
    /// Whether the server had closed its side.
    pub closed: bool,
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The greeting is not completely sent.
    Greeting,
    /// AUTHORIZATION.
    Authorization,
    /// AUTHORIZATION, and the last command was a USER that the server accepted.
    Named,
    /// TRANSACTION.
    Transaction,
    /// QUIT was answered.
    Over,
}

impl Command {
    /// Its words, in upper case.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.line).to_ascii_uppercase();
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// Whether these are its first words.
    #[must_use]
    pub fn begins_with(&self, words: &str) -> bool {
        let own = self.words();
        let mut wanted = words.split(' ').enumerate();
        wanted.all(|(at, word)| own.get(at).is_some_and(|own| own == word))
    }

    /// Whether it names the user or sends a proof.
    #[must_use]
    pub fn is_login(&self) -> bool {
        // AUTH without an argument asks for the mechanisms.
        let asks = matches!(&self.words()[..], [verb] if verb == "AUTH");
        let mut verbs = ["USER", "PASS", "APOP", "AUTH"].iter();
        !asks && verbs.any(|verb| self.begins_with(verb))
    }

    /// The line for the report, without secrets.
    #[must_use]
    pub fn shown(&self) -> String {
        let words = self.words();
        let line = match (words.first().map_or("", String::as_str), words.len()) {
            (verb @ ("PASS" | "APOP"), _) | (verb @ "AUTH", 3..) => format!("{verb} ***"),
            _ => shown(&self.line, 100),
        };
        match self.crlf {
            true => line,
            false => format!("{line}\\n"),
        }
    }
}

impl Log {
    pub(crate) fn new(maildrop: Maildrop) -> Self {
        Self {
            maildrop,
            ..Self::default()
        }
    }

    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The client's lines.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Command(command) => Some(command),
            _ => None,
        })
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        let is_command = matches!(entry, Entry::Command(_));
        let (kept, max) = match is_command {
            true => (&mut self.commands_kept, MAX_COMMANDS),
            false => (&mut self.others_kept, MAX_ENTRIES),
        };
        if *kept < max {
            *kept += 1;
            self.entries.push(entry);
        }
    }

    /// The exchange for the report: a line for each entry, with the pieces of an
    /// answer joined.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sent: Vec<u8> = Vec::new();
        let flush = |sent: &mut Vec<u8>, lines: &mut Vec<String>| {
            if !sent.is_empty() {
                lines.push(format!("S: {}", shown(sent, 160)));
                sent.clear();
            }
        };
        for entry in &self.entries {
            if let Entry::Sent(octets) = entry {
                sent.extend_from_slice(octets);
                continue;
            }
            flush(&mut sent, &mut lines);
            lines.push(match entry {
                Entry::Sent(_) => continue,
                Entry::Command(command) => format!("C: {}", command.shown()),
                Entry::Tls(true) => "TLS begins".to_owned(),
                Entry::Tls(false) => "the TLS handshake fails".to_owned(),
                Entry::ClientClosed => "the client closes".to_owned(),
                Entry::ServerClosed => "the server closes".to_owned(),
            });
        }
        flush(&mut sent, &mut lines);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        Command {
            line: line.as_bytes().to_vec(),
            crlf: true,
            state: State::Authorization,
            tls: false,
            early: false,
            closed: false,
        }
    }

    #[test]
    fn a_login_is_recognized_and_its_secret_is_not_shown() {
        for (line, is_login, shown) in [
            ("USER mrose", true, "USER mrose"),
            ("user mrose", true, "user mrose"),
            ("PASS secret", true, "PASS ***"),
            ("pass secret word", true, "PASS ***"),
            ("APOP mrose c4c9334b", true, "APOP ***"),
            ("AUTH", false, "AUTH"),
            ("AUTH PLAIN", true, "AUTH PLAIN"),
            ("AUTH PLAIN dGFuc3RhYWY=", true, "AUTH ***"),
            ("STAT", false, "STAT"),
            ("TOP 1 0", false, "TOP 1 0"),
            ("USERS", false, "USERS"),
            ("", false, ""),
        ] {
            let command = command(line);
            assert_eq!(
                (command.is_login(), &command.shown()[..]),
                (is_login, shown)
            );
        }
        assert!(command("dele 1 2").begins_with("DELE 1"));
        assert!(!command("DELE 1").begins_with("DELE 1 2"));
        assert!(!command("DELE 1").begins_with("DELE 2"));
    }

    #[test]
    fn a_log_is_bounded() {
        let mut log = Log::default();
        for _ in 0..=MAX_ENTRIES {
            log.push(Entry::ClientClosed);
            log.push(Entry::Command(command("NOOP")));
        }
        assert_eq!(log.entries().len(), MAX_ENTRIES + MAX_COMMANDS);
        assert_eq!(log.commands().count(), MAX_COMMANDS);
    }
}

//! A maildrop as one session of RFC 1939 sees it, command by command.

use super::command;

/// Who may log in, and how: by USER and PASS.
pub const NAME: &str = "me";
/// Blanks in it and at its end are part of it.
pub const PASSWORD: &str = "tan staaf ";
/// The same name and password for AUTH PLAIN, in base64.
pub const PLAIN: &str = "AG1lAHRhbiBzdGFhZiA=";

/// What the server says to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `+OK`: the text behind it, where a client needs it, and the block,
    /// decoded, if there is one.
    Yes(Option<String>, Option<Vec<u8>>),
    /// `-ERR`.
    No,
    /// `+`: the next line is the response.
    Challenge,
}

/// The whole state of a session, and of the maildrop it is about.
#[derive(Clone, Debug)]
pub struct Maildrop {
    /// The unique-id of each message, and its octets as a client gets them.
    pub messages: Vec<(String, Vec<u8>)>,
    /// Which of them are marked as deleted.
    pub marks: Vec<bool>,
    /// The block that answers CAPA.
    pub capabilities: String,
    /// Whether the last line was USER, and with which name.
    pub named: Option<String>,
    /// Whether the next line is the response to a challenge.
    pub challenged: bool,
    /// Whether a login succeeded.
    pub logged_in: bool,
    /// Whether QUIT came.
    pub quit: bool,
}

impl Maildrop {
    /// Nobody is logged in, nothing is marked.
    #[must_use]
    pub fn new(messages: Vec<(String, Vec<u8>)>, capabilities: &str) -> Self {
        Self {
            marks: vec![false; messages.len()],
            messages,
            capabilities: capabilities.to_owned(),
            named: None,
            challenged: false,
            logged_in: false,
            quit: false,
        }
    }

    /// The answer to a line, given without CRLF.
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        let named = self.named.take();
        if std::mem::take(&mut self.challenged) {
            return self.log_in(line == PLAIN.as_bytes());
        }
        let Some(command) = command(line) else {
            return Answer::No;
        };
        let (keyword, rest) = command.split_once(' ').unwrap_or((&command, ""));
        let number = rest.split(' ').next().and_then(|word| word.parse().ok());
        let index = number.map(|number: usize| number.wrapping_sub(1));
        if self.logged_in && index.is_some_and(|index| self.marks.get(index) != Some(&false)) {
            return Answer::No;
        }
        let ok = Answer::Yes(None, None);
        let line = |text| Answer::Yes(Some(text), None);
        let block = |block| Answer::Yes(None, Some(block));
        let held = || (0..self.messages.len()).filter(|&at| !self.marks[at]);
        let octets = |at: usize| self.messages[at].1.len();
        let size = |at: usize| format!("{} {}", at + 1, octets(at));
        let unique_id = |at: usize| format!("{} {}", at + 1, self.messages[at].0);
        match (keyword, self.logged_in, index) {
            ("QUIT", ..) => self.quit = true,
            ("CAPA", ..) => return block(self.capabilities.clone().into_bytes()),
            ("USER", false, _) => self.named = Some(rest.to_owned()),
            ("PASS", false, _) if named.is_some() => {
                return self.log_in(named.as_deref() == Some(NAME) && rest == PASSWORD);
            }
            ("AUTH", false, _) if rest == "PLAIN" => {
                self.challenged = true;
                return Answer::Challenge;
            }
            ("AUTH", false, _) if rest.starts_with("PLAIN ") => {
                return self.log_in(rest == format!("PLAIN {PLAIN}"));
            }
            ("NOOP", true, _) => {}
            ("RSET", true, _) => self.marks.fill(false),
            ("DELE", true, Some(at)) => self.marks[at] = true,
            ("STAT", true, _) => {
                let octets: usize = held().map(octets).sum();
                return line(format!("{} {octets}", held().count()));
            }
            ("LIST", true, Some(at)) => return line(size(at)),
            ("UIDL", true, Some(at)) => return line(unique_id(at)),
            ("LIST", true, None) => return block(lines(held().map(size))),
            ("UIDL", true, None) => return block(lines(held().map(unique_id))),
            ("RETR", true, Some(at)) => return block(self.messages[at].1.clone()),
            ("TOP", true, Some(at)) => return block(top(&self.messages[at].1, rest)),
            _ => return Answer::No,
        }
        ok
    }

    /// What the next session finds, should this one end now.
    #[must_use]
    pub fn left(&self) -> Vec<(String, Vec<u8>)> {
        let is_updated = self.quit && self.logged_in;
        let messages = self.messages.iter().zip(&self.marks);
        let left = messages.filter(|&(_, &marked)| !(is_updated && marked));
        left.map(|(message, _)| message.clone()).collect()
    }

    fn log_in(&mut self, right: bool) -> Answer {
        self.logged_in = right;
        match right {
            true => Answer::Yes(None, None),
            false => Answer::No,
        }
    }
}

fn lines(lines: impl Iterator<Item = String>) -> Vec<u8> {
    lines.map(|line| line + "\r\n").collect::<String>().into()
}

/// The header, the blank line, and as many lines as the last word says.
fn top(message: &[u8], words: &str) -> Vec<u8> {
    let count: usize = words
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0);
    let lines: Vec<&[u8]> = message.split_inclusive(|&octet| octet == b'\n').collect();
    let blank = lines.iter().position(|&line| line == b"\r\n");
    let header = blank.map_or(lines.len(), |blank| blank + 1);
    lines[..lines.len().min(header.saturating_add(count))].concat()
}

//! The statements that bind servers, checked on a server over connections.
//!
//! Replies are read as leniently as possible, so that a check sees only
//! violations of its own statement.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use pop3_conformance::check::Connection;

use crate::checking::{Check, Flaw};

pub(crate) mod basics;
pub(crate) mod login;
pub(crate) mod maildrop;
pub(crate) mod messages;
pub(crate) mod optional;
mod walk;

pub(crate) const USER: &str = "mrose";
pub(crate) const PASSWORD: &str = "tanstaaf";

/// The initial maildrop. Message n has the unique-id `id-` followed by n - 1.
/// All sizes differ. The messages contain dots and LF alone, and some have no
/// blank line or no last line end.
pub(crate) const MESSAGES: [&str; 4] = [
    ".first: a dot\r\nSubject: 1\r\n\r\none line\r\nand another\r\n..\r\n",
    "Subject: 2\r\n\r\n.dot\r\n..two\r\n.\r\nand an end\r\n",
    "Subject: 3\nX-Long: a field of some length, with words in it\n\none\n\ntwo\nthree",
    "Subject: 4\r\n",
];

/// Larger than any buffer: dots at the start of lines, and some lines that are
/// longer than a line should be.
pub(crate) fn large() -> String {
    let line = |n: usize| {
        let length = if n.is_multiple_of(100) { 1200 } else { n % 60 };
        format!("{}{n}{}\r\n", ".".repeat(n % 3), "x".repeat(length))
    };
    let lines: String = (1..=2000).map(line).collect();
    format!("Subject: large\r\n\r\n{lines}.\r\n")
}

/// A server under test, with one maildrop.
pub(crate) trait Subject {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>>;

    /// Delivers a message; sessions that have the maildrop open do not see it.
    fn deliver(&mut self, unique_id: &str, message: &str);

    /// Waits a moment, so that the server can notice earlier changes. Returns
    /// whether another look may show more.
    fn wait(&mut self) -> bool;
}

/// One connection.
pub(crate) struct Dialogue {
    connection: Box<dyn Connection>,
    pub(crate) greeting: String,
    /// Commands and the replies to them.
    log: Vec<(String, String)>,
}

/// Longer than any correct server takes.
const PATIENCE: Duration = Duration::from_secs(20);

impl Dialogue {
    pub(crate) fn open(subject: &mut dyn Subject) -> Result<Self, Flaw> {
        let connection = subject.connect().map_err(unable)?;
        let mut dialogue = Self {
            connection,
            greeting: String::new(),
            log: Vec::new(),
        };
        dialogue.greeting = dialogue.receive(|octets| octets.ends_with('\n'));
        Ok(dialogue)
    }

    /// A connection under TLS, if the server offers it.
    pub(crate) fn protected(subject: &mut dyn Subject) -> Result<Self, Flaw> {
        let mut dialogue = Self::open(subject)?;
        if dialogue.ask("CAPA").contains("STLS") && is_positive(&dialogue.ask("STLS")) {
            dialogue.connection.start_tls(PATIENCE).map_err(unable)?;
        }
        Ok(dialogue)
    }

    pub(crate) fn start_tls(&mut self) -> Result<(), Flaw> {
        self.ask("STLS");
        self.connection.start_tls(PATIENCE).map_err(unable)
    }

    /// A connection after the login, with one more message than [`MESSAGES`],
    /// which is large.
    pub(crate) fn with_large(subject: &mut dyn Subject) -> Result<Self, Flaw> {
        subject.deliver("id-4", &large());
        Self::logged_in(subject)
    }

    pub(crate) fn logged_in(subject: &mut dyn Subject) -> Result<Self, Flaw> {
        loop {
            let mut dialogue = Self::protected(subject)?;
            match dialogue.log_in() {
                Ok(()) => return Ok(dialogue),
                // A broken session may keep the maildrop for a moment.
                Err(Flaw::Unable(why)) if why.contains("[IN-USE]") && subject.wait() => {}
                Err(flaw) => return Err(flaw),
            }
        }
    }

    pub(crate) fn log_in(&mut self) -> Result<(), Flaw> {
        let mut reply = self.ask(&format!("USER {USER}"));
        if is_positive(&reply) {
            reply = self.ask(&format!("PASS {PASSWORD}"));
        }
        match is_positive(&reply) {
            true => Ok(()),
            false => Err(unable(format!("no login: {reply:?}"))),
        }
    }

    /// Sends a command and does not wait for the reply.
    pub(crate) fn begin(&mut self, command: &str) {
        let octets = format!("{command}\r\n");
        let _ = self.connection.send(octets.as_bytes(), PATIENCE);
    }

    /// The reply to a command that was sent.
    pub(crate) fn finish(&mut self, command: &str) -> String {
        let is_block = is_multi_line(command);
        self.receive(|octets| {
            let is_over = !is_block || octets.starts_with('-');
            octets.ends_with("\r\n") && (is_over || octets.ends_with("\r\n.\r\n"))
        })
    }

    /// The reply to a command, with one character for each octet.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.begin(command);
        let reply = self.finish(command);
        self.log.push((command.to_owned(), reply.clone()));
        reply
    }

    /// Sends these octets; returns the octets that come until `is_over` says
    /// so.
    pub(crate) fn say(&mut self, octets: &str, is_over: impl Fn(&str) -> bool) -> String {
        match self.connection.send(octets.as_bytes(), PATIENCE) {
            Ok(()) => self.receive(is_over),
            Err(_) => String::new(),
        }
    }

    /// Whether the server closes the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.connection.receive(&mut [0; 64], PATIENCE) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock),
        }
    }

    fn receive(&mut self, is_over: impl Fn(&str) -> bool) -> String {
        let (mut octets, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let within = match is_over(&octets) {
                true => Duration::ZERO,
                false => PATIENCE,
            };
            match self.connection.receive(&mut buffer, within) {
                Ok(0) | Err(_) => return octets,
                Ok(read) => octets.extend(buffer[..read].iter().map(|&octet| char::from(octet))),
            }
        }
    }
}

/// The checks of all files.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<dyn Subject>> {
    let files = [
        basics::CHECKS,
        login::CHECKS,
        maildrop::CHECKS,
        messages::CHECKS,
        optional::CHECKS,
    ];
    files.into_iter().flatten()
}

pub(crate) fn unable(why: impl ToString) -> Flaw {
    Flaw::Unable(why.to_string())
}

pub(crate) fn is_positive(reply: &str) -> bool {
    reply.starts_with('+')
}

/// Whether there is nothing to judge: a statement on positive replies does not
/// cover refusals, and C0014 covers missing replies.
pub(crate) fn is_refusal(reply: &str) -> bool {
    reply.is_empty() || reply.starts_with('-')
}

/// Whether a positive reply to the command has a block.
pub(crate) fn is_multi_line(command: &str) -> bool {
    let (keyword, argument) = command.split_once(' ').unwrap_or((command, ""));
    match &*keyword.to_ascii_uppercase() {
        "RETR" | "TOP" => true,
        "AUTH" | "CAPA" | "LANG" | "LIST" | "UIDL" => argument.is_empty(),
        _ => false,
    }
}

/// A reply without its first line.
pub(crate) fn block(reply: &str) -> &str {
    match reply.starts_with(['+', '-']) {
        true => reply.split_once('\n').map_or("", |(_, block)| block),
        false => reply,
    }
}

/// The lines of the block, without line ends and terminator.
pub(crate) fn lines(reply: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = block(reply).lines().collect();
    lines.pop_if(|line| *line == ".");
    lines
}

/// The stuffed lines of a message, as it is sent.
pub(crate) fn sent(message: &str) -> Vec<String> {
    let stuffed = |line: &str| match line.starts_with('.') {
        true => format!(".{line}"),
        false => line.to_owned(),
    };
    let message: String = message.bytes().map(char::from).collect();
    message.lines().map(stuffed).collect()
}

/// The size of a message: each line end counts as two octets.
pub(crate) fn octets(message: &str) -> u64 {
    message.lines().map(|line| line.len() as u64 + 2).sum()
}

/// The numbers of the messages.
pub(crate) fn numbers() -> std::ops::RangeInclusive<usize> {
    1..=MESSAGES.len()
}

/// A word after blanks, and what follows it.
pub(crate) fn word(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start_matches([' ', '\t']);
    let end = rest.find([' ', '\t', '\r', '\n']).unwrap_or(rest.len());
    (rest.len() < text.len() && end > 0).then(|| rest.split_at(end))
}

/// The first two words of a listing, if there is one.
pub(crate) fn fields(listing: &str) -> Option<(u64, &str)> {
    let end = listing.find([' ', '\t'])?;
    let (second, _) = word(&listing[end..])?;
    Some((decimal(&listing[..end])?, second))
}

/// Parses a decimal number.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|octet| octet.is_ascii_digit());
    is_digits.then(|| text.parse().ok())?
}

//! What a server has to do, from all of the client's octets at once.

use std::collections::BTreeSet;

use pop3_proto::server::Closed;

use super::{
    END_OF_FLIGHT, Setting,
    server::{
        Answer, CHALLENGES, Expected, IMPLEMENTATION, LOGIN_DELAY, MORE, REFUSED, TIMESTAMP,
        messages,
    },
};
use crate::oracle::{self, Awaited, Newline};

/// What [`super::server::run`] has to have done.
pub(super) fn run(wire: &[u8], setting: Setting) -> Expected {
    let mut model = Model {
        setting,
        tls: false,
        utf8: false,
        user: false,
        challenges: 0,
        transaction: false,
        deleted: BTreeSet::new(),
        expected: Expected::default(),
    };
    let greeting = match setting.offers_all {
        true => format!("POP3 ready {TIMESTAMP}"),
        false => "POP3 ready".to_owned(),
    };
    model.reply(Awaited::Line, Answer::Says(greeting));
    // Half a command outlives the end of a flight, unless TLS begins there.
    let mut flights = wire.split(|&octet| octet == END_OF_FLIGHT).peekable();
    let mut octets = Vec::new();
    let mut skipping = false;
    while let Some(flight) = flights.next() {
        octets.extend_from_slice(flight);
        let stls;
        (octets, stls) = model.commands(octets, &mut skipping);
        if stls && flights.peek().is_some() {
            model.tls = true;
        } else if stls {
            break;
        }
    }
    model.expected.closed.get_or_insert(match setting.silent {
        true => Closed::Autologout,
        false => Closed::Eof,
    });
    model.expected
}

struct Model {
    setting: Setting,
    tls: bool,
    utf8: bool,
    /// USER came just now.
    user: bool,
    /// Challenges of the exchange.
    challenges: u32,
    transaction: bool,
    deleted: BTreeSet<u32>,
    expected: Expected,
}

impl Model {
    /// Obeys whole lines; gives back what is left, and whether that is thrown
    /// away by STLS.
    fn commands(&mut self, octets: Vec<u8>, skipping: &mut bool) -> (Vec<u8>, bool) {
        let mut rest = &octets[..];
        loop {
            if self.expected.closed.is_some() {
                return (Vec::new(), false);
            }
            let longest = if self.in_exchange() { 12_288 } else { 255 };
            let line_end = rest.windows(2).position(|pair| pair == b"\r\n");
            match line_end {
                None if !*skipping && rest.len() >= longest => {
                    // A response is refused at the end of its line.
                    if !self.in_exchange() {
                        self.too_long();
                    }
                    *skipping = true;
                }
                None if *skipping => {
                    // Its CR may be the last octet that came.
                    let kept = rest.len() - usize::from(rest.ends_with(b"\r"));
                    return (rest[kept..].to_vec(), false);
                }
                None => return (rest.to_vec(), false),
                Some(end) => {
                    let line = &rest[..end];
                    rest = &rest[end + 2..];
                    if std::mem::take(skipping) {
                        if self.in_exchange() {
                            self.refuse();
                        }
                        continue;
                    }
                    if end + 2 > longest {
                        self.too_long();
                    } else if self.line(line) {
                        return (Vec::new(), true);
                    }
                }
            }
        }
    }

    fn reply(&mut self, kind: Awaited, answer: Answer) {
        self.expected.replies.push((kind, answer));
    }

    fn refuse(&mut self) {
        self.reply(Awaited::Line, Answer::Refused(None));
    }

    /// Whether the answer to a challenge is due.
    fn in_exchange(&self) -> bool {
        matches!(self.expected.replies.last(), Some((_, Answer::Challenge)))
    }

    fn too_long(&mut self) {
        self.user = false;
        self.refuse();
    }

    /// One line; whether it was STLS, obeyed.
    fn line(&mut self, line: &[u8]) -> bool {
        if self.in_exchange() {
            match str::from_utf8(line) {
                Ok(text) if is_base64(text) => self.sasl(text),
                _ => self.refuse(),
            }
            return false;
        }
        let user = std::mem::take(&mut self.user);
        let Some(spelt) = oracle::command(line) else {
            self.refuse();
            return false;
        };
        let words: Vec<&str> = spelt.split(' ').collect();
        if words[0] == "LANG" {
            self.language(words.get(1).copied());
            return false;
        }
        match self.transaction {
            true => self.in_transaction(&words),
            false => return self.in_authorization(&words, user),
        }
        false
    }

    fn log_in(&mut self, secret: &str) {
        let refused = REFUSED.iter().find(|(refused, _)| *refused == secret);
        self.transaction = refused.is_none();
        let answer = refused.map_or(Answer::Fine, |&(_, code)| Answer::Refused(Some(code)));
        self.reply(Awaited::Line, answer);
    }

    fn sasl(&mut self, response: &str) {
        match response {
            MORE if self.challenges == CHALLENGES => self.log_in("no"),
            MORE => {
                self.challenges += 1;
                self.reply(Awaited::Sasl, Answer::Challenge);
            }
            _ => self.log_in(response),
        }
    }

    fn takes_passwords(&self) -> bool {
        self.tls || !self.setting.passwords_need_tls
    }

    const fn offers_stls(&self) -> bool {
        !self.tls && !self.setting.no_stls
    }

    /// The mechanisms that may be used: not PLAIN where no password may be sent.
    fn mechanisms(&self) -> &'static [&'static str] {
        match self.takes_passwords() {
            true => &["PLAIN", "CRAM-MD5"],
            false => &["CRAM-MD5"],
        }
    }

    fn capabilities(&mut self) {
        let mut lines = Vec::new();
        lines.extend(self.takes_passwords().then(|| "USER".to_owned()));
        lines.push(format!("SASL {}", self.mechanisms().join(" ")));
        let always = "TOP UIDL PIPELINING RESP-CODES AUTH-RESP-CODE LANG";
        lines.extend(always.split(' ').map(str::to_owned));
        let offers_all = self.setting.offers_all;
        lines.extend(offers_all.then(|| "EXPIRE NEVER".to_owned()));
        lines.extend(offers_all.then(|| format!("LOGIN-DELAY {LOGIN_DELAY}")));
        let stls = !self.transaction && self.offers_stls();
        lines.extend(stls.then(|| "STLS".to_owned()));
        lines.extend(offers_all.then(|| "UTF8 USER".to_owned()));
        lines.extend(offers_all.then(|| format!("IMPLEMENTATION {IMPLEMENTATION}")));
        self.listing(&lines);
    }

    fn listing(&mut self, lines: &[impl AsRef<str>]) {
        let block: String = lines
            .iter()
            .map(|line| line.as_ref().to_owned() + "\r\n")
            .collect();
        self.reply(Awaited::Listing, Answer::Block(block.into_bytes()));
    }

    /// English is the one language.
    fn language(&mut self, range: Option<&str>) {
        let is_english = |range: &str| {
            let first = range.split('-').next().unwrap_or_default();
            range == "*" || first.eq_ignore_ascii_case("en")
        };
        match range {
            None => self.reply(Awaited::Listing, Answer::Fine),
            Some(range) if is_english(range) => self.reply(Awaited::Line, Answer::Fine),
            Some(_) => self.refuse(),
        }
    }

    fn in_authorization(&mut self, words: &[&str], user: bool) -> bool {
        match words {
            ["USER" | "PASS", ..] if !self.takes_passwords() => self.refuse(),
            // Without UTF8, names and passwords are ASCII (RFC 6856 §2.2).
            ["USER" | "PASS" | "APOP", rest @ ..]
                if !rest.concat().is_ascii() && !self.setting.offers_all =>
            {
                self.refuse();
            }
            ["USER", ..] => {
                self.user = true;
                self.reply(Awaited::Line, Answer::Fine);
            }
            // A password has spaces of its own.
            ["PASS", words @ ..] if user => self.log_in(&words.join(" ")),
            ["APOP", _, digest] if self.setting.offers_all => self.log_in(digest),
            ["AUTH"] => self.listing(self.mechanisms()),
            ["AUTH", mechanism, response @ ..] => {
                let mut usable = self.mechanisms().iter();
                let usable = usable.any(|name| mechanism.eq_ignore_ascii_case(name));
                self.challenges = 0;
                match response {
                    _ if !usable => self.refuse(),
                    [] => self.sasl(MORE),
                    [response] if *response == "=" || is_base64(response) => self.sasl(response),
                    _ => self.refuse(),
                }
            }
            ["UTF8"] if self.setting.offers_all => {
                self.utf8 = true;
                self.reply(Awaited::Line, Answer::Fine);
            }
            ["CAPA"] => self.capabilities(),
            // It cannot come after UTF8 (RFC 6856 §2.1).
            ["STLS"] if self.offers_stls() && !self.utf8 => {
                self.reply(Awaited::Line, Answer::Fine);
                return true;
            }
            ["QUIT"] => {
                self.reply(Awaited::Line, Answer::Fine);
                self.expected.closed = Some(Closed::Quit);
            }
            _ => self.refuse(),
        }
        false
    }

    fn in_transaction(&mut self, words: &[&str]) {
        let number = words.get(1).and_then(|word| word.parse().ok());
        if number.is_some_and(|number| !self.held().contains(&number)) {
            return self.refuse();
        }
        let text = |number| text(self.setting, number);
        let size = |number: &u32| text(*number).len();
        let octets: usize = self.held().iter().map(size).sum();
        let totals = format!("{} {octets}", self.held().len());
        let listing = |number: &u32| format!("{number} {}", size(number));
        let mail = messages(self.setting);
        let unique_id = |number: &u32| format!("{number} {}", mail[*number as usize - 1].0);
        let block = |line: &dyn Fn(&u32) -> String| {
            let lines = self
                .held()
                .iter()
                .map(|number| line(number) + "\r\n")
                .collect::<String>();
            (Awaited::Listing, Answer::Block(lines.into_bytes()))
        };
        let (kind, answer) = match (words[0], number) {
            ("STAT", _) => (Awaited::Line, Answer::Says(totals)),
            ("LIST", Some(number)) => (Awaited::Line, Answer::Says(listing(&number))),
            ("LIST", None) => block(&listing),
            ("UIDL", Some(number)) => (Awaited::Line, Answer::Says(unique_id(&number))),
            ("UIDL", None) => block(&unique_id),
            ("RETR" | "TOP", Some(4)) if !self.utf8 => {
                (Awaited::Line, Answer::Refused(Some("[UTF8]")))
            }
            ("RETR" | "TOP", Some(number)) if self.setting.in_trouble => match number {
                1 => (Awaited::Line, Answer::Refused(Some("[SYS/PERM]"))),
                2 => (Awaited::Line, Answer::Refused(Some("[SYS/TEMP]"))),
                _ => {
                    self.expected.closed = Some(Closed::MessageFailed);
                    (Awaited::Message, Answer::BreaksOff)
                }
            },
            ("RETR", Some(number)) => (Awaited::Message, Answer::Block(text(number))),
            ("TOP", Some(number)) => {
                let lines = words[2].parse().unwrap_or(0);
                (Awaited::Message, Answer::Block(top(&text(number), lines)))
            }
            ("DELE", Some(number)) => {
                self.deleted.insert(number);
                (Awaited::Line, Answer::Fine)
            }
            ("RSET", _) => {
                self.deleted.clear();
                (Awaited::Line, Answer::Fine)
            }
            ("NOOP", _) => (Awaited::Line, Answer::Fine),
            ("CAPA", _) => return self.capabilities(),
            ("QUIT", _) if self.setting.in_trouble => {
                self.expected.closed = Some(Closed::UpdateFailed);
                (Awaited::Line, Answer::Refused(Some("[SYS/TEMP]")))
            }
            ("QUIT", _) => {
                self.expected.closed = Some(Closed::Updated);
                self.expected.removed = Some(self.deleted.iter().copied().collect());
                (Awaited::Line, Answer::Fine)
            }
            _ => (Awaited::Line, Answer::Refused(None)),
        };
        self.reply(kind, answer);
    }

    /// The messages that are there and not deleted.
    fn held(&self) -> Vec<u32> {
        let all = 1..=messages(self.setting).len() as u32;
        all.filter(|number| !self.deleted.contains(number))
            .collect()
    }
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

/// A message as a reader gets it.
fn text(setting: Setting, number: u32) -> Vec<u8> {
    let (_, message) = messages(setting)[number as usize - 1];
    oracle::canonical(Newline::Canonicalize, message).expect("nothing is refused")
}

/// The header, the blank line, and so many lines of the body.
fn top(text: &[u8], lines: usize) -> Vec<u8> {
    let (mut top, mut left) = (Vec::new(), None);
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        match &mut left {
            Some(0) => break,
            Some(left) => *left -= 1,
            None if line == b"\r\n" => left = Some(lines),
            None => {}
        }
        top.extend_from_slice(line);
    }
    top
}

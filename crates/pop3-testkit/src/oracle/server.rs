//! Models a server of RFC 1939 with the extensions of RFC 2449, 2595, 5034 and 6856,
//! from command lines to answers.

use super::command;

/// The octet that ends a flight of the client: the client waits, and a pending TLS
/// handshake takes place. Without a pending handshake it changes nothing.
pub const END_OF_FLIGHT: u8 = 1;

/// The name that [`account`] accepts.
pub const NAME: &str = "me";
/// Its password, which includes the spaces in it and at its end.
pub const PASSWORD: &str = "tan staaf ";
/// The name and the password as the response of SASL PLAIN.
pub const PLAIN: &str = "AG1lAHRhbiBzdGFhZiA=";

/// The timestamp in the greeting, if APOP is offered.
pub const TIMESTAMP: &str = "<1.2@host>";
/// The seconds between logins, if they are announced.
pub const LOGIN_DELAY: u32 = 60;
/// The implementation, if it is announced.
pub const IMPLEMENTATION: &str = "x";
/// The response after which one more challenge follows: `more`.
pub const MORE: &str = "bW9yZQ==";
/// The maximum number of challenges in an exchange.
pub const CHALLENGES: u32 = 2;

/// The server's answer to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `+OK`: the start of the text, if a client needs it, and the decoded block,
    /// if there is one.
    Yes(Option<String>, Option<Vec<u8>>),
    /// `-ERR`, and the response code, if a client needs it.
    No(Option<&'static str>),
    /// `+`: the next line is the response.
    Challenge,
    /// `+OK`, and a block without its end.
    BreaksOff,
}

/// The reason why the server closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// QUIT before the login.
    Quit,
    /// QUIT after the login: the marked messages are removed.
    Updated,
    /// QUIT after the login, when no message could be removed.
    UpdateFailed,
    /// A message could not be read to its end.
    MessageFailed,
}

/// The configuration of the server.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Whether the server offers APOP, UTF8, a login delay, and an implementation,
    /// and has no surrogates of messages beyond ASCII.
    pub offers_all: bool,
    /// Whether message 1 is damaged, message 2 cannot be read now, the others break
    /// off, and none can be removed.
    pub in_trouble: bool,
    /// Whether the server accepts no password without TLS.
    pub passwords_need_tls: bool,
    /// Whether the server does not offer STLS.
    pub no_stls: bool,
    /// The server's SASL mechanisms.
    pub mechanisms: &'static [&'static str],
    /// Returns the response code with which the server refuses a name, if the
    /// command has one, and a password, digest or response; `None` if it accepts
    /// them.
    pub refusal: fn(Option<&str>, &str) -> Option<&'static str>,
}

/// The whole state of a session and of its maildrop.
#[derive(Clone, Debug)]
pub struct Server {
    /// The configuration.
    pub setup: Setup,
    /// The unique-id of each message, and its octets as a client receives them.
    pub messages: Vec<(String, Vec<u8>)>,
    /// Whether each message is marked as deleted.
    pub marks: Vec<bool>,
    /// The name, if the last line was USER.
    pub named: Option<String>,
    /// Whether a login succeeded.
    pub logged_in: bool,
    /// The reason why the session is over, if it is.
    pub ended: Option<Ended>,
    tls: bool,
    utf8: bool,
    /// Whether STLS was accepted and the handshake is pending.
    handshake: bool,
    /// The number of challenges in the exchange, if the next line is a response.
    challenges: Option<u32>,
}

const OK: Answer = Answer::Yes(None, None);
const REFUSED: Answer = Answer::No(None);

impl Server {
    /// Creates a session before the login, without marked messages.
    #[must_use]
    pub fn new(setup: Setup, messages: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            setup,
            marks: vec![false; messages.len()],
            messages,
            named: None,
            logged_in: false,
            ended: None,
            tls: false,
            utf8: false,
            handshake: false,
            challenges: None,
        }
    }

    /// Returns the greeting, and the answers to everything that a client sends.
    pub fn converse(&mut self, wire: &[u8]) -> Vec<Answer> {
        let timestamp = if self.setup.offers_all { TIMESTAMP } else { "" };
        let greeting = format!("POP3 ready {timestamp}").trim_end().to_owned();
        let mut answers = vec![Answer::Yes(Some(greeting), None)];
        let (mut line, mut too_long) = (Vec::new(), false);
        for &octet in wire {
            if octet == END_OF_FLIGHT {
                self.tls |= std::mem::take(&mut self.handshake);
            } else if self.ended.is_none() && !self.handshake {
                line.push(octet);
            }
            let longest = if self.challenges.is_some() {
                12_288
            } else {
                255
            };
            if let Some(text) = line.strip_suffix(b"\r\n") {
                if !too_long {
                    answers.push(self.answer(text));
                } else if self.challenges.take().is_some() {
                    // An overlong response is refused at the end of its line.
                    answers.push(REFUSED);
                }
                (line, too_long) = (Vec::new(), false);
            } else if line.len() == longest && !too_long {
                too_long = true;
                self.named = None;
                answers.extend(self.challenges.is_none().then_some(REFUSED));
            }
        }
        answers
    }

    /// Returns the answer to a line, which has no CRLF.
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        let named = self.named.take();
        if let Some(challenges) = self.challenges.take() {
            let response = str::from_utf8(line).ok().filter(|text| is_base64(text));
            return response.map_or(REFUSED, |response| self.respond(response, challenges));
        }
        let Some(command) = command(line) else {
            return REFUSED;
        };
        let (keyword, rest) = command.split_once(' ').unwrap_or((&command, ""));
        match keyword {
            "CAPA" => block(self.capabilities()),
            "LANG" => language(rest),
            _ if self.logged_in => self.transaction(keyword, rest),
            _ => self.authorization(keyword, rest, named),
        }
    }

    /// Returns the numbers of the messages that QUIT removed; `None` if no update
    /// succeeded.
    #[must_use]
    pub fn removed(&self) -> Option<Vec<u32>> {
        let marked = (1..).zip(&self.marks).filter(|&(_, &marked)| marked);
        let is_updated = self.ended == Some(Ended::Updated);
        is_updated.then(|| marked.map(|(number, _)| number).collect())
    }

    /// Returns the messages that the next session finds if this one ends now.
    #[must_use]
    pub fn left(&self) -> Vec<(String, Vec<u8>)> {
        let removed = self.removed().unwrap_or_default();
        let messages = (1..).zip(&self.messages);
        let left = messages.filter(|(number, _)| !removed.contains(number));
        left.map(|(_, message)| message.clone()).collect()
    }

    fn authorization(&mut self, keyword: &str, rest: &str, named: Option<String>) -> Answer {
        let Setup { offers_all, .. } = self.setup;
        match keyword {
            "USER" | "PASS" if !self.accepts_passwords() => return REFUSED,
            // Without UTF8, names and passwords are ASCII (RFC 6856 §2.2).
            "USER" | "PASS" | "APOP" if !rest.is_ascii() && !offers_all => return REFUSED,
            "USER" => self.named = Some(rest.to_owned()),
            "PASS" if named.is_some() => return self.log_in(named.as_deref(), rest),
            "APOP" if offers_all => return self.log_in(None, last_word(rest)),
            "AUTH" if rest.is_empty() => {
                return block(self.usable_mechanisms().map(str::to_owned));
            }
            "AUTH" => return self.authenticate(rest),
            "UTF8" if offers_all => self.utf8 = true,
            // STLS cannot follow UTF8 (RFC 6856 §2.1).
            "STLS" if self.offers_stls() && !self.utf8 => self.handshake = true,
            "QUIT" => self.ended = Some(Ended::Quit),
            _ => return REFUSED,
        }
        OK
    }

    fn transaction(&mut self, keyword: &str, rest: &str) -> Answer {
        let number = rest.split(' ').next().and_then(|word| word.parse().ok());
        let index = number.map(|number: usize| number.wrapping_sub(1));
        if index.is_some_and(|index| self.marks.get(index) != Some(&false)) {
            return REFUSED;
        }
        let text = |text| Answer::Yes(Some(text), None);
        let held = || (0..self.messages.len()).filter(|&at| !self.marks[at]);
        let octets = |at: usize| self.messages[at].1.len();
        let size = |at: usize| format!("{} {}", at + 1, octets(at));
        let unique_id = |at: usize| format!("{} {}", at + 1, self.messages[at].0);
        match (keyword, index) {
            ("STAT", _) => {
                let octets: usize = held().map(octets).sum();
                return text(format!("{} {octets}", held().count()));
            }
            ("LIST", Some(at)) => return text(size(at)),
            ("LIST", None) => return block(held().map(size)),
            ("UIDL", Some(at)) => return text(unique_id(at)),
            ("UIDL", None) => return block(held().map(unique_id)),
            ("RETR", Some(at)) => return self.message(at, usize::MAX),
            ("TOP", Some(at)) => {
                return self.message(at, last_word(rest).parse().unwrap_or_default());
            }
            ("DELE", Some(at)) => self.marks[at] = true,
            ("RSET", _) => self.marks.fill(false),
            ("NOOP", _) => {}
            ("QUIT", _) if self.setup.in_trouble => {
                self.ended = Some(Ended::UpdateFailed);
                return Answer::No(Some("[SYS/TEMP]"));
            }
            ("QUIT", _) => self.ended = Some(Ended::Updated),
            _ => return REFUSED,
        }
        OK
    }

    /// Returns a message: the header, the blank line, and `count` lines of the
    /// body.
    fn message(&mut self, at: usize, count: usize) -> Answer {
        let (_, message) = &self.messages[at];
        match at {
            _ if self.setup.offers_all && !self.utf8 && !message.is_ascii() => {
                return Answer::No(Some("[UTF8]"));
            }
            _ if !self.setup.in_trouble => {}
            0 => return Answer::No(Some("[SYS/PERM]")),
            1 => return Answer::No(Some("[SYS/TEMP]")),
            _ => {
                self.ended = Some(Ended::MessageFailed);
                return Answer::BreaksOff;
            }
        }
        let lines: Vec<&[u8]> = message.split_inclusive(|&octet| octet == b'\n').collect();
        let blank = lines.iter().position(|&line| line == b"\r\n");
        let header = blank.map_or(lines.len(), |blank| blank + 1);
        let lines = &lines[..lines.len().min(header.saturating_add(count))];
        Answer::Yes(None, Some(lines.concat()))
    }

    fn authenticate(&mut self, words: &str) -> Answer {
        let (mechanism, response) = words.split_once(' ').unwrap_or((words, MORE));
        let is_usable = |name: &str| name.eq_ignore_ascii_case(mechanism);
        match self.usable_mechanisms().any(is_usable) && (response == "=" || is_base64(response)) {
            true => self.respond(response, 0),
            false => REFUSED,
        }
    }

    fn respond(&mut self, response: &str, challenges: u32) -> Answer {
        match response {
            MORE if challenges == CHALLENGES => self.log_in(None, "no"),
            MORE => {
                self.challenges = Some(challenges + 1);
                Answer::Challenge
            }
            _ => self.log_in(None, response),
        }
    }

    fn log_in(&mut self, name: Option<&str>, secret: &str) -> Answer {
        let refusal = (self.setup.refusal)(name, secret);
        self.logged_in = refusal.is_none();
        refusal.map_or(OK, |code| Answer::No(Some(code)))
    }

    const fn accepts_passwords(&self) -> bool {
        self.tls || !self.setup.passwords_need_tls
    }

    const fn offers_stls(&self) -> bool {
        !self.tls && !self.setup.no_stls
    }

    /// Returns the mechanisms that can be used: PLAIN only if a password may be
    /// sent.
    fn usable_mechanisms(&self) -> impl Iterator<Item = &'static str> {
        let accepts_passwords = self.accepts_passwords();
        let mechanisms = self.setup.mechanisms.iter().copied();
        mechanisms.filter(move |&name| accepts_passwords || name != "PLAIN")
    }

    fn capabilities(&self) -> Vec<String> {
        let all = self.setup.offers_all;
        let mechanisms: Vec<&str> = self.usable_mechanisms().collect();
        let sasl = format!("SASL {}", mechanisms.join(" "));
        let delay = format!("LOGIN-DELAY {LOGIN_DELAY}");
        let implementation = format!("IMPLEMENTATION {IMPLEMENTATION}");
        let lines = [
            (self.accepts_passwords(), "USER"),
            (true, &sasl),
            (true, "TOP"),
            (true, "UIDL"),
            (true, "PIPELINING"),
            (true, "RESP-CODES"),
            (true, "AUTH-RESP-CODE"),
            (true, "LANG"),
            (all, "EXPIRE NEVER"),
            (all, &delay),
            (!self.logged_in && self.offers_stls(), "STLS"),
            (all, "UTF8 USER"),
            (all, &implementation),
        ];
        let announced = lines.iter().filter(|(is_announced, _)| *is_announced);
        announced.map(|(_, line)| (*line).to_owned()).collect()
    }
}

/// Returns the refusal of a server with one account: [`NAME`] and [`PASSWORD`], or
/// [`PLAIN`].
#[must_use]
pub fn account(name: Option<&str>, secret: &str) -> Option<&'static str> {
    let is_right = match name {
        Some(name) => name == NAME && secret == PASSWORD,
        None => secret == PLAIN,
    };
    (!is_right).then_some("[AUTH]")
}

/// Answers LANG: English is the only language (RFC 6856 §3.2).
fn language(range: &str) -> Answer {
    let first = range.split('-').next().unwrap_or_default();
    match range {
        "" => block(["en English".to_owned()]),
        "*" => OK,
        _ if first.eq_ignore_ascii_case("en") => OK,
        _ => REFUSED,
    }
}

fn block(lines: impl IntoIterator<Item = String>) -> Answer {
    let lines = lines.into_iter().map(|line| line + "\r\n");
    Answer::Yes(None, Some(lines.collect::<String>().into()))
}

fn last_word(words: &str) -> &str {
    words.rsplit(' ').next().unwrap_or_default()
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

//! Clients that break one statement each.

use std::time::Instant;

use pop3_proto::{
    Command, FieldRule, IndicatorRule, MessageNumber, Profile,
    client::{ClientError, Config, DeleteProof, State},
};
use pop3_testkit::view::{self, Heard, Sound};

use crate::{
    checking::{Fault, Verdict, compare, found, passes},
    client::{Sessions, checks},
};

/// What a fault can look at.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    state: State,
    profile: &'a str,
    /// The lines so far, without line ends.
    lines: &'a [String],
    /// The last reply was negative.
    is_refused: bool,
}

impl Seen<'_> {
    fn last(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }
}

/// How a client errs.
#[derive(Clone, Copy)]
pub(crate) struct Spoilt {
    config: fn(&mut Config),
    /// What is sent for a line.
    sends: fn(&Seen<'_>, &str) -> String,
    /// The lines that are sent though the session refuses them.
    forces: fn(&Seen<'_>, &str) -> bool,
    /// The lines that are not sent.
    omits: fn(&Seen<'_>, &str) -> bool,
    /// What the octets of the server are taken for.
    reads: fn(&Seen<'_>, &str) -> String,
    /// Where it believes to be.
    believes: fn(&Seen<'_>) -> State,
}

const SOUND: Spoilt = Spoilt {
    config: |_| {},
    sends: |_, line| line.to_owned(),
    forces: |_, _| false,
    omits: |_, _| false,
    reads: |_, octets| octets.to_owned(),
    believes: |seen| seen.state,
};

impl Sessions for Spoilt {
    fn begin(&self, mut config: Config, now: Instant) -> Box<dyn view::Client> {
        (self.config)(&mut config);
        Box::new(Client {
            profile: config.profile.name,
            sound: Sound::new(config, now),
            fault: *self,
            lines: Vec::new(),
            output: String::new(),
            number: None,
            is_refused: false,
        })
    }
}

/// The session of pop3-proto with a fault.
struct Client {
    profile: &'static str,
    sound: Sound,
    fault: Spoilt,
    lines: Vec<String>,
    output: String,
    /// Of the message that a proof is wanted for.
    number: Option<MessageNumber>,
    is_refused: bool,
}

impl Client {
    fn seen(&self) -> Seen<'_> {
        Seen {
            state: self.sound.session().state(),
            profile: self.profile,
            lines: &self.lines,
            is_refused: self.is_refused,
        }
    }

    /// Sends a command, or not, whatever the session says.
    fn take(
        &mut self,
        command: &Command<'_>,
        enqueue: impl FnOnce(&mut Sound) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut line = Vec::new();
        let is_line = command.encode(&mut line).is_ok();
        let line: String = line.iter().map(|&octet| char::from(octet)).collect();
        if (self.fault.omits)(&self.seen(), line.trim_end()) {
            return Err(ClientError::Busy);
        }
        let is_forced = (self.fault.forces)(&self.seen(), line.trim_end());
        let octets = match enqueue(&mut self.sound) {
            Ok(()) => view::Client::transmit(&mut self.sound),
            Err(_) if is_forced && is_line => line.bytes().collect(),
            Err(error) => return Err(error),
        };
        let octets: String = octets.iter().map(|&octet| char::from(octet)).collect();
        self.output += &(self.fault.sends)(&self.seen(), &octets);
        self.lines.push(line.trim_end().to_owned());
        Ok(())
    }
}

impl view::Client for Client {
    fn sound(&mut self) -> &mut Sound {
        &mut self.sound
    }

    fn enqueue(&mut self, now: Instant, command: &Command<'_>) -> Result<(), ClientError> {
        self.take(command, |sound| sound.enqueue(now, command))
    }

    fn enqueue_dele(&mut self, now: Instant, proof: DeleteProof) -> Result<(), ClientError> {
        let Some(number) = self.number.take() else {
            return Err(ClientError::ProofNeeded);
        };
        let command = Command::Dele(number);
        self.take(&command, |sound| sound.enqueue_dele(now, proof))
    }

    fn proof(&mut self, number: MessageNumber) -> Option<DeleteProof> {
        self.number = Some(number);
        Some(Sound::held(number))
    }

    fn state(&mut self) -> State {
        (self.fault.believes)(&self.seen())
    }

    fn transmit(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
            .chars()
            .map(|char| char as u8)
            .collect()
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> Heard {
        let text: String = input.iter().map(|&octet| char::from(octet)).collect();
        self.is_refused = text.starts_with('-');
        let read = (self.fault.reads)(&self.seen(), &text);
        let octets: Vec<u8> = read.chars().map(|char| char as u8).collect();
        let (mut rest, mut said) = (&octets[..], Vec::new());
        let mut error = None;
        while !rest.is_empty() && error.is_none() {
            let heard = view::Client::handle_input(&mut self.sound, now, rest);
            rest = &rest[heard.consumed..];
            said.extend(heard.said);
            error = heard.error;
        }
        Heard {
            consumed: input.len(),
            said,
            error,
        }
    }
}

/// A check passes on our client.
pub(crate) fn sound(check: fn(&mut dyn Sessions) -> Verdict) {
    let mut client = SOUND;
    passes(check(&mut client));
}

#[test]
fn each_fault_fails_the_checks_of_its_statement_and_no_other() {
    let wrong: Vec<String> = FAULTS
        .iter()
        .filter_map(|fault| {
            let found = found(checks(), |check| {
                let mut client = fault.fault;
                (check.run)(&mut client)
            });
            compare(fault, &found).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

type Row = Fault<Spoilt>;

const fn row(id: &'static str, what: &'static str, fault: Spoilt) -> Row {
    Fault {
        id,
        what,
        fault,
        also: &[],
    }
}

const fn sends(sends: fn(&Seen<'_>, &str) -> String) -> Spoilt {
    Spoilt { sends, ..SOUND }
}

const fn forces(forces: fn(&Seen<'_>, &str) -> bool) -> Spoilt {
    Spoilt { forces, ..SOUND }
}

const fn omits(omits: fn(&Seen<'_>, &str) -> bool) -> Spoilt {
    Spoilt { omits, ..SOUND }
}

const fn reads(reads: fn(&Seen<'_>, &str) -> String) -> Spoilt {
    Spoilt { reads, ..SOUND }
}

const fn config(config: fn(&mut Config)) -> Spoilt {
    Spoilt { config, ..SOUND }
}

/// The line with something behind its words.
fn with(line: &str, more: &str) -> String {
    format!("{}{more}\r\n", line.trim_end())
}

/// The line, if it begins so, changed.
fn at(line: &str, start: &str, change: impl Fn(&str) -> String) -> String {
    if line.starts_with(start) {
        change(line)
    } else {
        line.to_owned()
    }
}

pub(crate) const FAULTS: &[Row] = &[
    row(
        "C0003",
        "ends lines by LF",
        sends(|_, line| line.replace("\r\n", "\n")),
    ),
    row(
        "C0003",
        "ends STAT by CR",
        sends(|_, line| at(line, "STAT", |line| line.replace('\n', ""))),
    ),
    row(
        "C0003",
        "does not end QUIT",
        sends(|_, line| at(line, "QUIT", |_| "QUIT".to_owned())),
    ),
    row(
        "C0003",
        "sends a NUL with RETR",
        sends(|_, line| at(line, "RETR", |line| line.replacen("RETR ", "RETR \0", 1))),
    ),
    row(
        "C0003",
        "sends names beyond ASCII",
        forces(|_, line| line.contains('\u{c3}')),
    ),
    row(
        "C0004",
        "sends two spaces",
        sends(|_, line| line.replacen(' ', "  ", 1)),
    ),
    row(
        "C0004",
        "sends a TAB",
        sends(|_, line| at(line, "TOP", |line| line.replace(' ', "\t"))),
    ),
    row(
        "C0004",
        "sends a space before CRLF",
        sends(|_, line| at(line, "NOOP", |line| with(line, " "))),
    ),
    row(
        "C0004",
        "reads one space alone",
        config(|config| config.profile.fields = FieldRule::RFC1939),
    ),
    row(
        "C0004",
        "reads runs of spaces and no TAB",
        reads(|seen, octets| match seen.state {
            State::Transaction => octets.replace('\t', "?"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "C0004",
        "splits a name for APOP",
        forces(|_, line| line.starts_with("APOP m rose")),
    ),
    Row {
        also: &[("C0004", "a TAB after +OK is no reply by that rule")],
        ..row(
            "V0001",
            "reads upper case alone",
            config(|config| config.profile.reply.indicator = IndicatorRule::Exact),
        )
    },
    row(
        "V0001",
        "goes by the first octet by the RFC too",
        config(|config| config.profile.reply.indicator = IndicatorRule::FirstOctet),
    ),
    row(
        "V0001",
        "takes +ERR for no",
        reads(|_, octets| octets.replace("+ERR", "-ERR")),
    ),
    row(
        "V0001",
        "takes OK for yes",
        reads(|seen, octets| match is_rfc(seen) {
            false => at(octets, "OK", |octets| format!("+{octets}")),
            true => octets.to_owned(),
        }),
    ),
    row(
        "V0002",
        "reads listings to a lone dot",
        config(|config| config.profile.reply.dot_line_ends_listing = false),
    ),
    row(
        "V0002",
        "ends listings at any dot by the RFC too",
        config(|config| config.profile.reply.dot_line_ends_listing = true),
    ),
    row(
        "V0002",
        "ends the list of AUTH at any dot",
        reads(|seen, octets| match seen.last() {
            "AUTH" => octets.replace("\r\n..cd", "\r\n.\r\n..cd"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "V0002",
        "removes no dot",
        reads(|seen, octets| match seen.last().split(' ').next() {
            Some("RETR" | "TOP") => octets
                .replace("\r\n.", "\r\n..")
                .replace("\r\n..\r\n", "\r\n.\r\n"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "C0007",
        "sends USER ahead of the greeting",
        forces(|seen, line| seen.state == State::Greeting && line.starts_with("USER")),
    ),
    row(
        "C0008",
        "takes a name for a login",
        Spoilt {
            believes: |seen| match (seen.state, seen.last().starts_with("USER")) {
                (State::Authorization, true) => State::Transaction,
                (state, _) => state,
            },
            ..SOUND
        },
    ),
    row(
        "C0008",
        "takes a refused password for a login",
        Spoilt {
            believes: |seen| match (seen.state, seen.last().starts_with("PASS")) {
                (State::Authorization, true) => State::Transaction,
                (state, _) => state,
            },
            ..SOUND
        },
    ),
    row(
        "C0010",
        "tries once",
        omits(|seen, line| line.starts_with("USER") && has(seen, "PASS")),
    ),
    row(
        "C0010",
        "stays after a refused login",
        omits(|seen, line| {
            line == "QUIT" && seen.last().starts_with("PASS") && seen.state == State::Authorization
        }),
    ),
    row(
        "C0010",
        "tries twice",
        omits(|seen, line| line.starts_with("USER") && count(seen, "PASS") > 1),
    ),
    row(
        "C0012",
        "says why it leaves, before login",
        sends(|seen, line| match seen.state {
            State::Authorization => at(line, "QUIT", |line| with(line, " now")),
            _ => line.to_owned(),
        }),
    ),
    row(
        "C0013",
        "asks for the size once",
        omits(|seen, line| line == "STAT" && has(seen, "STAT")),
    ),
    row(
        "C0013",
        "lists once",
        omits(|seen, line| line == "LIST" && has(seen, "LIST")),
    ),
    row(
        "C0013",
        "retrieves a message twice at most",
        omits(|seen, line| line == "RETR 1" && count(seen, "RETR 1") > 1),
    ),
    row(
        "C0015",
        "sends a number with STAT",
        sends(|_, line| at(line, "STAT", |line| with(line, " 1"))),
    ),
    row(
        "C0015",
        "sends a name with STAT, asked by Outlook",
        sends(|seen, line| match is_rfc(seen) {
            true => line.to_owned(),
            false => at(line, "STAT", |line| with(line, " mrose")),
        }),
    ),
    row(
        "C0016",
        "sends STAT before login",
        forces(|seen, line| line == "STAT" && seen.state == State::Authorization),
    ),
    row(
        "C0016",
        "sends STAT ahead of the greeting",
        forces(|seen, line| line == "STAT" && seen.state == State::Greeting),
    ),
    row(
        "C0016",
        "sends STAT after QUIT",
        forces(|seen, line| line == "STAT" && seen.state == State::Update),
    ),
    row(
        "C0016",
        "sends STAT when all is lost",
        forces(|seen, line| line == "STAT" && seen.state == State::Desync),
    ),
    row(
        "C0016",
        "sends STAT in place of the handshake",
        forces(|seen, line| line == "STAT" && seen.state == State::Handshake),
    ),
    row(
        "C0018",
        "sends LIST before login",
        forces(|seen, line| line == "LIST" && seen.state == State::Authorization),
    ),
    row(
        "C0018",
        "sends LIST in every state",
        forces(|_, line| line == "LIST"),
    ),
    row(
        "C0018",
        "sends LIST behind PASS",
        forces(|seen, line| line == "LIST" && seen.last().starts_with("PASS")),
    ),
    row(
        "V0003",
        "sends LIST 1",
        forces(|seen, line| line == "LIST 1" && seen.state == State::Transaction),
    ),
    row(
        "V0003",
        "sends LIST 9 as Outlook 2007",
        forces(|seen, line| {
            line == "LIST 9" && seen.state == State::Transaction && seen.profile == "outlook-2007"
        }),
    ),
    row(
        "V0004",
        "sends RETR alone",
        sends(|_, line| at(line, "RETR", |_| "RETR\r\n".to_owned())),
    ),
    row(
        "V0004",
        "sends the next number with RETR",
        sends(|_, line| at(line, "RETR 3", |_| "RETR 4\r\n".to_owned())),
    ),
    row(
        "V0004",
        "sends two numbers with RETR",
        sends(|_, line| at(line, "RETR", |line| with(line, " 1"))),
    ),
    row(
        "V0005",
        "sends RETR before login",
        forces(|seen, line| line.starts_with("RETR") && seen.state == State::Authorization),
    ),
    row(
        "V0005",
        "sends RETR in every state",
        forces(|_, line| line.starts_with("RETR")),
    ),
    row(
        "C0024",
        "sends DELE alone",
        sends(|_, line| at(line, "DELE", |_| "DELE\r\n".to_owned())),
    ),
    row(
        "C0024",
        "sends DELE with another number",
        sends(|_, line| at(line, "DELE 10", |_| "DELE 1\r\n".to_owned())),
    ),
    row(
        "C0025",
        "sends DELE before login",
        forces(|seen, line| line.starts_with("DELE") && seen.state == State::Authorization),
    ),
    row(
        "C0025",
        "sends DELE after QUIT",
        forces(|seen, line| line.starts_with("DELE") && seen.state == State::Update),
    ),
    row(
        "C0027",
        "sends words with NOOP",
        sends(|_, line| at(line, "NOOP", |line| with(line, " still here"))),
    ),
    row(
        "C0028",
        "sends NOOP before login",
        forces(|seen, line| line == "NOOP" && seen.state == State::Authorization),
    ),
    row(
        "C0028",
        "sends NOOP where the server has said goodbye",
        forces(|seen, line| line == "NOOP" && seen.state == State::Closed),
    ),
    row(
        "V0006",
        "sends RSET",
        forces(|seen, line| line == "RSET" && seen.state == State::Transaction),
    ),
    row(
        "V0006",
        "sends RSET after DELE",
        forces(|seen, line| line == "RSET" && has(seen, "DELE")),
    ),
    row(
        "C0030",
        "says why it leaves, after login",
        sends(|seen, line| match seen.state {
            State::Transaction => at(line, "QUIT", |line| with(line, " now")),
            _ => line.to_owned(),
        }),
    ),
    row(
        "C0032",
        "leaves out the number of lines if it is 0",
        sends(|_, line| at(line, "TOP", |line| line.replace(" 0", ""))),
    ),
    row(
        "C0032",
        "sends the number of lines first",
        sends(|_, line| at(line, "TOP 3 10", |_| "TOP 10 3\r\n".to_owned())),
    ),
    row(
        "C0032",
        "sends the number of lines alone",
        sends(|_, line| at(line, "TOP", |line| line.replacen(" 3", "", 1))),
    ),
    row(
        "C0033",
        "sends TOP before login",
        forces(|seen, line| line.starts_with("TOP") && seen.state == State::Authorization),
    ),
    row(
        "C0033",
        "sends TOP in every state",
        forces(|_, line| line.starts_with("TOP")),
    ),
    row(
        "V0007",
        "sends UIDL 1",
        forces(|seen, line| line == "UIDL 1" && seen.state == State::Transaction),
    ),
    row(
        "V0007",
        "sends UIDL 9 before login",
        forces(|seen, line| line == "UIDL 9" && seen.state == State::Authorization),
    ),
    row(
        "C0035",
        "sends UIDL before login",
        forces(|seen, line| line == "UIDL" && seen.state == State::Authorization),
    ),
    row(
        "C0035",
        "sends UIDL after QUIT",
        forces(|seen, line| line == "UIDL" && seen.state == State::Update),
    ),
    row(
        "C0042",
        "sends USER alone",
        sends(|_, line| at(line, "USER", |_| "USER\r\n".to_owned())),
    ),
    row(
        "C0042",
        "sends the domain apart",
        sends(|_, line| at(line, "USER", |line| line.replace('@', " "))),
    ),
    row(
        "C0043",
        "sends USER after login",
        forces(|seen, line| line.starts_with("USER") && seen.state == State::Transaction),
    ),
    row(
        "C0043",
        "sends USER after QUIT",
        forces(|seen, line| line.starts_with("USER") && seen.state == State::Closed),
    ),
    row(
        "C0044",
        "begins with PASS",
        forces(|seen, line| {
            line.starts_with("PASS") && !has(seen, "USER") && seen.state == State::Authorization
        }),
    ),
    row(
        "C0044",
        "sends PASS for a name that it has not sent, after CAPA",
        forces(|seen, line| line.starts_with("PASS") && seen.lines == ["CAPA"]),
    ),
    row(
        "C0045",
        "sends CAPA after a positive USER",
        forces(|seen, line| line == "CAPA" && seen.last().starts_with("USER")),
    ),
    row(
        "C0045",
        "sends USER twice",
        forces(|seen, line| {
            line.starts_with("USER")
                && seen.state == State::Authorization
                && seen.last().starts_with("USER")
        }),
    ),
    row(
        "C0045",
        "sends PASS after a negative USER",
        Spoilt {
            forces: |seen, line| {
                line.starts_with("PASS") && seen.last() == "USER mrose" && seen.is_refused
            },
            ..SOUND
        },
    ),
    row(
        "C0046",
        "sends PASS alone",
        sends(|_, line| at(line, "PASS", |_| "PASS\r\n".to_owned())),
    ),
    row(
        "C0046",
        "sends the first word of a password",
        sends(|_, line| {
            at(line, "PASS", |line| {
                format!(
                    "PASS {}\r\n",
                    line.trim_end()[5..].split(' ').next().unwrap_or_default()
                )
            })
        }),
    ),
    row(
        "C0047",
        "tries a password again",
        forces(|seen, line| {
            line.starts_with("PASS")
                && seen.last().starts_with("PASS")
                && seen.state == State::Authorization
        }),
    ),
    row(
        "C0047",
        "sends PASS ahead of the reply to USER",
        forces(|seen, line| {
            line == "PASS tanstaaf" && seen.last().starts_with("USER") && !seen.is_refused
        }),
    ),
    row(
        "C0047",
        "sends PASS after login",
        forces(|seen, line| line.starts_with("PASS") && seen.state == State::Transaction),
    ),
    row(
        "V0008",
        "sends APOP as Outlook",
        forces(|seen, line| {
            line.starts_with("APOP mrose") && seen.state == State::Authorization && !is_rfc(seen)
        }),
    ),
];

fn has(seen: &Seen<'_>, start: &str) -> bool {
    count(seen, start) > 0
}

fn count(seen: &Seen<'_>, start: &str) -> usize {
    seen.lines
        .iter()
        .filter(|line| line.starts_with(start))
        .count()
}

fn is_rfc(seen: &Seen<'_>) -> bool {
    seen.profile == Profile::RFC1939.name
}

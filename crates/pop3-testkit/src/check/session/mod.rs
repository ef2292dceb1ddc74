//! Sessions with a hostile peer: what they do is what a model of the whole
//! input says, however the octets are cut; an error is final, and every call
//! makes progress.

mod client;
mod client_model;
mod server;
mod server_model;

use std::time::Instant;

use pop3_proto::{Argument, Command, Mechanism, MessageNumber, Secret, server::Closed};

use crate::{
    chunk,
    view::{Clients, Servers},
};

/// What ends a flight: the peer waits, and a handshake that is due is done.
/// Where none is due it changes nothing.
const END_OF_FLIGHT: u8 = 1;

/// A client with a script, and any octets as the server's.
///
/// Of the first octet, bit 0 says whether it is Outlook, bit 1 that the server
/// falls silent at the end and does not close, bit 2 that the client goes on
/// only at the end of a flight, and the upper half where the script begins; the
/// second octet draws the script.
pub fn client_session(clients: Clients, input: &[u8]) {
    let Some((scenario, wire)) = scenario(input) else {
        return;
    };
    let expected = client_model::log(&scenario, &wire);
    let (now, seed) = (Instant::now(), chunk::seed(input));
    for plan in plans(&wire, seed) {
        let log = client::log(clients, &scenario, &plan, now);
        assert_eq!(log, expected, "{plan:?}");
    }
}

/// Whether that session is over, and more octets would change nothing.
#[must_use]
pub fn client_is_over(input: &[u8]) -> bool {
    scenario(input).is_none_or(|(scenario, wire)| {
        let log = client_model::log(&scenario, &wire);
        let is_end = |line: &String| {
            line.starts_with("error ") || matches!(&line[..], "state closed" | "state UPDATE")
        };
        log.iter().any(is_end)
    })
}

/// A server with some messages, and any octets as the client's.
///
/// Of the first octet, bit 0 says that the client is logged in, and the others
/// how the server is set up ([`Setting`]).
pub fn server_session(servers: Servers, input: &[u8]) {
    let Some((setting, wire)) = client_octets(input) else {
        return;
    };
    let expected = server_model::run(&wire, setting);
    let (now, seed) = (Instant::now(), chunk::seed(input));
    for plan in plans(&wire, seed) {
        server::run(servers, setting, &plan, now).compare(&expected);
    }
}

/// Whether that session is over, and more octets would change nothing.
#[must_use]
pub fn server_is_over(input: &[u8]) -> bool {
    client_octets(input).is_none_or(|(setting, wire)| {
        let closed = server_model::run(&wire, setting).closed;
        !matches!(closed, None | Some(Closed::Autologout | Closed::Eof))
    })
}

fn scenario(input: &[u8]) -> Option<(Scenario, Vec<u8>)> {
    let [header, drawn, wire @ ..] = input else {
        return None;
    };
    let scenario = Scenario::new(*header, *drawn);
    let wire = [scenario.prologue, wire].concat();
    Some((scenario, wire))
}

/// How a server is set up, and what the client says.
fn client_octets(input: &[u8]) -> Option<(Setting, Vec<u8>)> {
    let (&header, wire) = input.split_first()?;
    let prologue = match header & 1 {
        1 => &b"USER mrose\r\nPASS tanstaaf\r\n"[..],
        _ => b"",
    };
    Some((Setting::new(header), [prologue, wire].concat()))
}

/// How a server is set up, and its maildrop, and how the client ends.
#[derive(Clone, Copy, Debug)]
struct Setting {
    /// Bit 1: the client falls silent at the end and does not close.
    silent: bool,
    /// Bit 2: APOP, UTF8, a login delay and an implementation are offered, and
    /// a fourth message is for clients that ask for UTF8.
    offers_all: bool,
    /// Bit 3: the maildrop is [in trouble](crate::view::Shelf::in_trouble).
    in_trouble: bool,
    /// Bit 4: no password is taken without TLS.
    passwords_need_tls: bool,
    /// Bit 5: STLS is not offered.
    no_stls: bool,
}

impl Setting {
    const fn new(header: u8) -> Self {
        Self {
            silent: header & 2 != 0,
            offers_all: header & 4 != 0,
            in_trouble: header & 8 != 0,
            passwords_need_tls: header & 16 != 0,
            no_stls: header & 32 != 0,
        }
    }
}

/// What kind of reply a script waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// One line.
    Line,
    /// One line with a block.
    Block,
    /// The reply to STLS.
    Stls,
}

/// The replies that the script of [`client_session`] waits for, after those
/// that it has at its start.
#[must_use]
pub fn due_replies(header: u8, drawn: u8) -> Vec<Due> {
    let scenario = Scenario::new(header, drawn);
    let answered = scenario
        .prologue
        .windows(3)
        .filter(|&octets| octets == b"+OK")
        .count();
    let commands = scenario
        .steps
        .iter()
        .flatten()
        .map(|command| match command {
            Command::Stls => Due::Stls,
            command if command.is_multiline() => Due::Block,
            _ => Due::Line,
        });
    let greeting = [Due::Line];
    greeting
        .into_iter()
        .chain(commands)
        .skip(answered)
        .collect()
}

/// Ways to cut the flights of a wire into reads: whole, and drawn.
fn plans(wire: &[u8], seed: u64) -> [Vec<Vec<&[u8]>>; 2] {
    let flights = || wire.split(|&octet| octet == END_OF_FLIGHT);
    let drawn = |flight| chunk::drawn_plan(flight, seed);
    [
        flights().map(|flight| vec![flight]).collect(),
        flights().map(drawn).collect(),
    ]
}

/// What a client's driver does.
struct Scenario {
    outlook: bool,
    silent: bool,
    /// Whether the next step waits for the end of a flight.
    paced: bool,
    /// Whether it begins without TLS, and shows nothing secret then.
    stls: bool,
    /// What the server says before the drawn octets.
    prologue: &'static [u8],
    /// Which of [`RESPONSES`] is the first.
    first_response: usize,
    /// What to do when all replies are there. Commands that stand together are
    /// sent together.
    steps: Vec<Vec<Command<'static>>>,
}

impl Scenario {
    fn new(header: u8, drawn: u8) -> Self {
        const LOGGED_IN: &[u8] = b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01";
        const PIPELINING: &[u8] =
            b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01+OK\r\nPIPELINING\r\n.\r\n\x01";
        let login = || {
            let name = Argument::new("mrose").map(Command::User);
            let password = Secret::new("tanstaaf").map(Command::Pass);
            [name, password].map(|command| vec![command.expect("an argument")])
        };
        let one = |command| vec![command];
        let (first, second) = (MessageNumber::FIRST, MessageNumber::new(2));
        let second = second.unwrap_or(first);
        let mut transaction = vec![
            Command::Stat,
            Command::List(None),
            Command::Uidl(None),
            Command::List(Some(second)),
            Command::Retr(first),
            Command::Dele(first),
            Command::Capa,
            Command::Top(first, 1),
            Command::Uidl(Some(second)),
            Command::Noop,
            Command::Retr(first),
            Command::Quit,
        ];
        let length = transaction.len();
        transaction.rotate_left(usize::from(header >> 4) % length);
        let (stls, prologue, steps): (bool, &'static [u8], Vec<_>) = match drawn % 5 {
            0 => {
                let mut steps = vec![one(Command::Capa)];
                steps.extend(login());
                steps.extend([one(Command::Stat), one(Command::Quit)]);
                (false, &b""[..], steps)
            }
            1 => {
                let steps = login().into_iter();
                let steps = steps.chain(transaction.into_iter().map(one));
                (false, LOGGED_IN, steps.collect())
            }
            2 => {
                transaction.retain(|command| !matches!(command, Command::Quit | Command::Dele(_)));
                transaction.push(Command::Quit);
                let steps = login().into_iter();
                let steps = steps.chain([one(Command::Capa), transaction]);
                (false, PIPELINING, steps.collect())
            }
            3 => {
                let mut steps = vec![one(Command::Capa), one(Command::Stls), one(Command::Capa)];
                steps.extend(login());
                steps.push(one(Command::Quit));
                (true, b"+OK\r\n\x01", steps)
            }
            _ => {
                let auth = |octets: usize| Command::Auth {
                    mechanism: Mechanism::new("XOAUTH2").expect("a mechanism"),
                    initial_response: match octets {
                        0 => None,
                        _ => Secret::new(&TOKEN[..octets]).ok(),
                    },
                };
                let mut steps = vec![one(auth(0)), one(auth(240)), one(auth(241))];
                steps.extend([one(auth(0)), one(Command::Quit)]);
                steps.rotate_left(usize::from(header >> 4) % 4);
                (false, b"+OK\r\n\x01", steps)
            }
        };
        Self {
            outlook: header & 1 == 1,
            silent: header & 2 == 2,
            paced: header & 4 == 4,
            stls,
            prologue,
            first_response: usize::from(header >> 6),
            steps,
        }
    }
}

/// Base64 for an initial response.
const TOKEN: &str = {
    const OCTETS: &[u8; 241] = &[b'A'; 241];
    match std::str::from_utf8(OCTETS) {
        Ok(token) => token,
        Err(_) => "",
    }
};

/// The answers to the challenges of a session, in turn.
const RESPONSES: [&str; 4] = ["YWJj", "*", "", "*"];

//! Sessions with a hostile peer: what they do is what a model of the whole
//! input says, however the octets are cut; an error is final, and every call
//! makes progress.

mod client;
mod client_model;
mod scenario;
mod server;
mod server_model;

use std::time::Instant;

use pop3_proto::{Command, server::Closed};

use self::scenario::Scenario;
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
/// only at the end of a flight, bit 3 that it is wary and sends what is rare, and
/// the upper half where the script begins; the second octet draws the script.
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
/// Of the first octet, bit 0 says that the client is logged in, and bit 1 that
/// it falls silent at the end and does not close. Bit 2: the server offers APOP,
/// UTF8, a login delay and an implementation, and has a fourth message, for
/// clients that ask for UTF8. Bit 3: its maildrop is [in
/// trouble](crate::view::Shelf::in_trouble). Bit 4: it takes no password without
/// TLS. Bit 5: it does not offer STLS.
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

/// How a server is set up: the first octet of [`server_session`].
#[derive(Clone, Copy, Debug)]
struct Setting {
    silent: bool,
    offers_all: bool,
    in_trouble: bool,
    passwords_need_tls: bool,
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

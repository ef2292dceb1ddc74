//! A session with a hostile peer behaves like the model, however the input is cut.
//! An error is final, and every call makes progress.

mod client;
mod server;

use std::time::Instant;

use dot_stuffing_testkit::chunk;

use crate::{
    generate,
    oracle::{self, END_OF_FLIGHT, Scenario, Setup},
    view::{Clients, Servers},
};

/// Runs a client with a script against any octets from a server. The first two
/// octets draw the [scenario](generate::scenario).
pub fn client_session(clients: Clients, input: &[u8]) {
    let Some((scenario, wire)) = scenario(input) else {
        return;
    };
    let expected = oracle::client(&scenario, &wire).log;
    let (now, seed) = (Instant::now(), chunk::seed(input));
    for plan in plans(&wire, seed) {
        let log = client::log(clients, &scenario, &plan, now);
        assert_eq!(log, expected, "{plan:?}");
    }
}

/// Whether that session is over, so that more octets would change nothing.
#[must_use]
pub fn client_is_over(input: &[u8]) -> bool {
    scenario(input).is_none_or(|(scenario, wire)| oracle::client(&scenario, &wire).is_over)
}

/// Runs a server with some messages against any octets from a client.
///
/// In the first octet, bit 0 means that the client has logged in, and bit 1 that it
/// falls silent at the end instead of closing. Bit 2: the server offers APOP, UTF8,
/// a login delay and an implementation, and has a fourth message, for clients that
/// ask for UTF8. Bit 3: its maildrop is [in
/// trouble](crate::view::MemoryMaildrop::in_trouble). Bit 4: it accepts no password
/// without TLS. Bit 5: it does not offer STLS.
pub fn server_session(servers: Servers, input: &[u8]) {
    let Some((setup, wire)) = client_octets(input) else {
        return;
    };
    let silent = input[0] & 2 != 0;
    let mut model = oracle::Server::new(setup, server::texts(setup));
    let answers = model.converse(&wire);
    let (now, seed) = (Instant::now(), chunk::seed(input));
    for plan in plans(&wire, seed) {
        server::run(servers, setup, silent, &plan, now).compare(&answers, &model, silent);
    }
}

/// Whether that session is over, so that more octets would change nothing.
#[must_use]
pub fn server_is_over(input: &[u8]) -> bool {
    client_octets(input).is_none_or(|(setup, wire)| {
        let mut model = oracle::Server::new(setup, server::texts(setup));
        model.converse(&wire);
        model.ended.is_some()
    })
}

fn scenario(input: &[u8]) -> Option<(Scenario, Vec<u8>)> {
    let [header, drawn, wire @ ..] = input else {
        return None;
    };
    let (scenario, prologue) = generate::scenario(*header, *drawn);
    Some((scenario, [prologue, wire].concat()))
}

/// Returns the configuration of a server, and the octets of the client.
fn client_octets(input: &[u8]) -> Option<(Setup, Vec<u8>)> {
    let (&header, wire) = input.split_first()?;
    let setup = Setup {
        offers_all: header & 4 != 0,
        in_trouble: header & 8 != 0,
        passwords_need_tls: header & 16 != 0,
        no_stls: header & 32 != 0,
        mechanisms: &server::MECHANISMS,
        refusal: server::refusal,
    };
    let prologue = match header & 1 {
        1 => &b"USER mrose\r\nPASS tanstaaf\r\n"[..],
        _ => b"",
    };
    Some((setup, [prologue, wire].concat()))
}

/// The kind of reply that a script waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A status line.
    Line,
    /// A status line with a block.
    Block,
    /// The reply to STLS.
    Stls,
}

/// Returns the replies that the script of [`client_session`] waits for, after those
/// that its prologue contains.
#[must_use]
pub fn due_replies(header: u8, drawn: u8) -> Vec<Due> {
    let (scenario, prologue) = generate::scenario(header, drawn);
    let answered = prologue.windows(3).filter(|&octets| octets == b"+OK");
    let commands = scenario.steps.iter().flatten();
    let commands = commands.map(|command| match &command[..] {
        "STLS" => Due::Stls,
        command if oracle::is_multiline(command) => Due::Block,
        _ => Due::Line,
    });
    let due = std::iter::once(Due::Line).chain(commands);
    due.skip(answered.count()).collect()
}

/// Cuts the flights of a wire into reads in two ways: whole, and drawn.
fn plans(wire: &[u8], seed: u64) -> [Vec<Vec<&[u8]>>; 2] {
    let flights = || wire.split(|&octet| octet == END_OF_FLIGHT);
    let drawn = |flight| chunk::drawn_plan(flight, seed);
    [
        flights().map(|flight| vec![flight]).collect(),
        flights().map(drawn).collect(),
    ]
}

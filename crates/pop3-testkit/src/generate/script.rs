//! Generates the operations of a client in several sessions with one maildrop, one
//! letter for each operation.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use dot_stuffing_testkit::{
    chunk,
    generate::{Octets, fuzz_input},
};
use pop3_proto::{
    Argument, Command, Mechanism, MessageNumber, Profile, Secret,
    client::{Config, Transport},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    oracle::{NAME, PASSWORD, PLAIN},
    wire::Cut,
};

/// Consecutive sessions with one maildrop.
///
/// As fuzz input: an octet for the client's [configuration](Self::config), one for
/// the cuts and timers, the [operations](Op), and then each message as [`Octets`]
/// after an octet 0xFF.
#[derive(Clone, Debug)]
pub struct Script {
    /// The configuration of the client in each session.
    pub config: Config,
    /// The cuts of the octets to the server and to the client.
    pub cuts: [Cut; 2],
    /// The seed of everything else that is drawn.
    pub seed: u64,
    /// The operations.
    pub operations: Vec<Op>,
    /// The messages in the maildrop at the start.
    pub messages: Vec<Octets>,
}

/// An operation. The docs give its letter in fuzz input.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// A command other than DELE: `u` USER, `U` with a wrong name, `p` PASS, `P`
    /// with a wrong password, `a` AUTH PLAIN, `A` with a wrong response, `g` with
    /// none, `c` CAPA, `s` STAT, `l` LIST, `L3` LIST 3, `i` UIDL, `I3` UIDL 3, `R3`
    /// RETR 3, `T32` TOP 3 2, `n` NOOP, `z` RSET, `q` QUIT.
    Send(Command<'static>),
    /// `D3`: DELE 3, with the caller's word as the proof.
    Dele(MessageNumber),
    /// `d3`: DELE 3, with the last proof that a session returned, if there is one.
    DeleRetrieved(MessageNumber),
    /// `+`: the right response to a challenge; `*`: cancels the exchange.
    Respond(bool),
    /// `m`: a message arrives.
    Deliver,
    /// `x`: the client closes, and octets in transit are lost; `X`: the client
    /// closes, and octets in transit arrive.
    HangUp(bool),
    /// `w`: 119 seconds pass; `W`: 481. The reply timeout is between these two;
    /// together they are ten minutes.
    Wait(Duration),
    /// `;`: all octets in transit and all replies arrive.
    Settle,
    /// Any other octet: 1 to 16 [steps](crate::joined::Joined::step).
    Step(u8),
}

impl Script {
    /// Reads fuzz input.
    #[must_use]
    pub fn read(input: &[u8]) -> Self {
        let mut parts = input.split(|&octet| octet == 0xFF);
        let (config, rest) = first(parts.next().unwrap_or_default());
        let (drawn, mut letters) = first(rest);
        let mut operations = Vec::new();
        while let Some((&letter, rest)) = letters.split_first() {
            letters = rest;
            operations.push(operation(letter, &mut letters));
        }
        Self {
            config: configuration(config, drawn),
            cuts: [drawn, drawn >> 2].map(|drawn| Cut::ALL[usize::from(drawn & 3)]),
            seed: chunk::seed(input),
            operations,
            messages: parts.take(9).map(Octets::expand).collect(),
        }
    }
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::read(u.bytes(u.len())?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::read(u.take_rest()))
    }
}

/// Splits off the next octet; returns `0` at the end.
fn first(octets: &[u8]) -> (u8, &[u8]) {
    octets
        .split_first()
        .map_or((b'0', octets), |(&first, rest)| (first, rest))
}

/// Reads the client's configuration. The low digit of `octet` is the profile. 0x10:
/// with pipelining; 0x40: with a narrow window. 0x10 of `drawn`: the client waits
/// longer than the server.
fn configuration(octet: u8, drawn: u8) -> Config {
    let profile = Profile::ALL[usize::from(octet & 15) % Profile::ALL.len()];
    let mut config = Config::new(profile, Transport::Cleartext);
    config.pipelining = octet & 0x10 != 0;
    if octet & 0x40 != 0 {
        config.limits.window_octets = 24;
    }
    if drawn & 0x10 != 0 {
        config.timeouts.idle = Duration::from_secs(3600);
    }
    config
}

fn operation(letter: u8, letters: &mut &[u8]) -> Op {
    let mut digit = || {
        let (digit, rest) = first(letters);
        *letters = rest;
        digit.wrapping_sub(b'0')
    };
    let mut number = || {
        let number = MessageNumber::new(u32::from(digit()));
        // Zero means the highest number.
        number
            .or(MessageNumber::new(u32::MAX))
            .unwrap_or(MessageNumber::FIRST)
    };
    Op::Send(match letter {
        b'u' => argument(NAME),
        b'U' => argument("you"),
        b'p' => secret(PASSWORD),
        b'P' => secret("tanstaaf"),
        b'a' => auth(Some(PLAIN)),
        b'A' => auth(Some("AG1lAA==")),
        b'g' => auth(None),
        b'c' => Command::Capa,
        b's' => Command::Stat,
        b'l' => Command::List(None),
        b'L' => Command::List(Some(number())),
        b'i' => Command::Uidl(None),
        b'I' => Command::Uidl(Some(number())),
        b'R' => Command::Retr(number()),
        b'T' => Command::Top(number(), digit().into()),
        b'n' => Command::Noop,
        b'z' => Command::Rset,
        b'q' => Command::Quit,
        b'D' => return Op::Dele(number()),
        b'd' => return Op::DeleRetrieved(number()),
        b'+' => return Op::Respond(true),
        b'*' => return Op::Respond(false),
        b'm' => return Op::Deliver,
        b'x' => return Op::HangUp(true),
        b'X' => return Op::HangUp(false),
        b'w' => return Op::Wait(Duration::from_secs(119)),
        b'W' => return Op::Wait(Duration::from_secs(481)),
        b';' => return Op::Settle,
        _ => return Op::Step(1 + letter % 16),
    })
}

fn argument(name: &'static str) -> Command<'static> {
    Command::User(Argument::new(name).expect("a name"))
}

fn secret(password: &'static str) -> Command<'static> {
    Command::Pass(Secret::new(password).expect("a password"))
}

fn auth(response: Option<&'static str>) -> Command<'static> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a mechanism"),
        initial_response: response.map(|text| Secret::new(text).expect("base64")),
    }
}

/// Generates scripts for property tests, as fuzz input.
pub fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let word = |words: &'static [&'static str]| select(words).prop_map(str::to_owned);
    let numbered = (select(&["R", "R", "D", "d", "d", "L", "I"][..]), 0..6_u8)
        .prop_map(|(letter, number)| format!("{letter}{number}"));
    let top = (0..6_u8, 0..4_u8).prop_map(|(number, lines)| format!("T{number}{lines}"));
    let login = word(&[
        ";u;p;", ";u;p;", ";u;p;c;", ";a;c;", ";g;+;", ";g;*;a;", ";u;P;", ";U;p;", ";", "",
    ]);
    let other = word(&[
        "s", "l", "i", "n", "z", "c", "u", "p", "a", "g", "m", "w", "+",
    ]);
    let between = word(&["", "", ";", ";", "!", "\"", "/"]);
    let command = prop_oneof![6 => numbered, 1 => top, 3 => other];
    let commands = vec(
        (command, between).prop_map(|(op, after)| op + &after),
        0..16,
    );
    let end = word(&[
        "q;", "q;", "q;", "q", "qx", "qX", "x", "X", "W;w;", "WW", "W", ";WW",
    ]);
    let session = (login, commands, end)
        .prop_map(|(login, commands, end)| [login, commands.concat(), end].concat());
    // Only the profile of RFC 1939 sends RSET, and LIST and UIDL of one message.
    let config = prop_oneof![any::<u8>(), any::<u8>().prop_map(|drawn| drawn & 0xF0)];
    let header = (config, any::<u8>()).prop_map(|(config, drawn)| vec![config, drawn]);
    (header, vec(session, 0..4), vec(fuzz_input(), 0..5)).prop_map(
        |(header, sessions, messages)| {
            let mut input = [header, sessions.concat().into_bytes()].concat();
            for message in messages {
                input.push(0xFF);
                input.extend(message);
            }
            input
        },
    )
}

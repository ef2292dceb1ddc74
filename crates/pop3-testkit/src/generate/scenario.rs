//! Draws the client's side of `check::client_session` from two octets.

use crate::oracle::{Limits, Scenario};

/// The replies to a login.
const LOGGED_IN: &[u8] = b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01";
/// The same, and the reply to CAPA after it, with PIPELINING.
const PIPELINING: &[u8] = b"+OK\r\n\x01+OK\r\n\x01+OK\r\n\x01+OK\r\nPIPELINING\r\n.\r\n\x01";

const LOGIN: [&str; 2] = ["USER mrose", "PASS tanstaaf"];
const APOP: &str = "APOP mrose c4c9334bac560ecc979e58001b3e22fb";

/// A cycle of four responses to challenges, repeated so that it can start at each
/// of them.
const RESPONSES: [&str; 7] = ["YWJj", "*", "", "*", "YWJj", "*", ""];

/// Returns the scenario of these octets, and what the server sends first.
///
/// In the first octet, bit 0 means that the client is Outlook, bit 1 that the
/// server falls silent at the end instead of closing, bit 2 that the client
/// continues only at the end of a flight, and bit 3 that the client is wary and
/// sends rare commands; the upper half chooses the start of the script. The second
/// octet draws the script.
#[must_use]
pub fn scenario(header: u8, drawn: u8) -> (Scenario, &'static [u8]) {
    let is_wary = header & 8 == 8;
    let begins = usize::from(header >> 4);
    let mut transaction = vec![
        "STAT", "LIST", "UIDL", "LIST 2", "RETR 1", "DELE 1", "CAPA", "TOP 1 1", "UIDL 2", "NOOP",
        "RETR 1", "QUIT",
    ];
    if is_wary {
        transaction.insert(6, "RSET");
    }
    let length = transaction.len();
    transaction.rotate_left(begins % length);
    let tokens = [240, 241].map(|octets| format!("AUTH XOAUTH2 {}", "A".repeat(octets)));
    let mut pipelined = Vec::new();
    let mut prologue: &[u8] = b"+OK\r\n\x01";
    let script = match drawn % 5 {
        0 if is_wary => {
            prologue = b"";
            vec!["UTF8", "LANG", "LANG en", APOP, "LANG", "STAT", "QUIT"]
        }
        0 => {
            prologue = b"";
            [&["CAPA"][..], &LOGIN, &["STAT", "QUIT"]].concat()
        }
        1 => {
            prologue = LOGGED_IN;
            [&LOGIN[..], &transaction].concat()
        }
        2 => {
            prologue = PIPELINING;
            transaction.retain(|&command| !matches!(command, "QUIT" | "DELE 1"));
            pipelined = [&transaction[..], &["QUIT"]].concat();
            [&LOGIN[..], &["CAPA"]].concat()
        }
        // Either UTF8 is accepted, or STLS makes the client forget the greeting.
        3 if is_wary => {
            let stls = ["CAPA", "UTF8", "STLS", APOP, "CAPA"];
            [&stls[..], &LOGIN, &["QUIT"]].concat()
        }
        3 => [&["CAPA", "STLS", "CAPA"][..], &LOGIN, &["QUIT"]].concat(),
        _ => {
            let auth = ["AUTH XOAUTH2", &tokens[0], &tokens[1], "AUTH XOAUTH2"];
            let list = if is_wary { &["AUTH"][..] } else { &[] };
            let mut script = [list, &auth, &["QUIT"]].concat();
            script.rotate_left(begins % 4);
            script
        }
    };
    let line = |command: &str| command.to_owned();
    let mut steps: Vec<Vec<String>> = script.iter().map(|command| vec![line(command)]).collect();
    if !pipelined.is_empty() {
        steps.push(pipelined.into_iter().map(line).collect());
    }
    let scenario = Scenario {
        outlook: header & 1 == 1,
        silent: header & 2 == 2,
        paced: header & 4 == 4,
        strict: is_wary,
        stls: drawn % 5 == 3,
        limits: if is_wary { WARY } else { DEFAULT },
        responses: RESPONSES[usize::from(header >> 6)..][..4].to_vec(),
        steps,
    };
    (scenario, prologue)
}

/// The limits of a wary client.
const WARY: Limits = Limits {
    message_octets: 8,
    listing_octets: 24,
    listing_entries: 2,
    challenge_octets: 4,
    challenges: 1,
};

/// The limits of other clients.
const DEFAULT: Limits = Limits {
    message_octets: usize::MAX,
    listing_octets: 1 << 30,
    listing_entries: 16_000_000,
    challenge_octets: 12_288,
    challenges: 16,
};

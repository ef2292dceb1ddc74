//! Faults in the order of commands.

use pop3_proto::client::State;

use super::{Row, SOUND, Spoilt, count, forces, has, is_rfc, omits, row};

pub(super) const FAULTS: &[Row] = &[
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
        "C0008",
        "takes a refused APOP for a login",
        Spoilt {
            believes: |seen| match (seen.state, seen.last().starts_with("APOP")) {
                (State::Authorization, true) => State::Transaction,
                (state, _) => state,
            },
            ..SOUND
        },
    ),
    row(
        "C0008",
        "takes STLS for a login",
        Spoilt {
            believes: |seen| match seen.last() {
                "STLS" => State::Transaction,
                _ => seen.state,
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
        "sends STLS after a positive USER",
        forces(|seen, line| line == "STLS" && seen.last().starts_with("USER")),
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
    row(
        "C0007",
        "sends AUTH ahead of the greeting",
        forces(|seen, line| seen.state == State::Greeting && line.starts_with("AUTH")),
    ),
    row(
        "C0010",
        "sends no USER after a refused AUTH",
        omits(|seen, line| line.starts_with("USER") && seen.last().starts_with("AUTH")),
    ),
    row(
        "C0013",
        "sends no STAT after LIST",
        omits(|seen, line| line == "STAT" && has(seen, "LIST")),
    ),
    row(
        "C0016",
        "sends STAT after USER",
        forces(|seen, line| {
            line == "STAT" && seen.state == State::Authorization && seen.last().starts_with("USER")
        }),
    ),
    row(
        "V0003",
        "sends LIST 1 after LIST",
        forces(|seen, line| line == "LIST 1" && has(seen, "LIST") && !is_rfc(seen)),
    ),
    row(
        "V0006",
        "sends RSET after RETR",
        forces(|seen, line| line == "RSET" && has(seen, "RETR") && !is_rfc(seen)),
    ),
    row(
        "C0044",
        "sends PASS after a refused AUTH",
        forces(|seen, line| line.starts_with("PASS") && seen.last().starts_with("AUTH")),
    ),
    row(
        "C0045",
        "sends AUTH after a positive USER",
        forces(|seen, line| {
            line.starts_with("AUTH PLAIN") && seen.last().starts_with("USER") && !seen.is_refused
        }),
    ),
    row(
        "V0008",
        "sends APOP after a refused login",
        forces(|seen, line| line.starts_with("APOP mrose") && seen.is_refused && !is_rfc(seen)),
    ),
];

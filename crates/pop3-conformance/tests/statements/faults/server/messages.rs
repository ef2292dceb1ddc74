//! Faults in RETR, DELE, NOOP, and the commands that every server must have.

use super::{Row, first_line, instead, names_deleted, refusal, row, without_last_line, word};
use crate::{
    mock::{self, NO_FAULT, Quirk},
    server::block,
};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0022",
        "leaves the first line out",
        says!(word "RETR" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0022",
        "answers RETR 4 in one line",
        says!("RETR 4" => first_line),
    ),
    row(
        "C0022",
        "begins with + alone",
        says!(word "RETR" => |reply: &str| reply.replacen("+OK", "+", 1)),
    ),
    row(
        "C0023",
        "gives the first message always",
        reads!(|state: &mock::State, command: &str| match command {
            "RETR 2" | "RETR 3" | "RETR 4" if state.deleted.is_empty() && state.arrivals == 0 =>
                "RETR 1".to_owned(),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0023",
        "gives no more than the header",
        reads!(|_, command: &str| match word(command) {
            "RETR" => command.replace("RETR", "TOP") + " 0",
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0023",
        "leaves the last line out",
        says!(word "RETR" => without_last_line),
    ),
    row(
        "C0023",
        "does not stuff",
        says!(word "RETR" => |reply: &str| reply.replace("\r\n..dot", "\r\n.dot")),
    ),
    row(
        "C0023",
        "adds a line to the header",
        says!("RETR 3" => |reply: &str| reply.replacen("\r\n", "\r\nX-Read: yes\r\n", 1)),
    ),
    row(
        "C0023",
        "gives the next message after DELE",
        mock::Fault {
            command: |state, command| match (state.deleted == ["1"], command) {
                (true, "RETR 2") => "RETR 3".to_owned(),
                _ => command.to_owned(),
            },
            ..NO_FAULT
        },
    ),
    row(
        "C0026",
        "lists what is deleted by its number",
        replies!(
        |state: &mock::State, command: &str, _| names_deleted(state, command) && word(command) == "LIST"
            => |_| "+OK 2 9\r\n".to_owned()),
    ),
    row(
        "C0026",
        "has a unique-id for what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| names_deleted(state, command) && word(command) == "UIDL"
            => |_| "+OK 2 id-1\r\n".to_owned()),
    ),
    row(
        "C0026",
        "gives the top of what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| names_deleted(state, command) && word(command) == "TOP"
            => |_| "+OK\r\n\r\n.\r\n".to_owned()),
    ),
    row(
        "C0026",
        "remembers the last mark alone",
        replies!(
        |state: &mock::State, command: &str, _| {
            let earlier = state.deleted.split_last().map(|(_, earlier)| earlier).unwrap_or_default();
            word(command) == "RETR" && earlier.iter().any(|number| command[5..] == *number)
        } => |_| "+OK\r\n\r\n.\r\n".to_owned()),
    ),
    row(
        "C0029",
        "gives a block",
        says!("NOOP" => |reply: &str| format!("{reply}.\r\n")),
    ),
    row(
        "C0029",
        "answers with + alone",
        says!("NOOP" => |_| "+\r\n".to_owned()),
    ),
    row(
        "C0029",
        "takes marks off",
        reads!(|_, command: &str| command.replace("NOOP", "RSET\r\nNOOP")),
    ),
    row(
        "C0029",
        "marks a message",
        mock::Fault {
            command: |state, command| match (
                state.is_logged_in && state.deleted.is_empty(),
                command,
            ) {
                (true, "NOOP") => "DELE 4\r\nNOOP".to_owned(),
                _ => command.to_owned(),
            },
            ..NO_FAULT
        },
    ),
    row(
        "C0031",
        "stays after QUIT",
        mock::Fault {
            quirk: Quirk::StaysOpen,
            ..NO_FAULT
        },
    ),
    row(
        "C0031",
        "takes no mark off",
        reads!(|_, command: &str| command.replace("RSET", "NOOP")),
    ),
    row(
        "C0031",
        "takes one mark off",
        reads!(
            |state: &mock::State, command: &str| match (command, state.deleted.first()) {
                ("RSET", Some(first)) => format!("RSET\r\nDELE {first}"),
                _ => command.to_owned(),
            }
        ),
    ),
    row(
        "C0031",
        "removes nothing",
        reads!(|_, command: &str| instead(command, "QUIT", "RSET\r\nQUIT")),
    ),
    row(
        "C0031",
        "removes one message more",
        mock::Fault {
            command: |state, command| match (state.deleted.len(), command) {
                (1, "QUIT") => "DELE 1\r\nDELE 4\r\nQUIT".to_owned(),
                _ => command.to_owned(),
            },
            ..NO_FAULT
        },
    ),
    row(
        "C0031",
        "removes without QUIT",
        mock::Fault {
            quirk: Quirk::DropRemoves,
            ..NO_FAULT
        },
    ),
    row("C0031", "has no STAT", says!("STAT" | "stat" => refusal)),
    row(
        "C0031",
        "has no LIST with a number",
        says!("LIST 1" | "LIST 2" | "LIST 3" | "LIST 4" => refusal),
    ),
    row(
        "C0031",
        "knows upper case alone",
        says!("noop" | "stat" | "rset" => refusal),
    ),
    row(
        "C0031",
        "refuses QUIT",
        replies!(
        |state: &mock::State, command: &str, _| state.is_logged_in && command == "QUIT" => refusal),
    ),
];

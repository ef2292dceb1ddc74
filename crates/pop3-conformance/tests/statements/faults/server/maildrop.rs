//! Faults in message-numbers, STAT and LIST.

use super::{
    Row, counted, doubled, empty_without_block, instead, last_is_0, one_more, reversed, row, sized,
};
use crate::{
    mock::{self, NO_FAULT},
    server::{MESSAGES, block},
};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0011",
        "counts from 0",
        says!("LIST" | "UIDL" => |reply: &str| counted(reply, 0)),
    ),
    row(
        "C0011",
        "counts UIDL from 2",
        says!("UIDL" => |reply: &str| counted(reply, 2)),
    ),
    row(
        "C0011",
        "lists the last message first",
        says!("LIST" => reversed),
    ),
    row(
        "C0011",
        "numbers anew after DELE",
        replies!(
        |state: &mock::State, command: &str, _| !state.deleted.is_empty() && command == "LIST"
            => |reply: &str| counted(reply, 1)),
    ),
    row(
        "C0011",
        "goes on counting in the next session",
        replies!(
        |state: &mock::State, command: &str, _| state.has_removed && command == "LIST"
            => |reply: &str| counted(reply, 2)),
    ),
    row(
        "C0011",
        "takes 0 for 1",
        reads!(|_, command: &str| instead(command, "RETR 0", "RETR 1")),
    ),
    row(
        "C0017",
        "gives a block",
        says!("STAT" => |reply: &str| format!("{reply}.\r\n")),
    ),
    row(
        "C0017",
        "counts a message too many",
        says!("STAT" => |reply: &str| reply.replacen("+OK 4", "+OK 5", 1)),
    ),
    row(
        "C0017",
        "counts what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| !state.deleted.is_empty() && command == "STAT"
            => |_| "+OK 4 229\r\n".to_owned()),
    ),
    row(
        "C0017",
        "gives the octets first",
        says!("STAT" => |reply: &str| {
            let words: Vec<&str> = reply.split_whitespace().collect();
            format!("+OK {} {}\r\n", words[2], words[1])
        }),
    ),
    row(
        "C0017",
        "puts a comma between",
        says!("STAT" => |reply: &str| reply.trim_end().replace(' ', ",").replacen(',', " ", 1) + "\r\n"),
    ),
    row(
        "C0017",
        "puts nothing after +OK",
        says!("STAT" => |reply: &str| reply.replacen("+OK ", "+OK", 1)),
    ),
    row(
        "C0017",
        "counts an octet too many",
        says!("STAT" => one_more),
    ),
    row("C0017", "counts no octets", says!("STAT" => last_is_0)),
    row(
        "C0019",
        "leaves +OK out",
        says!("LIST 1" | "LIST 2" => |reply: &str| reply[4..].to_owned()),
    ),
    row(
        "C0019",
        "gives no octets",
        says!("LIST 1" | "LIST 2" | "LIST 3" | "LIST 4" => last_is_0),
    ),
    row(
        "C0019",
        "gives the octets of one message a little wrong",
        says!("LIST 3" => one_more),
    ),
    row(
        "C0019",
        "gives the next number",
        says!("LIST 2" => |reply: &str| reply.replace("+OK 2", "+OK 3")),
    ),
    row(
        "C0019",
        "leaves the number out",
        says!("LIST 4" => |reply: &str| reply.replace("+OK 4", "+OK")),
    ),
    row(
        "C0019",
        "gives a block",
        says!("LIST 1" => |reply: &str| format!("+OK\r\n{}.\r\n", &reply[4..])),
    ),
    row(
        "C0019",
        "says yes and nothing else",
        says!("LIST 1" => |_| "+OK\r\n".to_owned()),
    ),
    row(
        "C0019",
        "has a line for a message that is not there",
        reads!(|state: &mock::State, command: &str| match state.arrivals {
            0 => instead(command, "LIST 5", "LIST 4"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0020",
        "leaves the first line out",
        says!("LIST" => |reply: &str| block(reply).to_owned()),
    ),
    row("C0020", "gives each line twice", says!("LIST" => doubled)),
    row(
        "C0020",
        "lists what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| !state.deleted.is_empty() && command == "LIST"
            => |reply: &str| reply.replace("\r\n.\r\n", "\r\n99 9\r\n.\r\n")),
    ),
    row(
        "C0020",
        "puts two messages on a line",
        says!("LIST" => |reply: &str| reply.replace("\r\n4 ", " 4 ")),
    ),
    row(
        "C0020",
        "begins with +Ok",
        says!("LIST" => |reply: &str| reply.replacen("+OK", "+Ok", 1)),
    ),
    row(
        "C0020",
        "answers in one line if there is no message",
        says!("LIST" => empty_without_block),
    ),
    row(
        "C0021",
        "counts stuffed dots",
        says!("LIST" => |reply: &str| sized(reply, |message| {
            message.lines().map(|line| line.len() + 2 + usize::from(line.starts_with('.'))).sum()
        })),
    ),
    row(
        "C0021",
        "counts one octet for a line end",
        says!("LIST" => |reply: &str| sized(reply, |message| {
            message.lines().map(|line| line.len() + 1).sum()
        })),
    ),
    row(
        "C0021",
        "counts in kilobytes",
        says!("LIST" => |reply: &str| sized(reply, |_| 1)),
    ),
    row(
        "C0021",
        "counts what is stored",
        says!("LIST" => |reply: &str| sized(reply, str::len)),
    ),
    row(
        "C0021",
        "puts a comma between",
        says!("LIST" => |reply: &str| reply.replace("\r\n2 ", "\r\n2,")),
    ),
    row(
        "C0021",
        "gives the octets of the next message",
        says!("LIST" => |reply: &str| {
            sized(reply, |message| {
                let at = MESSAGES.iter().position(|other| *other == message).unwrap_or(0);
                crate::server::octets(MESSAGES[(at + 1) % 4]) as usize
            })
        }),
    ),
];

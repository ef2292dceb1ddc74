//! Faults in TOP, UIDL and unique-ids.

use super::{Row, doubled, empty_without_block, instead, row, top, word};
use crate::{
    mock::{self, NO_FAULT},
    server::block,
};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0034",
        "leaves the first line out",
        says!(word "TOP" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0034",
        "ignores the number of lines",
        reads!(|_, command: &str| match top(command) {
            Some((number, _)) => format!("RETR {number}"),
            None => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "gives the header alone",
        reads!(|_, command: &str| match top(command) {
            Some((number, _)) => format!("TOP {number} 0"),
            None => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "sends all for 0",
        reads!(|_, command: &str| match command.strip_suffix(" 0") {
            Some(top) if word(top) == "TOP" => top.replace("TOP", "RETR"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "leaves the blank line out",
        says!(word "TOP" => |reply: &str| reply.replacen("\r\n\r\n", "\r\n", 1)),
    ),
    row(
        "C0034",
        "leaves the header out",
        says!(word "TOP" => |reply: &str| {
            let body = reply.split_once("\r\n\r\n").map_or(".\r\n", |(_, body)| body);
            format!("+OK\r\n{body}")
        }),
    ),
    row(
        "C0034",
        "does not count blank lines",
        says!("TOP 3 2" => |reply: &str| reply.replace("\r\n.\r\n", "\r\ntwo\r\n.\r\n")),
    ),
    row(
        "C0034",
        "does not stuff",
        says!(word "TOP" => |reply: &str| reply.replace("\r\n..", "\r\n.")),
    ),
    row(
        "C0036",
        "leaves +OK out",
        says!("UIDL 1" | "UIDL 2" => |reply: &str| reply[4..].to_owned()),
    ),
    row(
        "C0036",
        "gives a block",
        says!("UIDL 1" => |reply: &str| format!("+OK\r\n{}.\r\n", &reply[4..])),
    ),
    row(
        "C0036",
        "gives the next number",
        says!("UIDL 2" => |reply: &str| reply.replace("+OK 2", "+OK 3")),
    ),
    row(
        "C0036",
        "leaves the number out",
        says!("UIDL 3" => |reply: &str| reply.replace("+OK 3 id", "+OK id")),
    ),
    row(
        "C0036",
        "has one for a message that is not there",
        reads!(|state: &mock::State, command: &str| match state.arrivals {
            0 => instead(command, "UIDL 5", "UIDL 4"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0037",
        "leaves the first line out",
        says!("UIDL" => |reply: &str| block(reply).to_owned()),
    ),
    row("C0037", "gives each line twice", says!("UIDL" => doubled)),
    row(
        "C0037",
        "lists what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| !state.deleted.is_empty() && command == "UIDL"
            => |reply: &str| reply.replace("\r\n.\r\n", "\r\n9 id-9\r\n.\r\n")),
    ),
    row(
        "C0037",
        "answers in one line if there is no message",
        says!("UIDL" => empty_without_block),
    ),
    row(
        "C0038",
        "puts a colon between",
        says!("UIDL" => |reply: &str| reply.replace("\r\n3 id", "\r\n3:id")),
    ),
    row(
        "C0038",
        "puts a blank before the number",
        says!("UIDL" => |reply: &str| reply.replace("\r\n2 id", "\r\n 2 id")),
    ),
    row(
        "C0039",
        "has a DEL in a unique-id",
        says!(word "UIDL" => |reply: &str| reply.replace("id-3", "id\x7F3")),
    ),
    row(
        "C0039",
        "has a unique-id beyond ASCII",
        says!(word "UIDL" => |reply: &str| reply.replace("id-0", "\u{fc}d")),
    ),
    row(
        "C0039",
        "makes new unique-ids when a message is removed",
        replies!(
        |state: &mock::State, command: &str, _| state.has_removed && word(command) == "UIDL"
            => |reply: &str| reply.replace("id-", "jd-")),
    ),
    row(
        "C0039",
        "takes numbers for unique-ids",
        says!("UIDL" => |reply: &str| {
            let line = |line: &str| match line.split_once(" id") {
                Some((number, _)) => format!("{number} n{number}\r\n"),
                None => line.to_owned(),
            };
            reply.split_inclusive('\n').map(line).collect()
        }),
    ),
    row(
        "C0040",
        "gives the unique-id of a removed message to the next",
        replies!(
        |state: &mock::State, command: &str, _| state.has_removed && word(command) == "UIDL"
            => |reply: &str| reply.replace("id-4", "id-3")),
    ),
    row(
        "C0040",
        "has one unique-id for all",
        says!(word "UIDL" => |reply: &str| {
            reply.replace("id-1", "id-0").replace("id-2", "id-0").replace("id-3", "id-0")
        }),
    ),
];

//! One fault or more for each row, and functions to build them.

use crate::mock::{Fault, NO_FAULT, Quirk, State};

mod clauses;
pub(crate) mod servers;
pub(crate) mod statements;

/// A row, a description of its server's fault, and the server.
pub(crate) type Row = (&'static str, &'static str, Fault);

/// A fault in the reply.
const fn reply(reply: fn(&State, &str, &str) -> String) -> Fault {
    Fault { reply, ..NO_FAULT }
}

/// A fault in how a command is read.
const fn command(command: fn(&State, &str) -> String) -> Fault {
    Fault {
        command,
        ..NO_FAULT
    }
}

const fn quirk(quirk: Quirk) -> Fault {
    Fault { quirk, ..NO_FAULT }
}

/// All faults.
pub(crate) fn faults() -> impl Iterator<Item = Row> {
    statements::FAULTS.iter().chain(clauses::FAULTS).copied()
}

/// The changed reply, if the fault applies here.
fn on(is_here: bool, reply: &str, change: impl Fn(&str) -> String) -> String {
    match is_here {
        true => change(reply),
        false => reply.to_owned(),
    }
}

fn is(command: &str, other: &str) -> bool {
    command.eq_ignore_ascii_case(other)
}

fn word(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

/// Whether DELE has marked the message with this number.
fn names_deleted(state: &State, command: &str) -> bool {
    let number = command.split(' ').nth(1).unwrap_or_default();
    state.deleted.iter().any(|deleted| deleted == number)
}

fn first_line(reply: &str) -> String {
    let end = reply.find("\r\n").map_or(reply.len(), |end| end + 2);
    reply[..end].to_owned()
}

fn without_last_line(reply: &str) -> String {
    let lines: Vec<&str> = reply.split_inclusive("\r\n").collect();
    match lines.len() {
        0..3 => reply.to_owned(),
        lines_in_all => [&lines[..lines_in_all - 2].concat(), ".\r\n"].concat(),
    }
}

/// Adds one to the last number of a line.
fn one_more(line: &str) -> String {
    let text = line.trim_end();
    match text
        .rsplit_once(' ')
        .map(|(rest, last)| (rest, last.parse::<u64>()))
    {
        Some((rest, Ok(number))) => format!("{rest} {}\r\n", number + 1),
        _ => line.to_owned(),
    }
}

fn one_more_octet(reply: &str) -> String {
    reply.split_inclusive("\r\n").map(one_more).collect()
}

fn stat_of_one_more_octet(reply: &str) -> String {
    let mut words = reply.split_whitespace().skip(1).map(str::parse::<u64>);
    match (words.next(), words.next()) {
        (Some(Ok(messages)), Some(Ok(octets))) => {
            format!("+OK {messages} {}\r\n", octets + messages)
        }
        _ => reply.to_owned(),
    }
}

fn renumbered(reply: &str, ids: &[String]) -> String {
    let line = |line: &str| match line.split_once(' ') {
        Some((number, _)) if !line.starts_with('+') => {
            let number: usize = number.parse().unwrap();
            format!("{number} {}\r\n", ids[number - 1])
        }
        _ => line.to_owned(),
    };
    reply.split_inclusive("\r\n").map(line).collect()
}

//! Servers in memory that break one statement each: those that `check` is tested
//! with, and more.

use std::{io, time::Duration};

use pop3_conformance::check::{Connection, Network};

use crate::{
    check_faults,
    checking::{Fault, Verdict, compare, found, passes},
    mock::{self, Mock, NO_FAULT},
    server::{MESSAGES, Subject, checks},
};

/// The replies to these commands are changed, if they are positive.
macro_rules! says {
    ($command:pat => $change:expr) => {
        mock::Fault {
            reply: |_, command, reply| match (command, reply.starts_with('+')) {
                ($command, true) => $change(reply),
                _ => reply.to_owned(),
            },
            ..NO_FAULT
        }
    };
    (word $command:pat => $change:expr) => {
        mock::Fault {
            reply: |_, command, reply| match (word(command), reply.starts_with('+')) {
                ($command, true) => $change(reply),
                _ => reply.to_owned(),
            },
            ..NO_FAULT
        }
    };
}

/// The replies in which this holds are these.
macro_rules! replies {
    ($holds:expr => $change:expr) => {
        mock::Fault {
            reply: |state, command, reply| match $holds(state, command, reply) {
                true => $change(reply),
                false => reply.to_owned(),
            },
            ..NO_FAULT
        }
    };
}

/// A command is read as another.
macro_rules! reads {
    ($change:expr) => {
        mock::Fault {
            command: |state, command| $change(state, command),
            ..NO_FAULT
        }
    };
}

mod basics;
mod maildrop;
mod messages;
mod optional;

impl Subject for Mock {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        Network::connect(self, Duration::ZERO)
    }

    fn deliver(&mut self, unique_id: &str, message: &str) {
        Mock::deliver(self, unique_id, message);
    }
}

/// A check passes on our server.
pub(crate) fn sound(check: fn(&mut dyn Subject) -> Verdict) {
    passes(check(&mut Mock::new(mock::Fault {
        messages: &MESSAGES,
        ..NO_FAULT
    })));
}

type Row = Fault<mock::Fault>;

/// All of them.
pub(crate) fn faults() -> impl Iterator<Item = Row> {
    let of_check = check_faults::statements::FAULTS.iter();
    let of_check = of_check.map(|(id, what, fault)| row(id, what, *fault));
    let ours = [
        basics::FAULTS,
        maildrop::FAULTS,
        messages::FAULTS,
        optional::FAULTS,
    ];
    of_check
        .chain(ours.into_iter().flatten().copied())
        .map(|fault| {
            let also = ALSO
                .iter()
                .find(|(id, what, _)| (*id, *what) == (fault.id, fault.what));
            Row {
                also: also.map_or(&[], |(_, _, also)| also),
                ..fault
            }
        })
}

#[test]
fn each_fault_fails_the_checks_of_its_statement_and_no_other() {
    let wrong: Vec<String> = faults()
        .filter_map(|fault| {
            let found = found(checks(), |check| {
                (check.run)(&mut Mock::new(mock::Fault {
                    messages: &MESSAGES,
                    ..fault.fault
                }))
            });
            compare(&fault, &found).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const fn row(id: &'static str, what: &'static str, fault: mock::Fault) -> Row {
    Fault {
        id,
        what,
        fault,
        also: &[],
    }
}

/// The id of a fault and what it does; what it breaks besides, and why it must.
type Also = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ALSO: &[Also] = &[
    (
        "C0006",
        "ends messages by two dots",
        &[("C0023", "the message is a line longer")],
    ),
    (
        "C0014",
        "answers CAPA twice",
        &[("C0006", "the block ends, and goes on")],
    ),
    (
        "C0019",
        "leaves +OK out",
        &[("C0014", "what is sent is no reply")],
    ),
    (
        "C0036",
        "leaves +OK out",
        &[("C0014", "what is sent is no reply")],
    ),
    (
        "C0014",
        "closes at NOOP",
        &[("C0029", "NOOP is the command that it cannot bear")],
    ),
    (
        "C0014",
        "does not answer QUIT",
        &[("C0010", "nor after a refused login")],
    ),
    (
        "C0020",
        "answers in one line if there is no message",
        &[("C0006", "the lone dot is missing")],
    ),
    (
        "C0037",
        "answers in one line if there is no message",
        &[("C0006", "the lone dot is missing")],
    ),
    ("C0019", "gives no octets", &[("C0021", "0 is not exact")]),
    (
        "C0019",
        "gives the octets of one message a little wrong",
        &[("C0021", "it is not exact")],
    ),
    (
        "C0019",
        "tells other octets in LIST 1",
        &[
            ("C0021", "they are not exact"),
            ("C0026", "it does so when message 1 is deleted"),
        ],
    ),
    (
        "C0036",
        "tells another unique-id in UIDL 1",
        &[("C0026", "it does so when message 1 is deleted")],
    ),
    (
        "C0026",
        "retrieves what is deleted",
        &[("C0023", "what it gives is no message")],
    ),
    (
        "C0029",
        "refuses NOOP",
        &[("C0031", "NOOP is a command that it must have")],
    ),
    (
        "C0031",
        "has no QUIT before login",
        &[("C0010", "a refused login is before login")],
    ),
    (
        "C0006",
        "does not stuff a line of one dot",
        &[("C0023", "the message ends there")],
    ),
    (
        "C0029",
        "takes marks off",
        &[("C0026", "the marks are gone")],
    ),
    (
        "C0036",
        "leaves the number out",
        &[("C0038", "what is left is no unique-id listing")],
    ),
    (
        "C0039",
        "takes numbers for unique-ids",
        &[("C0040", "the next message has the number of a removed one")],
    ),
];

fn word(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

fn names_deleted(state: &mock::State, command: &str) -> bool {
    let number = command.split(' ').nth(1).unwrap_or_default();
    state.deleted.iter().any(|deleted| deleted == number)
}

fn refusal(_: &str) -> String {
    "-ERR no\r\n".to_owned()
}

fn lf(reply: &str) -> String {
    reply.replace("\r\n", "\n")
}

fn dot_lf(reply: &str) -> String {
    reply.replace("\r\n.\r\n", "\r\n.\n")
}

fn unended(reply: &str) -> String {
    reply.replace("\r\n.\r\n", "\r\n")
}

fn first_line(reply: &str) -> String {
    reply.split_inclusive('\n').take(1).collect()
}

fn empty_without_block(reply: &str) -> String {
    match reply.ends_with(")\r\n.\r\n") || reply == "+OK\r\n.\r\n" {
        true => first_line(reply),
        false => reply.to_owned(),
    }
}

/// The lines of a block, turned.
fn turned(reply: &str, turn: impl Fn(Vec<&str>) -> Vec<String>) -> String {
    let mut lines: Vec<&str> = reply.split_inclusive("\r\n").collect();
    let end = lines.pop().unwrap_or_default();
    format!("{}{}{end}", lines[0], turn(lines[1..].to_vec()).concat())
}

fn without_last_line(reply: &str) -> String {
    turned(reply, |lines| {
        lines
            .split_last()
            .map_or(&[][..], |(_, rest)| rest)
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    })
}

fn reversed(reply: &str) -> String {
    turned(reply, |lines| {
        lines.into_iter().rev().map(Into::into).collect()
    })
}

fn doubled(reply: &str) -> String {
    turned(reply, |lines| {
        lines.into_iter().map(|line| line.repeat(2)).collect()
    })
}

/// The lines of a listing with other numbers, from `first`.
fn counted(reply: &str, first: usize) -> String {
    turned(reply, |lines| {
        let rests = lines.iter().filter_map(|line| line.split_once(' '));
        rests
            .enumerate()
            .map(|(at, (_, rest))| format!("{} {rest}", first + at))
            .collect()
    })
}

/// A scan listing with other sizes.
fn sized(reply: &str, size: impl Fn(&str) -> usize) -> String {
    turned(reply, |lines| {
        let sizes = lines.into_iter().filter_map(|line| {
            let number: usize = line.split(' ').next()?.parse().ok()?;
            Some(format!("{number} {}\r\n", size(MESSAGES.get(number - 1)?)))
        });
        sizes.collect()
    })
}

fn last_is_0(reply: &str) -> String {
    let (rest, _) = reply.rsplit_once(' ').unwrap_or_default();
    format!("{rest} 0\r\n")
}

fn one_more(reply: &str) -> String {
    let (rest, last) = reply.trim_end().rsplit_once(' ').unwrap_or_default();
    format!("{rest} {}\r\n", last.parse().unwrap_or(0) + 1)
}

//! Servers in memory that break one statement each: those that test `check`,
//! and more.

use std::{io, time::Duration};

use pop3_conformance::check::{Connection, Network};

use crate::{
    check_faults,
    checking::{Fault, Verdict, compare, found, passes},
    mock::{self, Mock, NO_FAULT},
    server::{MESSAGES, Subject, checks},
};

/// Changes the positive replies to these commands.
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

/// Replaces the replies for which this holds.
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

/// Reads a command as another.
macro_rules! reads {
    ($change:expr) => {
        mock::Fault {
            command: |state, command| $change(state, command),
            ..NO_FAULT
        }
    };
}

mod basics;
mod changes;
mod kinds;
mod maildrop;
mod messages;
mod moments;
mod optional;

use changes::*;

impl Subject for Mock {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        Network::connect(self, Duration::ZERO)
    }

    fn deliver(&mut self, unique_id: &str, message: &str) {
        Mock::deliver(self, unique_id, message);
    }

    fn wait(&mut self) -> bool {
        false
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

/// All faults.
pub(crate) fn faults() -> impl Iterator<Item = Row> {
    let of_check = check_faults::statements::FAULTS.iter();
    let of_check = of_check.map(|(id, what, fault)| row(id, what, *fault));
    let ours = [
        basics::FAULTS,
        kinds::FAULTS,
        maildrop::FAULTS,
        messages::FAULTS,
        moments::FAULTS,
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

/// The id of a fault and its description; the other statements that it breaks,
/// with the reasons.
type Also = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ALSO: &[Also] = &[
    (
        "C0006",
        "does not stuff a lone dot in TOP",
        &[("C0034", "the top ends there")],
    ),
    (
        "C0009",
        "logs in once",
        &[("C0010", "a second login is none after the first")],
    ),
    (
        "C0022",
        "answers in one line after DELE",
        &[("C0006", "where a block was there is a line")],
    ),
    (
        "C0022",
        "answers in one line if the message is empty",
        &[("C0006", "the lone dot is missing")],
    ),
    (
        "C0031",
        "removes the message behind the marked one",
        &[("C0039", "2 is left, with the unique-id of 3")],
    ),
    (
        "C0031",
        "does not give the maildrop back",
        &[
            ("C0009", "a second login finds it locked"),
            ("C0010", "and one after a refused one"),
        ],
    ),
    (
        "C0019",
        "is wrong after RSET",
        &[("C0021", "it is not exact")],
    ),
    (
        "C0006",
        "ends messages by two dots",
        &[("C0023", "the message is a line longer")],
    ),
    (
        "C0006",
        "does not end TOP",
        &[("C0034", "of a message of no octets one line is left")],
    ),
    (
        "C0006",
        "does not end messages",
        &[("C0022", "of a message of no octets one line is left")],
    ),
    (
        "C0006",
        "does not stuff a line of one dot",
        &[("C0023", "the message ends there")],
    ),
    (
        "C0014",
        "answers CAPA twice",
        &[("C0006", "the block ends, and goes on")],
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
    ("C0019", "gives no octets", &[("C0021", "0 is not exact")]),
    (
        "C0019",
        "gives the octets of one message a little wrong",
        &[("C0021", "it is not exact")],
    ),
    (
        "C0019",
        "tells other octets in LIST 1",
        &[("C0021", "they are not exact")],
    ),
    (
        "C0019",
        "has a line for a message that is not there",
        &[("C0011", "5 is the number of none")],
    ),
    (
        "C0020",
        "answers in one line if there is no message",
        &[("C0006", "the lone dot is missing")],
    ),
    (
        "C0023",
        "retrieves the next message",
        &[("C0031", "there is none after the last")],
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
        "C0034",
        "does not stuff",
        &[("C0006", "a lone dot ends the block")],
    ),
    (
        "C0036",
        "leaves the number out",
        &[("C0038", "what is left is no unique-id listing")],
    ),
    (
        "C0036",
        "has one for a message that is not there",
        &[("C0011", "5 is the number of none")],
    ),
    (
        "C0037",
        "answers in one line if there is no message",
        &[("C0006", "the lone dot is missing")],
    ),
    (
        "C0039",
        "takes numbers for unique-ids",
        &[("C0040", "the next message has the number of a removed one")],
    ),
];

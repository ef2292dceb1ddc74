//! Servers in memory that break one statement each: those that `check` is tested
//! with, and more.

use std::{io, time::Duration};

use pop3_conformance::check::{Connection, Network};

use crate::{
    check_faults,
    checking::{Fault, Verdict, compare, found, passes},
    mock::{self, Mock, NO_FAULT, Quirk},
    server::{MESSAGES, Subject, block, checks},
};

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
    passes(check(&mut Mock::new(&MESSAGES, NO_FAULT)));
}

type Row = Fault<mock::Fault>;

/// All of them.
pub(crate) fn faults() -> impl Iterator<Item = Row> {
    let of_check = check_faults::statements::FAULTS.iter();
    let of_check = of_check.map(|(id, what, fault)| row(id, what, *fault));
    of_check.chain(FAULTS.iter().copied()).map(|fault| {
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
                (check.run)(&mut Mock::new(&MESSAGES, fault.fault))
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

const FAULTS: &[Row] = &[
    row(
        "C0005",
        "ends the reply to NOOP by an empty line",
        says!("NOOP" => |reply: &str| format!("{reply}\r\n")),
    ),
    row(
        "C0005",
        "ends the reply to a right password by LF",
        says!(word "PASS" => lf),
    ),
    row(
        "C0006",
        "ends messages by two dots",
        says!(word "RETR" => |reply: &str| reply.replace("\r\n.\r\n", "\r\n..\r\n")),
    ),
    row(
        "C0014",
        "answers CAPA twice",
        says!("CAPA" => |reply: &str| reply.repeat(2)),
    ),
    row(
        "C0017",
        "gives a block",
        says!("STAT" => |reply: &str| format!("{reply}.\r\n")),
    ),
    row(
        "C0019",
        "leaves +OK out",
        says!("LIST 1" | "LIST 2" => |reply: &str| reply[4..].to_owned()),
    ),
    row(
        "C0020",
        "leaves the first line out",
        says!("LIST" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0022",
        "leaves the first line out",
        says!(word "RETR" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0029",
        "gives a block",
        says!("NOOP" => |reply: &str| format!("{reply}.\r\n")),
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
        "C0034",
        "leaves the first line out",
        says!(word "TOP" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0036",
        "leaves +OK out",
        says!("UIDL 1" | "UIDL 2" => |reply: &str| reply[4..].to_owned()),
    ),
    row(
        "C0037",
        "leaves the first line out",
        says!("UIDL" => |reply: &str| block(reply).to_owned()),
    ),
    row(
        "C0002",
        "refuses at once",
        says!("" => |_| "-ERR busy\r\n".to_owned()),
    ),
    row(
        "C0002",
        "greets twice",
        says!("" => |reply: &str| reply.repeat(2)),
    ),
    row(
        "C0002",
        "greets with words",
        says!("" => |_| "ready\r\n".to_owned()),
    ),
    row(
        "C0002",
        "greets the first connection alone",
        replies!(
        |state: &mock::State, command: &str, _| state.connection > 1 && command.is_empty()
            => |_| String::new()),
    ),
    row("C0005", "ends the greeting by LF", says!("" => lf)),
    row("C0005", "ends the reply to QUIT by LF", says!("QUIT" => lf)),
    row(
        "C0005",
        "ends the reply to STAT by CR",
        says!("STAT" => |reply: &str| reply.replace('\n', "")),
    ),
    row(
        "C0005",
        "ends the first line of LIST by LF",
        says!("LIST" => |reply: &str| reply.replacen("\r\n", "\n", 1)),
    ),
    row(
        "C0005",
        "ends the first line of RETR by CR CR LF",
        says!(word "RETR" => |reply: &str| reply.replacen("\r\n", "\r\r\n", 1)),
    ),
    row(
        "C0005",
        "does not end the line of a refusal",
        replies!(
        |_, _, reply: &str| reply.starts_with('-') => |reply: &str| reply.trim_end().to_owned()),
    ),
    row(
        "C0005",
        "ends LIST 1 by LF CR",
        says!("LIST 1" => |reply: &str| reply.replace("\r\n", "\n\r")),
    ),
    row(
        "C0006",
        "ends messages by dot and LF",
        says!(word "RETR" => dot_lf),
    ),
    row(
        "C0006",
        "ends CAPA by a dot alone",
        says!("CAPA" => |reply: &str| reply.trim_end().to_owned()),
    ),
    row("C0006", "does not end TOP", says!(word "TOP" => unended)),
    row(
        "C0006",
        "does not end messages",
        says!(word "RETR" => unended),
    ),
    row(
        "C0006",
        "ends the lines of LIST by LF",
        says!("LIST" => |reply: &str| {
            let (first, block) = reply.split_once("\r\n").unwrap();
            format!("{first}\r\n{}", block.replace("\r\n", "\n").replace("\n.\n", "\r\n.\r\n"))
        }),
    ),
    row(
        "C0006",
        "ends LANG twice",
        says!("LANG" => |reply: &str| format!("{reply}.\r\n")),
    ),
    row(
        "C0006",
        "does not stuff a line of one dot",
        says!(word "RETR" => |reply: &str| reply.replace("\r\n..\r\n", "\r\n.\r\n")),
    ),
    row("C0009", "takes no password", says!(word "PASS" => refusal)),
    row("C0009", "takes no name", says!(word "USER" => refusal)),
    row(
        "C0009",
        "refuses STLS and takes passwords under TLS alone",
        says!("STLS" => refusal),
    ),
    row(
        "C0009",
        "announces no login",
        says!("CAPA" => |reply: &str| reply.replace("USER\r\n", "")),
    ),
    row(
        "C0010",
        "takes no password after a wrong one",
        replies!(
        |state: &mock::State, command: &str, _| state.refused_logins > 0 && word(command) == "PASS"
            => refusal),
    ),
    row(
        "C0010",
        "takes no name after three wrong passwords",
        replies!(
        |state: &mock::State, command: &str, _| state.refused_logins > 2 && word(command) == "USER"
            => refusal),
    ),
    row(
        "C0010",
        "refuses QUIT after a refused login",
        replies!(
        |state: &mock::State, command: &str, _| state.refused_logins > 0 && !state.is_logged_in && command == "QUIT"
            => refusal),
    ),
    row(
        "C0010",
        "logs in after a wrong password and stays where it was",
        replies!(
        |state: &mock::State, command: &str, _| state.refused_logins > 0 && state.is_logged_in && !matches!(word(command), "PASS" | "QUIT")
            => refusal),
    ),
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
        reads!(|_, command: &str| command.replace("RETR 0", "RETR 1")),
    ),
    row(
        "C0014",
        "ignores what it does not know",
        replies!(
        |_, command: &str, _| command == "XQZT" => |_| String::new()),
    ),
    row(
        "C0014",
        "does not answer a wrong password",
        replies!(
        |_, command: &str, reply: &str| word(command) == "PASS" && reply.starts_with('-')
            => |_| String::new()),
    ),
    row(
        "C0014",
        "does not answer RETR of a message that is not there",
        replies!(
        |_, command: &str, _| command == "RETR 9" => |_| String::new()),
    ),
    row(
        "C0014",
        "does not answer QUIT",
        says!("QUIT" => |_| String::new()),
    ),
    row(
        "C0014",
        "answers DELE twice",
        says!(word "DELE" => |reply: &str| reply.repeat(2)),
    ),
    row(
        "C0014",
        "ignores long lines",
        replies!(
        |_, command: &str, _| command.len() > 255 => |_| String::new()),
    ),
    row(
        "C0014",
        "answers one of the commands that come at once",
        mock::Fault {
            quirk: Quirk::OneAtATime,
            ..NO_FAULT
        },
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
        reads!(|_, command: &str| command.replace("LIST 5", "LIST 4")),
    ),
    row("C0020", "gives each line twice", says!("LIST" => doubled)),
    row(
        "C0020",
        "lists what is deleted",
        replies!(
        |state: &mock::State, command: &str, _| !state.deleted.is_empty() && command == "LIST"
            => |reply: &str| reply.replace("\r\n.\r\n", "\r\n9 9\r\n.\r\n")),
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
            "RETR 2" | "RETR 3" | "RETR 4" if state.deleted.is_empty() => "RETR 1".to_owned(),
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
        reads!(|_, command: &str| command.replace("QUIT", "RSET\r\nQUIT")),
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
    row(
        "C0034",
        "ignores the number of lines",
        reads!(|_, command: &str| match word(command) {
            "TOP" => command.rsplit_once(' ').unwrap().0.replace("TOP", "RETR"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "gives the header alone",
        reads!(|_, command: &str| match word(command) {
            "TOP" => command.rsplit_once(' ').unwrap().0.to_owned() + " 0",
            _ => command.to_owned(),
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
        reads!(|_, command: &str| command.replace("UIDL 5", "UIDL 4")),
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

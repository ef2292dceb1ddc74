//! One fault or more for each statement.

use crate::mock::{CLOSE, Fault, GREETING, NO_FAULT};

use super::{
    Row, command, first_line, is, names_deleted, on, one_more_octet, reply, stat_of_one_more_octet,
    without_last_line, word,
};

pub(crate) const FAULTS: &[Row] = &[
    (
        "C0002",
        "does not greet",
        reply(|_, command, reply| on(command == GREETING, reply, |_| String::new())),
    ),
    (
        "C0005",
        "ends a line by LF alone",
        reply(|_, command, reply| {
            on(is(command, "NOOP"), reply, |reply| {
                reply.replace("\r\n", "\n")
            })
        }),
    ),
    (
        "C0006",
        "ends a block by dot and LF",
        reply(|_, command, reply| {
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace("\r\n.\r\n", "\r\n.\n")
            })
        }),
    ),
    (
        "C0006",
        "does not end a block",
        reply(|_, command, reply| {
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace("\r\n.\r\n", "\r\n")
            })
        }),
    ),
    (
        "C0009",
        "has no login",
        reply(|_, command, reply| match command {
            "CAPA" => reply.replace("USER\r\n", ""),
            _ => on(word(command) == "USER", reply, |_| "-ERR\r\n".to_owned()),
        }),
    ),
    (
        "C0010",
        "takes no login after a refused one",
        reply(|state, command, reply| {
            let is_later = state.refused_logins > 0 && word(command) == "USER";
            on(is_later, reply, |_| "-ERR\r\n".to_owned())
        }),
    ),
    (
        "C0011",
        "leaves a gap before the last number",
        reply(|_, command, reply| {
            let is_listing = is(command, "LIST") || is(command, "UIDL");
            on(is_listing, reply, |reply| reply.replace("\r\n4 ", "\r\n5 "))
        }),
    ),
    (
        "C0014",
        "does not answer UIDL and TOP, which it announces",
        reply(|_, command, reply| {
            on(matches!(word(command), "UIDL" | "TOP"), reply, |_| {
                String::new()
            })
        }),
    ),
    (
        "C0014",
        "does not answer STAT before login",
        reply(|state, command, reply| {
            on(is(command, "STAT") && !state.is_logged_in, reply, |_| {
                String::new()
            })
        }),
    ),
    (
        "C0014",
        "closes at NOOP",
        reply(|_, command, reply| on(is(command, "NOOP"), reply, |_| CLOSE.to_owned())),
    ),
    (
        "C0014",
        "does not answer NOOP",
        reply(|_, command, reply| on(is(command, "NOOP"), reply, |_| String::new())),
    ),
    (
        "C0017",
        "answers STAT in words",
        reply(|_, command, reply| {
            on(is(command, "STAT") && reply.starts_with('+'), reply, |_| {
                "+OK four messages\r\n".to_owned()
            })
        }),
    ),
    (
        "C0017",
        "answers STAT with one number",
        reply(|_, command, reply| {
            on(is(command, "STAT") && reply.starts_with('+'), reply, |_| {
                "+OK 4\r\n".to_owned()
            })
        }),
    ),
    (
        "C0019",
        "tells other octets in LIST 1",
        reply(|_, command, reply| {
            on(
                is(command, "LIST 1") && reply.starts_with('+'),
                reply,
                |_| "+OK 1 999999\r\n".to_owned(),
            )
        }),
    ),
    (
        "C0020",
        "leaves a message out of LIST",
        reply(|_, command, reply| on(is(command, "LIST"), reply, without_last_line)),
    ),
    (
        "C0020",
        "answers LIST in one line",
        reply(|_, command, reply| on(is(command, "LIST"), reply, first_line)),
    ),
    (
        "C0021",
        "counts an octet too many",
        reply(|_, command, reply| match word(command) {
            "LIST" => one_more_octet(reply),
            "STAT" => stat_of_one_more_octet(reply),
            _ => reply.to_owned(),
        }),
    ),
    (
        "C0021",
        "tells a size in words",
        reply(|_, command, reply| {
            on(is(command, "LIST"), reply, |reply| {
                reply.replace("\r\n3 ", "\r\n3 about ")
            })
        }),
    ),
    (
        "C0022",
        "answers RETR in one line",
        reply(|_, command, reply| on(word(command) == "RETR", reply, first_line)),
    ),
    (
        "C0023",
        "retrieves the next message",
        command(|state, command| {
            let next = match command {
                "RETR 1" => "RETR 2",
                "RETR 2" => "RETR 3",
                "RETR 3" => "RETR 4",
                "RETR 4" => "RETR 1",
                command => command,
            };
            if state.deleted.is_empty() {
                next
            } else {
                command
            }
            .to_owned()
        }),
    ),
    (
        "C0026",
        "deletes twice",
        reply(|state, command, reply| {
            let is_again = word(command) == "DELE" && names_deleted(state, command);
            on(is_again, reply, |_| "+OK\r\n".to_owned())
        }),
    ),
    (
        "C0026",
        "retrieves what is deleted",
        reply(|state, command, reply| {
            let is_deleted = word(command) == "RETR" && names_deleted(state, command);
            on(is_deleted, reply, |_| "+OK\r\n.\r\n".to_owned())
        }),
    ),
    (
        "C0029",
        "refuses NOOP",
        reply(|_, command, reply| on(is(command, "NOOP"), reply, |_| "-ERR\r\n".to_owned())),
    ),
    (
        "C0031",
        "has no RSET",
        reply(|_, command, reply| on(is(command, "RSET"), reply, |_| "-ERR\r\n".to_owned())),
    ),
    (
        "C0031",
        "has no QUIT before login",
        reply(|state, command, reply| {
            let is_early = is(command, "QUIT") && !state.is_logged_in;
            on(is_early, reply, |_| "-ERR\r\n".to_owned())
        }),
    ),
    (
        "C0034",
        "sends a line too many",
        command(|_, command| {
            match command
                .strip_suffix(" 1")
                .filter(|_| word(command) == "TOP")
            {
                Some(top) => format!("{top} 2"),
                None => command.to_owned(),
            }
        }),
    ),
    (
        "C0034",
        "answers TOP in one line",
        reply(|_, command, reply| on(word(command) == "TOP", reply, first_line)),
    ),
    (
        "C0036",
        "tells another unique-id in UIDL 1",
        reply(|_, command, reply| {
            on(
                is(command, "UIDL 1") && reply.starts_with('+'),
                reply,
                |_| "+OK 1 another\r\n".to_owned(),
            )
        }),
    ),
    (
        "C0037",
        "leaves a message out of UIDL",
        reply(|_, command, reply| on(is(command, "UIDL"), reply, without_last_line)),
    ),
    (
        "C0037",
        "answers UIDL in one line",
        reply(|_, command, reply| on(is(command, "UIDL"), reply, first_line)),
    ),
    (
        "C0038",
        "leaves a unique-id out",
        reply(|_, command, reply| {
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace("\r\n2 id-1\r\n", "\r\n2\r\n")
            })
        }),
    ),
    (
        "C0039",
        "has a unique-id of 71 octets",
        reply(|_, command, reply| {
            let long = format!(" {}\r\n", "x".repeat(71));
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace(" id-1\r\n", &long)
            })
        }),
    ),
    (
        "C0039",
        "makes new unique-ids for each session",
        reply(|state, command, reply| {
            let other = format!(" {}.id-", state.connection);
            on(word(command) == "UIDL", reply, |reply| {
                reply.replace(" id-", &other)
            })
        }),
    ),
    (
        "C0039",
        "moves a unique-id to another message",
        Fault {
            command: |state, command| {
                let is_later = state.quits > 0 && !state.has_removed && state.deleted.is_empty();
                let moved = |number: &str| match number {
                    "1" => "2",
                    "2" => "3",
                    "3" => "1",
                    _ => "4",
                };
                match command.split_once(' ') {
                    Some((word @ ("RETR" | "TOP"), rest)) if is_later => {
                        let (number, lines) = rest.split_once(' ').unwrap_or((rest, ""));
                        format!("{word} {} {lines}", moved(number))
                            .trim_end()
                            .to_owned()
                    }
                    _ => command.to_owned(),
                }
            },
            reply: |state, command, reply| {
                let is_later = state.quits > 0 && !state.has_removed && state.deleted.is_empty();
                let lines: Vec<&str> = reply.lines().collect();
                match (command, &lines[..]) {
                    ("LIST", [first, one, two, three, four, ..]) if is_later => {
                        let size = |line: &str| line.split_once(' ').unwrap().1.to_owned();
                        let (one, two, three) = (size(one), size(two), size(three));
                        format!("{first}\r\n1 {two}\r\n2 {three}\r\n3 {one}\r\n{four}\r\n.\r\n")
                    }
                    ("UIDL", [first, _, _, _, four, ..]) if is_later => {
                        format!("{first}\r\n1 new\r\n2 id-0\r\n3 newer\r\n{four}\r\n.\r\n")
                    }
                    _ => reply.to_owned(),
                }
            },
            ..NO_FAULT
        },
    ),
    (
        "C0040",
        "gives two messages one unique-id",
        reply(|_, command, reply| {
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace(" id-2\r\n", " id-1\r\n")
            })
        }),
    ),
];

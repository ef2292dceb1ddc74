//! One fault or more for each row.

use crate::mock::{Fault, NO_FAULT, Quirk, State};

/// A row, what its server does, and the server.
pub(crate) type Row = (&'static str, &'static str, Fault);

/// A fault in what is answered.
const fn reply(reply: fn(&State, &str, &str) -> String) -> Fault {
    Fault { reply, ..NO_FAULT }
}

/// A fault in what a command is read as.
const fn command(command: fn(&State, &str) -> String) -> Fault {
    Fault {
        command,
        ..NO_FAULT
    }
}

const fn quirk(quirk: Quirk) -> Fault {
    Fault { quirk, ..NO_FAULT }
}

pub(crate) const FAULTS: [Row; 54] = [
    (
        "C0002",
        "does not greet",
        reply(|_, command, reply| on(command.is_empty(), reply, |_| String::new())),
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
            on(is(command, "LIST 1"), reply, |_| {
                "+OK 1 999999\r\n".to_owned()
            })
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
        reply(|_, command, reply| on(word(command) == "DELE", reply, |_| "+OK\r\n".to_owned())),
    ),
    (
        "C0026",
        "retrieves what is deleted",
        reply(|state, command, reply| {
            let is_deleted = word(command) == "RETR" && !state.deleted.is_empty();
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
            on(is(command, "UIDL 1"), reply, |_| {
                "+OK 1 another\r\n".to_owned()
            })
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
        "C0040",
        "gives two messages one unique-id",
        reply(|_, command, reply| {
            on(is(command, "UIDL"), reply, |reply| {
                reply.replace(" id-2\r\n", " id-1\r\n")
            })
        }),
    ),
    (
        "rfc1939-indicator",
        "says Ok",
        reply(|_, command, reply| on(is(command, "NOOP"), reply, |_| "+Ok\r\n".to_owned())),
    ),
    (
        "rfc1939-reply-length",
        "has much to say",
        reply(|_, command, reply| {
            let line = format!("+OK {}\r\n", "x".repeat(600));
            on(is(command, "NOOP"), reply, |_| line.clone())
        }),
    ),
    (
        "rfc1939-one-reply",
        "answers twice",
        reply(|_, command, reply| on(is(command, "UIDL 1"), reply, |reply| reply.repeat(2))),
    ),
    (
        "rfc1939-unknown-command",
        "takes any command",
        reply(|_, command, reply| on(is(command, "XQZT"), reply, |_| "+OK\r\n".to_owned())),
    ),
    (
        "rfc1939-unknown-command",
        "ignores unknown commands",
        reply(|_, command, reply| on(is(command, "XQZT"), reply, |_| String::new())),
    ),
    (
        "rfc1939-state",
        "tells anybody how much mail there is",
        reply(|state, command, reply| {
            let is_early = is(command, "STAT") && !state.is_logged_in;
            on(is_early, reply, |_| "+OK 4 400\r\n".to_owned())
        }),
    ),
    (
        "rfc1939-case",
        "knows keywords in upper case alone",
        reply(|_, command, reply| on(command == "noop", reply, |_| "-ERR\r\n".to_owned())),
    ),
    (
        "rfc2449-command-length",
        "takes a long line for two",
        reply(|_, command, reply| on(command.len() > 1000, reply, |reply| reply.repeat(2))),
    ),
    ("rfc1939-quit", "stays after QUIT", quirk(Quirk::StaysOpen)),
    (
        "rfc1939-agreement",
        "adds up wrongly",
        reply(|_, command, reply| on(is(command, "STAT"), reply, one_more)),
    ),
    (
        "rfc1939-no-such-message",
        "takes 0 for 1",
        command(|_, command| {
            if command == "RETR 0" {
                "RETR 1"
            } else {
                command
            }
            .to_owned()
        }),
    ),
    (
        "rfc1939-stuffing",
        "does not stuff",
        reply(|_, command, reply| {
            on(word(command) == "RETR", reply, |reply| {
                reply.replace("\r\n..dot", "\r\n.dot")
            })
        }),
    ),
    (
        "rfc1939-stuffing",
        "does not stuff a line of one dot",
        reply(|_, command, reply| {
            on(word(command) == "RETR", reply, |reply| {
                reply.replace("\r\n..\r\n", "\r\n.\r\n")
            })
        }),
    ),
    (
        "rfc1939-stuffing-first-octet",
        "stuffs after CRLF alone",
        reply(|_, command, reply| {
            let is_message = matches!(word(command), "RETR" | "TOP");
            on(is_message, reply, |reply| {
                reply.replace("\r\n..first", "\r\n.first")
            })
        }),
    ),
    (
        "rfc1939-top-0",
        "sends all for 0",
        command(|_, command| {
            match command
                .strip_prefix("TOP ")
                .and_then(|rest| rest.strip_suffix(" 0"))
            {
                Some(number) => format!("RETR {number}"),
                None => command.to_owned(),
            }
        }),
    ),
    (
        "rfc1939-deleted-unlisted",
        "lists what is deleted",
        reply(|state, command, reply| {
            match state.deleted.first().filter(|_| is(command, "LIST")) {
                Some(number) => reply.replace("\r\n.\r\n", &format!("\r\n{number} 9\r\n.\r\n")),
                None => reply.to_owned(),
            }
        }),
    ),
    (
        "rfc1939-deleted-unlisted",
        "counts what is deleted",
        reply(|state, command, reply| {
            let counts = is(command, "STAT") && !state.deleted.is_empty();
            on(counts, reply, |reply| reply.replace("+OK 3 ", "+OK 4 "))
        }),
    ),
    (
        "rfc1939-rset",
        "takes no mark off",
        command(|_, command| if command == "RSET" { "NOOP" } else { command }.to_owned()),
    ),
    (
        "maildrop-as-found",
        "removes a message at the first QUIT",
        command(|state, command| {
            let is_first = command == "QUIT" && state.is_logged_in && state.quits == 0;
            if is_first { "DELE 4\r\nQUIT" } else { command }.to_owned()
        }),
    ),
    (
        "rfc1939-dropped-connection",
        "removes without QUIT",
        quirk(Quirk::DropRemoves),
    ),
    (
        "rfc1939-update",
        "removes nothing",
        command(|_, command| {
            if command == "QUIT" {
                "RSET\r\nQUIT"
            } else {
                command
            }
            .to_owned()
        }),
    ),
    (
        "rfc1939-unique-id-reuse",
        "numbers unique-ids anew",
        reply(|state, command, reply| {
            let renumbers = state.has_removed && is(command, "UIDL");
            on(renumbers, reply, |reply| {
                renumbered(reply, &state.unique_ids)
            })
        }),
    ),
    (
        "rfc2449-capa",
        "has a capability with a dot",
        reply(|_, command, reply| {
            on(is(command, "CAPA"), reply, |reply| {
                reply.replace("TOP\r\n", "TOP\r\n..foo\r\n")
            })
        }),
    ),
];

pub(crate) const MORE_FAULTS: [Row; 5] = [
    (
        "rfc2449-announced",
        "announces UIDL and has it not",
        reply(|_, command, reply| on(word(command) == "UIDL", reply, |_| "-ERR\r\n".to_owned())),
    ),
    (
        "rfc2449-pipelining",
        "reads one command of many",
        quirk(Quirk::OneAtATime),
    ),
    (
        "rfc2595-stls",
        "refuses STLS",
        reply(|_, command, reply| on(is(command, "STLS"), reply, |_| "-ERR\r\n".to_owned())),
    ),
    (
        "rfc2595-stls-discards",
        "obeys what came before TLS",
        quirk(Quirk::ObeysWhatCameWithStls),
    ),
    (
        "rfc2595-stls-once",
        "takes STLS twice",
        reply(|state, command, reply| {
            on(state.is_tls && is(command, "STLS"), reply, |_| {
                "+OK\r\n".to_owned()
            })
        }),
    ),
];

/// The reply changed, if this is where the fault is.
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

/// The last number of a line, one higher.
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

//! One fault or more for each clause of the RFCs, and a few more for statements.

use crate::mock::{Fault, MESSAGES, NO_FAULT, Quirk};

use super::{Row, command, first_line, is, on, one_more, quirk, renumbered, reply, word};

pub(super) const FAULTS: &[Row] = &[
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
        "rfc1939-state",
        "answers RETR before login",
        reply(|state, command, reply| {
            let is_early = word(command) == "RETR" && !state.is_logged_in;
            on(is_early, reply, |_| "+OK\r\n".to_owned())
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
    (
        "rfc2449-command-length",
        "accepts a long line",
        reply(|_, command, reply| on(command.len() > 1000, reply, |_| "+OK\r\n".to_owned())),
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
        command(|_, command| command.replace("RETR 0", "RETR 1")),
    ),
    (
        "rfc1939-no-such-message",
        "takes 5 for 4",
        command(|_, command| command.replace("RETR 5", "RETR 4")),
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
        "rfc1939-stuffing-first-octet",
        "does not stuff a first line of one dot",
        Fault {
            messages: &[
                ".\r\nSubject: 1\r\n\r\none line\r\nand another\r\n",
                "Subject: 2\r\n\r\n.dot\r\nand an end\r\n",
                "Subject: 3\r\n\r\none\r\ntwo\r\n",
            ],
            reply: |_, command, reply| match (word(command), reply.split_once("\r\n..\r\n")) {
                ("RETR" | "TOP", Some((first, rest))) if !first.contains('\n') => {
                    format!("{first}\r\n.\r\n{rest}")
                }
                _ => reply.to_owned(),
            },
            ..NO_FAULT
        },
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
        "rfc1939-top-0",
        "sends a line for 0",
        command(|_, command| match command.strip_suffix(" 0") {
            Some(top) if word(top) == "TOP" => format!("{top} 1"),
            _ => command.to_owned(),
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
        "rfc1939-rset",
        "does not list what RSET unmarked",
        reply(|state, command, reply| {
            let is_unmarked =
                word(command) == "LIST" && state.said.iter().any(|said| said == "RSET");
            on(is_unmarked, reply, |_| "-ERR\r\n".to_owned())
        }),
    ),
    (
        "maildrop-as-found",
        "removes a message at the first QUIT",
        command(|state, command| {
            let is_first = command == "QUIT" && state.is_logged_in && state.quits == 0;
            if is_first { "DELE 1\r\nQUIT" } else { command }.to_owned()
        }),
    ),
    (
        "maildrop-as-found",
        "replaces a message at the first QUIT",
        reply(|state, command, reply| match command {
            _ if state.quits != 1 => reply.to_owned(),
            "LIST" => reply.replace("\r\n4 ", "\r\n4 1"),
            "UIDL" => reply.replace("id-3", "another"),
            "RETR 4" => reply.replace("words", "other words"),
            _ => reply.to_owned(),
        }),
    ),
    (
        "maildrop-as-found",
        "removes one of three messages of one size at the first QUIT",
        Fault {
            messages: &[
                "Subject: 1\r\n\r\n.one\r\ntwo\r\n",
                "Subject: 2\r\n\r\n.one\r\ntwo\r\n",
                "Subject: 3\r\n\r\n.one\r\ntwo\r\n",
            ],
            command: |state, command| {
                let is_first = command == "QUIT" && state.is_logged_in && state.quits == 0;
                if is_first { "DELE 3\r\nQUIT" } else { command }.to_owned()
            },
            ..NO_FAULT
        },
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
    (
        "rfc2449-capa",
        "answers CAPA in one line",
        reply(|_, command, reply| on(is(command, "CAPA"), reply, first_line)),
    ),
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
        "rfc2449-pipelining",
        "sends a first line before the end of the message before",
        quirk(Quirk::Interleaves),
    ),
    (
        "rfc2449-pipelining",
        "answers the second command first",
        quirk(Quirk::Swaps),
    ),
    (
        "rfc2449-pipelining",
        "counts other messages the second time",
        reply(|state, command, reply| {
            let is_later = state.said.iter().any(|said| said == "XQZT");
            on(is(command, "STAT") && is_later, reply, |reply| {
                reply.replace("+OK 4", "+OK 5")
            })
        }),
    ),
    (
        "rfc2449-pipelining",
        "mixes up messages sent together",
        Fault {
            messages: MESSAGES.split_at(2).0,
            reply: |state, command, reply| {
                // The check sends RETR alone, alone again, and together.
                let before = state.said.iter().filter(|said| *said == command).count();
                on(word(command) == "RETR" && before == 2, reply, |reply| {
                    reply.replace("and an", "an and")
                })
            },
            ..NO_FAULT
        },
    ),
    (
        "rfc2595-stls",
        "refuses STLS",
        command(|_, command| command.replace("STLS", "XQZT")),
    ),
    (
        "rfc2595-stls-discards",
        "obeys what came before TLS",
        quirk(Quirk::ObeysWhatCameWithStls),
    ),
    (
        "rfc2595-stls-discards",
        "answers what came with STLS before TLS",
        reply(|state, command, reply| {
            // CAPA comes before STLS that is sent alone.
            on(
                is(command, "STLS") && state.said.is_empty(),
                reply,
                |reply| format!("{reply}+OK\r\nSTLS\r\n.\r\n"),
            )
        }),
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
    (
        "rfc2449-command-length",
        "ignores a long line",
        reply(|_, command, reply| on(command.len() > 1000, reply, |_| String::new())),
    ),
    (
        "C0014",
        "does not answer STAT",
        reply(|_, command, reply| on(is(command, "STAT"), reply, |_| String::new())),
    ),
    (
        "C0034",
        "answers TOP with a line of text in one line",
        reply(|_, command, reply| {
            let is_top_1 = word(command) == "TOP" && command.ends_with(" 1");
            on(is_top_1, reply, first_line)
        }),
    ),
    (
        "C0040",
        "gives two messages of one size one unique-id",
        Fault {
            messages: &[
                "Subject: 1\r\n\r\n.one\r\ntwo\r\n",
                "Subject: 2\r\n\r\n.one\r\ntwo\r\n",
                "Subject: 33\r\n\r\n.one\r\ntwo\r\n",
            ],
            reply: |_, command, reply| {
                on(is(command, "UIDL"), reply, |reply| {
                    reply.replace(" id-1\r\n", " id-0\r\n")
                })
            },
            ..NO_FAULT
        },
    ),
];

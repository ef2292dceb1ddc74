//! Correct servers that lack something, and servers with faults of several rows.

use crate::mock::{CLOSE, Fault, GREETING, NO_FAULT, Quirk};

use super::{command, is, on, reply, word};

/// What a server does, the server, the rows that are not well, and the rows that
/// are not testable.
pub(crate) type Server = (&'static str, Fault, &'static str, &'static str);

pub(crate) const EMPTY: Fault = Fault {
    messages: &[],
    ..NO_FAULT
};

pub(crate) const TWO_SHORT_MESSAGES: Fault = Fault {
    messages: &["Subject: 1\r\n\r\ntext\r\n", "Subject: 22\r\n\r\ntext\r\n"],
    ..NO_FAULT
};

pub(crate) const NO_CAPA: Fault =
    reply(|_, command, reply| on(is(command, "CAPA"), reply, |_| "-ERR\r\n".to_owned()));

pub(crate) const BASIC: Fault = Fault {
    reply: |_, command, reply| match word(command) {
        "CAPA" => "+OK\r\nUSER\r\nSTLS\r\n.\r\n".to_owned(),
        "TOP" | "UIDL" => "-ERR\r\n".to_owned(),
        _ => reply.to_owned(),
    },
    quirk: Quirk::OneAtATime,
    ..NO_FAULT
};

pub(crate) const PLAIN: Fault = Fault {
    // RFC 4616 §2, in base64.
    command: |_, command| match command {
        "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm" => "USER mrose\r\nPASS tanstaaf".to_owned(),
        command => command.to_owned(),
    },
    reply: |_, command, reply| match word(command) {
        "CAPA" => reply.replace("USER\r\n", "SASL PLAIN\r\n"),
        "USER" => "-ERR\r\n".to_owned(),
        _ => reply.to_owned(),
    },
    ..NO_FAULT
};

pub(crate) const NO_LIST: Fault =
    reply(|_, command, reply| on(word(command) == "LIST", reply, |_| "-ERR\r\n".to_owned()));

pub(crate) const NO_DELE: Fault = command(|_, command| command.replace("DELE", "XQZT"));

pub(crate) const CLOSES_AT_STLS_WITH_MORE: Fault = reply(|state, command, reply| {
    // CAPA comes before STLS that is sent alone.
    on(is(command, "STLS") && state.said.is_empty(), reply, |_| {
        CLOSE.to_owned()
    })
});

const CLOSES_AFTER_REFUSAL: Fault = reply(|_, _, reply| {
    on(reply.starts_with('-'), reply, |reply| {
        format!("{reply}{CLOSE}")
    })
});

const NO_TOP: Fault = reply(no_top);

fn no_top(_: &crate::mock::State, command: &str, reply: &str) -> String {
    match word(command) {
        "CAPA" => reply.replace("TOP\r\n", ""),
        "TOP" => "-ERR\r\n".to_owned(),
        _ => reply.to_owned(),
    }
}

pub(crate) const SERVERS: &[Server] = &[
    (
        "has no messages",
        EMPTY,
        "",
        "C0011 C0019 C0021 C0022 C0023 C0026 C0034 C0036 C0038 C0039 C0040 rfc1939-stuffing \
         rfc1939-stuffing-first-octet rfc1939-top-0 rfc1939-deleted-unlisted rfc1939-rset \
         maildrop-as-found rfc1939-dropped-connection rfc1939-update \
         rfc1939-unique-id-reuse rfc2449-pipelining",
    ),
    (
        "has two short messages",
        TWO_SHORT_MESSAGES,
        "",
        "C0034 rfc1939-stuffing rfc1939-stuffing-first-octet",
    ),
    (
        "has no CAPA",
        NO_CAPA,
        "",
        "rfc2449-capa rfc2449-announced rfc2449-pipelining rfc2595-stls \
         rfc2595-stls-discards rfc2595-stls-once",
    ),
    (
        "has none of PIPELINING, TOP and UIDL",
        BASIC,
        "",
        "C0034 C0036 C0037 C0038 C0039 C0040 rfc1939-top-0 rfc1939-unique-id-reuse \
         rfc2449-announced rfc2449-pipelining",
    ),
    (
        "does not announce TOP and UIDL",
        reply(|_, command, reply| {
            on(is(command, "CAPA"), reply, |reply| {
                reply.replace("TOP\r\nUIDL\r\n", "")
            })
        }),
        "",
        "rfc2449-announced",
    ),
    ("logs in by PLAIN", PLAIN, "", "C0010"),
    (
        "accepts any password",
        command(|_, command| match word(command) {
            "PASS" => "PASS tanstaaf".to_owned(),
            _ => command.to_owned(),
        }),
        "",
        "C0010",
    ),
    (
        "refuses LIST",
        NO_LIST,
        "C0031",
        "C0011 C0019 C0020 C0021 C0022 C0023 C0026 C0034 C0036 C0039 rfc1939-agreement \
         rfc1939-stuffing rfc1939-stuffing-first-octet rfc1939-top-0 \
         rfc1939-deleted-unlisted rfc1939-rset maildrop-as-found rfc1939-dropped-connection \
         rfc1939-update rfc1939-unique-id-reuse rfc2449-pipelining",
    ),
    (
        "refuses RETR",
        reply(|_, command, reply| on(word(command) == "RETR", reply, |_| "-ERR\r\n".to_owned())),
        "C0031",
        "C0021 C0022 C0023 C0034 C0039 rfc1939-stuffing rfc1939-stuffing-first-octet \
         rfc1939-top-0",
    ),
    (
        "refuses DELE",
        NO_DELE,
        "C0031",
        "C0026 rfc1939-deleted-unlisted rfc1939-rset rfc1939-dropped-connection \
         rfc1939-update rfc1939-unique-id-reuse",
    ),
    // Some proxies do this.
    (
        "closes after a refusal",
        CLOSES_AFTER_REFUSAL,
        "",
        "rfc1939-deleted-unlisted rfc1939-rset",
    ),
    (
        "closes after a refusal, and resets the connection",
        Fault {
            quirk: Quirk::Resets,
            ..CLOSES_AFTER_REFUSAL
        },
        "",
        "rfc1939-deleted-unlisted rfc1939-rset",
    ),
    (
        "closes at the password after a refused login",
        reply(|state, command, reply| {
            let is_later = state.refused_logins > 0 && command == "PASS tanstaaf";
            on(is_later, reply, |_| CLOSE.to_owned())
        }),
        "",
        "",
    ),
    // stunnel does this in front of a server.
    (
        "closes at a command before TLS",
        reply(|state, command, reply| {
            let is_known = matches!(command, GREETING | "CAPA" | "STLS");
            on(!is_known && !state.is_tls, reply, |_| CLOSE.to_owned())
        }),
        "",
        "",
    ),
    (
        "closes at STLS that comes with a command",
        CLOSES_AT_STLS_WITH_MORE,
        "",
        "",
    ),
    (
        "refuses STLS that comes with a command",
        reply(|state, command, reply| {
            let comes_first = is(command, "STLS") && state.said.is_empty();
            on(comes_first, reply, |_| "-ERR\r\n".to_owned())
        }),
        "",
        "",
    ),
    (
        "is busy for a while",
        reply(
            |state, command, reply| match (state.connection, word(command)) {
                (2, "PASS") => "-ERR [IN-USE] locked\r\n".to_owned(),
                (6, "PASS") => "-ERR locked\r\n".to_owned(),
                (5 | 8, GREETING) => "-ERR busy\r\n".to_owned(),
                _ => reply.to_owned(),
            },
        ),
        "",
        "rfc2595-stls-discards",
    ),
    (
        "retrieves two messages in each other's place, and has no TOP",
        Fault {
            command: |state, command| match command {
                _ if !state.deleted.is_empty() => command.to_owned(),
                "RETR 1" => "RETR 2".to_owned(),
                "RETR 2" => "RETR 1".to_owned(),
                _ => command.to_owned(),
            },
            ..NO_TOP
        },
        "C0021 C0023",
        "C0034 rfc1939-top-0",
    ),
    (
        "has two messages of one size, and no TOP",
        Fault {
            messages: &["Subject: 1\r\n\r\n.\r\n", "Subject: 2\r\n\r\n.\r\n"],
            ..NO_TOP
        },
        "",
        "C0034 rfc1939-stuffing-first-octet rfc1939-top-0",
    ),
    (
        "counts an octet too many in one message, and has no TOP",
        reply(|state, command, reply| match command {
            "LIST" => reply.replace("\r\n2 42\r\n", "\r\n2 43\r\n"),
            _ => no_top(state, command, reply),
        }),
        "C0021 rfc1939-agreement",
        "C0034 rfc1939-top-0",
    ),
    (
        "cannot remove messages",
        Fault {
            command: |_, command| command.replace("QUIT", "RSET\r\nQUIT"),
            reply: |state, command, reply| {
                on(
                    is(command, "QUIT") && state.said.iter().any(|said| word(said) == "DELE"),
                    reply,
                    |_| "-ERR not removed\r\n".to_owned(),
                )
            },
            ..NO_FAULT
        },
        "",
        "rfc1939-update rfc1939-unique-id-reuse",
    ),
    (
        "has three copies of a message, under one unique-id",
        Fault {
            messages: &["Subject: 1\r\n\r\n.one\r\ntwo\r\n"; 3],
            reply: |_, command, reply| {
                on(word(command) == "UIDL", reply, |reply| {
                    reply.replace("id-1", "id-0").replace("id-2", "id-0")
                })
            },
            ..NO_FAULT
        },
        "",
        "C0040 rfc1939-stuffing-first-octet",
    ),
    (
        "does not stuff a first line that begins with two dots",
        Fault {
            messages: &[
                "..first: two dots\r\n\r\n.one\r\ntwo\r\n",
                "Subject: 2\r\n\r\n.one\r\ntwo\r\n",
            ],
            reply: |_, command, reply| {
                on(matches!(word(command), "RETR" | "TOP"), reply, |reply| {
                    reply.replace("\r\n...first", "\r\n..first")
                })
            },
            ..NO_FAULT
        },
        "",
        "C0023 rfc1939-stuffing-first-octet",
    ),
];

//! Faults that occur only at some moments: after a certain command, in a later
//! session, or when mail has arrived.

use super::{
    Row, emptied, first_line, has_said, instead, is_about_one, is_yes, last, lf, logged_in,
    names_deleted, nothing, numbers_alone, one_message_more, one_more, refusal, row, sizes_turned,
    top, without_last_line, word,
};
use crate::mock::{self, GREETING, NO_FAULT, State};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0002",
        "does not greet while another session has the maildrop",
        replies!(|state: &State, command: &str, _| command == GREETING && state.is_busy => nothing),
    ),
    row(
        "C0002",
        "does not greet once a message was removed",
        replies!(|state: &State, command: &str, _| command == GREETING && state.has_removed => nothing),
    ),
    row(
        "C0005",
        "ends STAT by LF from the third connection on",
        replies!(|state: &State, command: &str, _| command == "STAT" && state.connection > 2 => lf),
    ),
    row(
        "C0009",
        "gives STAT and RETR 1 to anybody",
        reads!(|state: &State, command: &str| match command {
            "STAT" | "RETR 1" if !state.is_logged_in => logged_in(command),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0009",
        "logs in once",
        replies!(|state: &State, command: &str, _| word(command) == "PASS" && state.connection > 1 => refusal),
    ),
    row(
        "C0009",
        "takes a name after CAPA alone",
        replies!(|state: &State, command: &str, _| word(command) == "USER" && !has_said(state, "CAPA") => refusal),
    ),
    row(
        "C0010",
        "refuses QUIT after three refused logins",
        replies!(|state: &State, command: &str, _| command == "QUIT" && state.refused_logins > 2 && !state.is_logged_in => refusal),
    ),
    row(
        "C0010",
        "has an empty maildrop after a refused login",
        replies!(|state: &State, command: &str, _| state.refused_logins > 0 && state.is_logged_in && matches!(command, "STAT" | "LIST" | "UIDL") => emptied),
    ),
    row(
        "C0010",
        "takes any password the second time",
        reads!(
            |state: &State, command: &str| match (state.refused_logins, word(command)) {
                (1, "PASS") => "PASS tanstaaf".to_owned(),
                _ => command.to_owned(),
            }
        ),
    ),
    row(
        "C0010",
        "keeps the first name",
        reads!(|state: &State, command: &str| match state
            .said
            .iter()
            .find(|line| word(line) == "USER")
        {
            Some(first) if word(command) == "USER" && state.refused_logins > 0 => first.clone(),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0010",
        "takes no name after PASS without USER",
        replies!(|state: &State, command: &str, _| word(command) == "USER" && last(state) == "PASS" => refusal),
    ),
    row(
        "C0011",
        "lists mail that arrives in the session",
        replies!(|state: &State, command: &str, reply: &str| matches!(command, "LIST" | "UIDL") && state.arrivals_here > 0 && is_yes(reply) => |reply: &str| reply.replace("\r\n.\r\n", "\r\n99 31\r\n.\r\n")),
    ),
    row(
        "C0014",
        "does not answer USER after USER",
        replies!(|state: &State, command: &str, _| word(command) == "USER" && last(state) == "USER" => nothing),
    ),
    row(
        "C0014",
        "says +OK to USER after login",
        replies!(|state: &State, command: &str, _| word(command) == "USER" && state.is_logged_in => |_| "+OK\r\n".to_owned()),
    ),
    row(
        "C0014",
        "says +OK to NOOP before login",
        replies!(|state: &State, command: &str, _| command == "NOOP" && !state.is_logged_in => |_| "+OK\r\n".to_owned()),
    ),
    row(
        "C0014",
        "does not answer QUIT if two are deleted",
        replies!(|state: &State, command: &str, _| command == "QUIT" && state.deleted.len() > 1 => nothing),
    ),
    row(
        "C0017",
        "counts what was removed in the next session",
        replies!(|state: &State, command: &str, reply: &str| command == "STAT" && state.has_removed && is_yes(reply) => one_message_more),
    ),
    row(
        "C0017",
        "counts a message more for a refused DELE",
        replies!(|state: &State, command: &str, reply: &str| command == "STAT" && is_yes(reply) && !has_said(state, "RSET") && state.said.iter().filter(|line| word(line) == "DELE").count() > state.deleted.len() => one_message_more),
    ),
    row(
        "C0019",
        "is wrong after RSET",
        replies!(|state: &State, command: &str, reply: &str| word(command) == "LIST" && is_about_one(command) && is_yes(reply) && has_said(state, "RSET") => one_more),
    ),
    row(
        "C0020",
        "leaves a message out after RSET",
        replies!(|state: &State, command: &str, _| command == "LIST" && has_said(state, "RSET") => without_last_line),
    ),
    row(
        "C0020",
        "is empty the second time",
        replies!(|state: &State, command: &str, reply: &str| command == "LIST" && is_yes(reply) && has_said(state, "LIST") && last(state) != "CAPA" && state.connection > 3 => |_| "+OK\r\n.\r\n".to_owned()),
    ),
    row(
        "C0021",
        "turns the sizes after DELE",
        replies!(|state: &State, command: &str, _| command == "LIST" && !state.deleted.is_empty() => sizes_turned),
    ),
    row(
        "C0022",
        "answers in one line after DELE",
        replies!(|state: &State, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) && !state.deleted.is_empty() => first_line),
    ),
    row(
        "C0023",
        "adds Status in a later session",
        replies!(|state: &State, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) && state.quits > 0 => |reply: &str| reply.replacen("\r\n", "\r\nStatus: RO\r\n", 1)),
    ),
    row(
        "C0023",
        "gives the top after TOP",
        reads!(
            |state: &State, command: &str| match command.strip_prefix("RETR ") {
                Some(number)
                    if state
                        .said
                        .last()
                        .is_some_and(|line| line.starts_with(&format!("TOP {number} "))) =>
                    format!("TOP {number} 0"),
                _ => command.to_owned(),
            }
        ),
    ),
    row(
        "C0026",
        "forgets marks at CAPA",
        reads!(|_, command: &str| instead(command, "CAPA", "RSET\r\nCAPA")),
    ),
    row(
        "C0026",
        "forgets marks at a refused QUIT",
        reads!(|_, command: &str| instead(command, "QUIT 1", "RSET\r\nQUIT 1")),
    ),
    row(
        "C0026",
        "retrieves what is deleted once there was RSET",
        replies!(|state: &State, command: &str, _| word(command) == "RETR" && has_said(state, "RSET") && names_deleted(state, command) => |_| "+OK\r\n\r\n.\r\n".to_owned()),
    ),
    row(
        "C0029",
        "refuses NOOP in a later session",
        replies!(|state: &State, command: &str, _| command == "NOOP" && state.quits > 0 => refusal),
    ),
    row(
        "C0029",
        "refuses NOOP after a refusal",
        replies!(|state: &State, command: &str, _| command == "NOOP" && last(state) == "XQZT" => refusal),
    ),
    row(
        "C0031",
        "removes the message behind the marked one",
        reads!(|state: &State, command: &str| match &*state.deleted {
            [one] if command == "QUIT" && one == "2" => "RSET\r\nDELE 3\r\nQUIT".to_owned(),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0031",
        "removes one of the marked",
        reads!(|state: &State, command: &str| match &*state.deleted {
            [first, _, ..] if command == "QUIT" => format!("RSET\r\nDELE {first}\r\nQUIT"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0031",
        "refuses QUIT if messages are deleted",
        replies!(|state: &State, command: &str, _| command == "QUIT" && !state.deleted.is_empty() => refusal),
    ),
    row(
        "C0031",
        "does not give the maildrop back",
        replies!(|state: &State, command: &str, _| word(command) == "PASS" && state.quits > 0 => |_| "-ERR [IN-USE] locked\r\n".to_owned()),
    ),
    row(
        "C0031",
        "refuses RSET if nothing is deleted",
        replies!(|state: &State, command: &str, _| command == "RSET" && !has_said(state, "DELE") => refusal),
    ),
    row(
        "C0034",
        "gives all after RETR",
        reads!(|state: &State, command: &str| match top(command) {
            Some((number, _)) if last(state) == "RETR" => format!("RETR {number}"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "adds to the header in a later session",
        replies!(|state: &State, command: &str, reply: &str| word(command) == "TOP" && is_yes(reply) && state.quits > 0 => |reply: &str| reply.replacen("\r\n", "\r\nStatus: RO\r\n", 1)),
    ),
    row(
        "C0036",
        "is wrong after DELE",
        replies!(|state: &State, command: &str, reply: &str| word(command) == "UIDL" && is_about_one(command) && is_yes(reply) && !state.deleted.is_empty() => |reply: &str| reply.replace(" i", " j")),
    ),
    row(
        "C0037",
        "leaves a message out after RSET",
        replies!(|state: &State, command: &str, _| command == "UIDL" && has_said(state, "RSET") => without_last_line),
    ),
    row(
        "C0038",
        "has no unique-id after DELE",
        replies!(|state: &State, command: &str, _| command == "UIDL" && !state.deleted.is_empty() => numbers_alone),
    ),
    row(
        "C0039",
        "makes new unique-ids after RSET",
        replies!(|state: &State, command: &str, _| word(command) == "UIDL" && has_said(state, "RSET") => |reply: &str| reply.replace(" i", " j")),
    ),
    row(
        "C0039",
        "makes new unique-ids when mail arrives",
        replies!(|state: &State, command: &str, _| word(command) == "UIDL" && state.arrivals > 0 => |reply: &str| reply.replace(" i", " j")),
    ),
    row(
        "C0040",
        "begins anew when the maildrop is empty",
        replies!(|state: &State, command: &str, _| word(command) == "UIDL" && state.arrivals > 0 => |reply: &str| reply.replace("ie-2", "id-0")),
    ),
];

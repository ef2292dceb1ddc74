//! Faults in the greeting, in replies and in the login.

use super::{Row, dot_lf, lf, refusal, row, unended, word};
use crate::mock::{self, GREETING, NO_FAULT, Quirk};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0002",
        "refuses at once",
        says!(GREETING => |_| "-ERR busy\r\n".to_owned()),
    ),
    row(
        "C0002",
        "greets twice",
        says!(GREETING => |reply: &str| reply.repeat(2)),
    ),
    row(
        "C0002",
        "greets with words",
        says!(GREETING => |_| "ready\r\n".to_owned()),
    ),
    row(
        "C0002",
        "greets the first connection alone",
        replies!(
        |state: &mock::State, command: &str, _| state.connection > 1 && command == GREETING
            => |_| String::new()),
    ),
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
    row("C0005", "ends the greeting by LF", says!(GREETING => lf)),
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
        "ends messages by two dots",
        says!(word "RETR" => |reply: &str| reply.replace("\r\n.\r\n", "\r\n..\r\n")),
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
        "C0014",
        "answers CAPA twice",
        says!("CAPA" => |reply: &str| reply.repeat(2)),
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
];

//! Faults that occur only with some kinds of lines and messages: empty, long,
//! with unusual octets, or many.

use super::{
    Row, first_line, instead, is_yes, lf, nine, nothing, refusal, row, sorted, thousands, top,
    turned, unended, word,
};
use crate::mock::{self, GREETING, NO_FAULT, Quirk, State};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0002",
        "greets with +OKready",
        replies!(|_, command: &str, _| command == GREETING => |_| "+OKready\r\n".to_owned()),
    ),
    row(
        "C0005",
        "ends the reply to an empty line by LF",
        replies!(|_, command: &str, _| command.trim().is_empty() => lf),
    ),
    row(
        "C0005",
        "ends the reply to a long line by LF",
        replies!(|_, command: &str, _| command.len() > 255 => lf),
    ),
    row(
        "C0006",
        "does not end the list of AUTH",
        replies!(|_, command: &str, reply: &str| command == "AUTH" && is_yes(reply) => unended),
    ),
    row(
        "C0006",
        "does not end long messages",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) && reply.len() > 4096 => unended),
    ),
    row(
        "C0006",
        "does not stuff a lone dot in TOP",
        replies!(|_, command: &str, reply: &str| word(command) == "TOP" && is_yes(reply) => |reply: &str| reply.replace("\r\n..\r\n", "\r\n.\r\n")),
    ),
    row(
        "C0009",
        "takes any password",
        reads!(|_, command: &str| match word(command) {
            "PASS" => "PASS tanstaaf".to_owned(),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0009",
        "looks at 8 octets of a password",
        reads!(
            |_, command: &str| match command.starts_with("PASS tanstaaf") {
                true => "PASS tanstaaf".to_owned(),
                false => command.to_owned(),
            }
        ),
    ),
    row(
        "C0011",
        "reads 1x as 1",
        reads!(|_, command: &str| command.replace(" 1x", " 1")),
    ),
    row(
        "C0011",
        "reads numbers in 32 bits",
        reads!(|_, command: &str| command.replace(" 4294967297", " 1")),
    ),
    row(
        "C0011",
        "takes DELE 0 for DELE 1",
        reads!(|_, command: &str| instead(command, "DELE 0", "DELE 1")),
    ),
    row(
        "C0011",
        "sorts numbers as text",
        replies!(|_, command: &str, _| matches!(command, "LIST" | "UIDL") => sorted),
    ),
    row(
        "C0014",
        "ignores an empty line",
        replies!(|_, command: &str, _| command.is_empty() => nothing),
    ),
    row(
        "C0014",
        "ignores a line of spaces",
        replies!(|_, command: &str, _| !command.is_empty() && command.trim().is_empty() => nothing),
    ),
    row(
        "C0014",
        "answers each 512 octets of a line",
        replies!(|_, command: &str, _| command.len() > 512 => |reply: &str| reply.repeat(2)),
    ),
    row(
        "C0014",
        "ignores lines with a TAB",
        replies!(|_, command: &str, _| command.contains('\t') => nothing),
    ),
    row(
        "C0014",
        "ignores lines beyond ASCII",
        replies!(|_, command: &str, _| !command.is_ascii() => nothing),
    ),
    row(
        "C0014",
        "ignores lines with NUL",
        replies!(|_, command: &str, _| command.contains('\0') => nothing),
    ),
    row(
        "C0014",
        "says +OK to what it does not know",
        replies!(|_, command: &str, _| command == "XQZT" => |_| "+OK\r\n".to_owned()),
    ),
    row(
        "C0014",
        "refuses with a block",
        replies!(|_, command: &str, reply: &str| matches!(word(command), "RETR" | "TOP") && reply.starts_with('-') => |reply: &str| format!("{reply}.\r\n")),
    ),
    row(
        "C0014",
        "answers DELE in two lines",
        replies!(|_, command: &str, reply: &str| word(command) == "DELE" && is_yes(reply) => |_| "+OK\r\ndeleted\r\n".to_owned()),
    ),
    row(
        "C0014",
        "answers the second of two commands first",
        mock::Fault {
            quirk: Quirk::Swaps,
            ..NO_FAULT
        },
    ),
    row(
        "C0014",
        "takes STAT with an argument",
        reads!(|_, command: &str| instead(command, "STAT 1", "STAT")),
    ),
    row(
        "C0017",
        "writes 1,000",
        replies!(|_, command: &str, _| command == "STAT" => thousands),
    ),
    row(
        "C0020",
        "lists nine messages at most",
        replies!(|_, command: &str, _| command == "LIST" => nine),
    ),
    row(
        "C0020",
        "leaves empty messages out",
        replies!(|_, command: &str, _| command == "LIST" => |reply: &str| turned(reply, |lines| lines.into_iter().filter(|line| !line.ends_with(" 0\r\n")).map(Into::into).collect())),
    ),
    row(
        "C0021",
        "writes 1,000",
        replies!(|_, command: &str, _| command == "LIST" => thousands),
    ),
    row(
        "C0022",
        "answers in one line if the message is empty",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && reply == "+OK 0 octets\r\n.\r\n" => first_line),
    ),
    row(
        "C0023",
        "cuts off at 64 KiB",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) && reply.len() > 65_536 => |reply: &str| format!("{}\r\n.\r\n", reply[..65_000].trim_end_matches(['\r', '\n', '.']))),
    ),
    row(
        "C0023",
        "breaks lines of 1000 octets",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) => |reply: &str| reply.split_inclusive("\r\n").map(|line| match line.split_at_checked(998) { Some((start, end)) if end.len() > 2 => format!("{start}\r\n{end}"), _ => line.to_owned() }).collect()),
    ),
    row(
        "C0023",
        "clears the eighth bit",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) => |reply: &str| reply.chars().map(|char| char::from(char as u8 & 0x7F)).collect()),
    ),
    row(
        "C0023",
        "ends lines at NUL",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) => |reply: &str| reply.split_inclusive("\r\n").map(|line| match line.split_once('\0') { Some((start, _)) => format!("{start}\r\n"), None => line.to_owned() }).collect()),
    ),
    row(
        "C0023",
        "takes blanks off the ends of lines",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) => |reply: &str| reply.lines().map(|line| format!("{}\r\n", line.trim_end())).collect()),
    ),
    row(
        "C0023",
        "quotes From",
        replies!(|_, command: &str, reply: &str| word(command) == "RETR" && is_yes(reply) => |reply: &str| reply.replace("\r\nFrom ", "\r\n>From ")),
    ),
    row(
        "C0026",
        "lists what is deleted by a number with a zero",
        replies!(|state: &State, command: &str, _| word(command) == "LIST" && state.deleted.iter().any(|number| command == format!("LIST 0{number}")) => |_| "+OK 1 1\r\n".to_owned()),
    ),
    row(
        "C0029",
        "answers +OKAY",
        replies!(|_, command: &str, reply: &str| command == "NOOP" && is_yes(reply) => |_| "+OKAY\r\n".to_owned()),
    ),
    row(
        "C0031",
        "knows no mixed case",
        replies!(|_, command: &str, _| command == "Stat" => refusal),
    ),
    row(
        "C0034",
        "reads one digit of the number of lines",
        reads!(|_, command: &str| match top(command) {
            Some((number, lines @ 10..100)) => format!("TOP {number} {}", lines / 10),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "takes a great number of lines for none",
        reads!(|_, command: &str| match top(command) {
            Some((number, 1_000_000..)) => format!("TOP {number} 0"),
            _ => command.to_owned(),
        }),
    ),
    row(
        "C0034",
        "unfolds the header",
        replies!(|_, command: &str, reply: &str| word(command) == "TOP" && is_yes(reply) => |reply: &str| reply.replace("\r\n ", " ").replace("\r\n\t", " ")),
    ),
    row(
        "C0037",
        "lists nine messages at most",
        replies!(|_, command: &str, _| command == "UIDL" => nine),
    ),
    row(
        "C0039",
        "has a unique-id of no octet",
        replies!(|_, command: &str, _| command == "UIDL" => |reply: &str| reply.replace(" id-1\r\n", " \r\n")),
    ),
    row(
        "C0040",
        "has one unique-id for two copies",
        replies!(|_, command: &str, _| word(command) == "UIDL" => |reply: &str| reply.replace("id-8-copy-of-", "")),
    ),
];

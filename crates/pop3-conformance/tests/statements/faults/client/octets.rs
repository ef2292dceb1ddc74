//! Faults in the octets of commands and in how replies are read.

use pop3_proto::{FieldRule, IndicatorRule, client::State};

use super::{Row, at, config, forces, has, is_rfc, reads, row, sends, with};

pub(super) const FAULTS: &[Row] = &[
    row(
        "C0003",
        "ends lines by LF",
        sends(|_, line| line.replace("\r\n", "\n")),
    ),
    row(
        "C0003",
        "ends STAT by CR",
        sends(|_, line| at(line, "STAT", |line| line.replace('\n', ""))),
    ),
    row(
        "C0003",
        "does not end QUIT",
        sends(|_, line| at(line, "QUIT", |_| "QUIT".to_owned())),
    ),
    row(
        "C0003",
        "sends a NUL with RETR",
        sends(|_, line| at(line, "RETR", |line| line.replacen("RETR ", "RETR \0", 1))),
    ),
    row(
        "C0003",
        "sends names beyond ASCII",
        forces(|_, line| line.contains('\u{c3}')),
    ),
    row(
        "C0004",
        "sends two spaces",
        sends(|_, line| line.replacen(' ', "  ", 1)),
    ),
    row(
        "C0004",
        "sends a TAB",
        sends(|_, line| at(line, "TOP", |line| line.replace(' ', "\t"))),
    ),
    row(
        "C0004",
        "sends a space before CRLF",
        sends(|_, line| at(line, "NOOP", |line| with(line, " "))),
    ),
    row(
        "C0004",
        "reads one space alone",
        config(|config| config.profile.fields = FieldRule::RFC1939),
    ),
    row(
        "C0004",
        "reads runs of spaces and no TAB",
        reads(|seen, octets| match seen.state {
            State::Transaction => octets.replace('\t', "?"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "C0004",
        "splits a name for APOP",
        forces(|_, line| line.starts_with("APOP m rose")),
    ),
    Row {
        also: &[("C0004", "a TAB after +OK is no reply by that rule")],
        ..row(
            "V0001",
            "reads upper case alone",
            config(|config| config.profile.reply.indicator = IndicatorRule::Exact),
        )
    },
    row(
        "V0001",
        "goes by the first octet by the RFC too",
        config(|config| config.profile.reply.indicator = IndicatorRule::FirstOctet),
    ),
    row(
        "V0001",
        "takes +ERR for no",
        reads(|_, octets| octets.replace("+ERR", "-ERR")),
    ),
    row(
        "V0001",
        "takes OK for yes",
        reads(|seen, octets| match is_rfc(seen) {
            false => at(octets, "OK", |octets| format!("+{octets}")),
            true => octets.to_owned(),
        }),
    ),
    row(
        "V0002",
        "reads listings to a lone dot",
        config(|config| config.profile.reply.dot_line_ends_listing = false),
    ),
    row(
        "V0002",
        "ends listings at any dot by the RFC too",
        config(|config| config.profile.reply.dot_line_ends_listing = true),
    ),
    row(
        "V0002",
        "ends the list of AUTH at any dot",
        reads(|seen, octets| match seen.last() {
            "AUTH" => octets.replace("\r\n..cd", "\r\n.\r\n..cd"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "V0002",
        "removes no dot",
        reads(|seen, octets| match seen.last().split(' ').next() {
            Some("RETR" | "TOP") => octets
                .replace("\r\n.", "\r\n..")
                .replace("\r\n..\r\n", "\r\n.\r\n"),
            _ => octets.to_owned(),
        }),
    ),
    row(
        "C0012",
        "says why it leaves, before login",
        sends(|seen, line| match seen.state {
            State::Authorization => at(line, "QUIT", |line| with(line, " now")),
            _ => line.to_owned(),
        }),
    ),
    row(
        "C0015",
        "sends a number with STAT",
        sends(|_, line| at(line, "STAT", |line| with(line, " 1"))),
    ),
    row(
        "C0015",
        "sends a name with STAT, asked by Outlook",
        sends(|seen, line| match is_rfc(seen) {
            true => line.to_owned(),
            false => at(line, "STAT", |line| with(line, " mrose")),
        }),
    ),
    row(
        "V0004",
        "sends RETR alone",
        sends(|_, line| at(line, "RETR", |_| "RETR\r\n".to_owned())),
    ),
    row(
        "V0004",
        "sends the next number with RETR",
        sends(|_, line| at(line, "RETR 3", |_| "RETR 4\r\n".to_owned())),
    ),
    row(
        "V0004",
        "sends two numbers with RETR",
        sends(|_, line| at(line, "RETR", |line| with(line, " 1"))),
    ),
    row(
        "C0024",
        "sends DELE alone",
        sends(|_, line| at(line, "DELE", |_| "DELE\r\n".to_owned())),
    ),
    row(
        "C0024",
        "sends DELE with another number",
        sends(|_, line| at(line, "DELE 10", |_| "DELE 1\r\n".to_owned())),
    ),
    row(
        "C0027",
        "sends words with NOOP",
        sends(|_, line| at(line, "NOOP", |line| with(line, " still here"))),
    ),
    row(
        "C0030",
        "says why it leaves, after login",
        sends(|seen, line| match seen.state {
            State::Transaction => at(line, "QUIT", |line| with(line, " now")),
            _ => line.to_owned(),
        }),
    ),
    row(
        "C0032",
        "leaves out the number of lines if it is 0",
        sends(|_, line| at(line, "TOP", |line| line.replace(" 0", ""))),
    ),
    row(
        "C0032",
        "sends the number of lines first",
        sends(|_, line| at(line, "TOP 3 10", |_| "TOP 10 3\r\n".to_owned())),
    ),
    row(
        "C0032",
        "sends the number of lines alone",
        sends(|_, line| at(line, "TOP", |line| line.replacen(" 3", "", 1))),
    ),
    row(
        "C0042",
        "sends USER alone",
        sends(|_, line| at(line, "USER", |_| "USER\r\n".to_owned())),
    ),
    row(
        "C0042",
        "sends the first word of the name",
        sends(|_, line| at(line, "USER two", |_| "USER two\r\n".to_owned())),
    ),
    row(
        "C0042",
        "sends the domain apart",
        sends(|_, line| at(line, "USER", |line| line.replace('@', " "))),
    ),
    row(
        "C0046",
        "sends PASS alone",
        sends(|_, line| at(line, "PASS", |_| "PASS\r\n".to_owned())),
    ),
    row(
        "C0046",
        "sends the first word of a password",
        sends(|_, line| {
            at(line, "PASS", |line| {
                format!(
                    "PASS {}\r\n",
                    line.trim_end()[5..].split(' ').next().unwrap_or_default()
                )
            })
        }),
    ),
    row(
        "C0003",
        "ends STLS by LF",
        sends(|_, line| at(line, "STLS", |line| line.replace("\r\n", "\n"))),
    ),
    row(
        "C0012",
        "says why it leaves, after a refused login",
        sends(|seen, line| match seen.state {
            State::Authorization if has(seen, "PASS") => at(line, "QUIT", |line| with(line, " no")),
            _ => line.to_owned(),
        }),
    ),
    row(
        "C0015",
        "sends a number with STAT after DELE",
        sends(|seen, line| match has(seen, "DELE") {
            true => at(line, "STAT", |line| with(line, " 1")),
            false => line.to_owned(),
        }),
    ),
    row(
        "C0030",
        "says why it leaves, after RETR",
        sends(|seen, line| match has(seen, "RETR") {
            true => at(line, "QUIT", |line| with(line, " now")),
            false => line.to_owned(),
        }),
    ),
    row(
        "C0024",
        "sends DELE alone after the first",
        sends(|seen, line| match has(seen, "DELE") {
            true => at(line, "DELE", |_| "DELE\r\n".to_owned()),
            false => line.to_owned(),
        }),
    ),
    row(
        "C0032",
        "sends a great number as a negative one",
        sends(|_, line| at(line, "TOP 4294967295", |_| "TOP -1 0\r\n".to_owned())),
    ),
    row(
        "C0042",
        "sends the name in small letters",
        sends(|_, line| {
            at(line, "USER", |line| {
                format!("USER {}", line[5..].to_lowercase())
            })
        }),
    ),
    row(
        "C0046",
        "takes blanks off the end of a password",
        sends(|_, line| at(line, "PASS", |line| with(line, ""))),
    ),
    row(
        "V0001",
        "takes +Ok after PASS for no",
        reads(
            |seen, octets| match seen.last().starts_with("PASS") && !is_rfc(seen) {
                true => octets.replace("+Ok", "-ERR"),
                false => octets.to_owned(),
            },
        ),
    ),
];

//! What faults see, and how they change commands and replies.

use crate::{
    mock,
    server::{MESSAGES, octets},
};

pub(super) fn word(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

pub(super) fn names_deleted(state: &mock::State, command: &str) -> bool {
    let number = command.split(' ').nth(1).unwrap_or_default();
    state.deleted.iter().any(|deleted| deleted == number)
}

/// Replaces the command `of` with `other`.
pub(super) fn instead(command: &str, of: &str, other: &str) -> String {
    if command == of { other } else { command }.to_owned()
}

/// The arguments of TOP, if they are two numbers.
pub(super) fn top(command: &str) -> Option<(u64, u64)> {
    let (number, lines) = command.strip_prefix("TOP ")?.split_once(' ')?;
    Some((number.parse().ok()?, lines.parse().ok()?))
}

pub(super) fn is_yes(reply: &str) -> bool {
    reply.starts_with('+')
}

/// The keyword of the command before this one.
pub(super) fn last(state: &mock::State) -> &str {
    state.said.last().map_or("", |line| word(line))
}

pub(super) fn has_said(state: &mock::State, keyword: &str) -> bool {
    state.said.iter().any(|line| word(line) == keyword)
}

pub(super) fn is_about_one(command: &str) -> bool {
    command.contains(' ')
}

/// The command after a login.
pub(super) fn logged_in(command: &str) -> String {
    format!("USER mrose\r\nPASS tanstaaf\r\n{command}")
}

pub(super) fn nothing(_: &str) -> String {
    String::new()
}

/// STAT and listings of an empty maildrop.
pub(super) fn emptied(reply: &str) -> String {
    match reply.ends_with("\r\n.\r\n") {
        true => "+OK\r\n.\r\n".to_owned(),
        false => "+OK 0 0\r\n".to_owned(),
    }
}

/// STAT with one message too many.
pub(super) fn one_message_more(reply: &str) -> String {
    let words: Vec<&str> = reply.split_whitespace().collect();
    let messages: u32 = words[1].parse().unwrap_or(0);
    format!("+OK {} {}\r\n", messages + 1, words[2])
}

pub(super) fn numbers_alone(reply: &str) -> String {
    turned(reply, |lines| {
        let lines = lines.into_iter();
        lines.map(|line| format!("{}\r\n", word(line))).collect()
    })
}

pub(super) fn sizes_turned(reply: &str) -> String {
    turned(reply, |lines| {
        let fields = lines.iter().filter_map(|line| line.split_once(' '));
        let (numbers, mut sizes): (Vec<&str>, Vec<&str>) = fields.unzip();
        let first = usize::from(sizes.len() > 1);
        sizes.rotate_left(first);
        let listings = numbers.iter().zip(sizes);
        listings
            .map(|(number, size)| format!("{number} {size}"))
            .collect()
    })
}

pub(super) fn sorted(reply: &str) -> String {
    turned(reply, |mut lines| {
        lines.sort_unstable();
        lines.into_iter().map(Into::into).collect()
    })
}

pub(super) fn nine(reply: &str) -> String {
    turned(reply, |lines| {
        lines.into_iter().take(9).map(Into::into).collect()
    })
}

/// Puts a comma in the last number of each line.
pub(super) fn thousands(reply: &str) -> String {
    let line = |line: &str| match line.trim_end().rsplit_once(' ') {
        Some((rest, number)) if number.len() > 3 && number.parse::<u32>().is_ok() => {
            let (thousands, ones) = number.split_at(number.len() - 3);
            format!("{rest} {thousands},{ones}\r\n")
        }
        _ => line.to_owned(),
    };
    reply.split_inclusive("\r\n").map(line).collect()
}

pub(super) fn refusal(_: &str) -> String {
    "-ERR no\r\n".to_owned()
}

pub(super) fn lf(reply: &str) -> String {
    reply.replace("\r\n", "\n")
}

pub(super) fn dot_lf(reply: &str) -> String {
    reply.replace("\r\n.\r\n", "\r\n.\n")
}

pub(super) fn unended(reply: &str) -> String {
    reply.replace("\r\n.\r\n", "\r\n")
}

pub(super) fn first_line(reply: &str) -> String {
    reply.split_inclusive('\n').take(1).collect()
}

pub(super) fn empty_without_block(reply: &str) -> String {
    match reply.ends_with(")\r\n.\r\n") || reply == "+OK\r\n.\r\n" {
        true => first_line(reply),
        false => reply.to_owned(),
    }
}

/// The lines of a block, changed by `turn`.
pub(super) fn turned(reply: &str, turn: impl Fn(Vec<&str>) -> Vec<String>) -> String {
    if !reply.starts_with('+') {
        return reply.to_owned();
    }
    let mut lines: Vec<&str> = reply.split_inclusive("\r\n").collect();
    let end = lines.pop().unwrap_or_default();
    format!("{}{}{end}", lines[0], turn(lines[1..].to_vec()).concat())
}

pub(super) fn without_last_line(reply: &str) -> String {
    turned(reply, |lines| {
        lines
            .split_last()
            .map_or(&[][..], |(_, rest)| rest)
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    })
}

pub(super) fn reversed(reply: &str) -> String {
    turned(reply, |lines| {
        lines.into_iter().rev().map(Into::into).collect()
    })
}

pub(super) fn doubled(reply: &str) -> String {
    turned(reply, |lines| {
        lines.into_iter().map(|line| line.repeat(2)).collect()
    })
}

/// Renumbers the lines of a listing, starting with `first`.
pub(super) fn counted(reply: &str, first: usize) -> String {
    turned(reply, |lines| {
        let rests = lines.iter().filter_map(|line| line.split_once(' '));
        rests
            .enumerate()
            .map(|(at, (_, rest))| format!("{} {rest}", first + at))
            .collect()
    })
}

/// A scan listing with other sizes than those of [`MESSAGES`].
pub(super) fn sized(reply: &str, size: impl Fn(&str) -> usize) -> String {
    let message = |line: &str| {
        let (number, listed) = line.trim_end().split_once(' ')?;
        let mut messages = MESSAGES.into_iter();
        let message = messages.find(|message| octets(message).to_string() == listed);
        Some(format!("{number} {}\r\n", size(message?)))
    };
    turned(reply, |lines| {
        let lines = lines.into_iter();
        lines
            .map(|line| message(line).unwrap_or_else(|| line.to_owned()))
            .collect()
    })
}

pub(super) fn last_is_0(reply: &str) -> String {
    let (rest, _) = reply.rsplit_once(' ').unwrap_or_default();
    format!("{rest} 0\r\n")
}

pub(super) fn one_more(reply: &str) -> String {
    let (rest, last) = reply.trim_end().rsplit_once(' ').unwrap_or_default();
    format!("{rest} {}\r\n", last.parse().unwrap_or(0) + 1)
}

//! Sections 2.2.1 and 2.2.4: the greeting, and the format of replies.

use std::collections::BTreeSet;

use super::{
    Dialogue, Subject, block, is_multi_line, is_positive, numbers,
    walk::{commands, walk},
};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0002_greets_each_connection_at_once,
    c0002_greets_while_another_session_has_the_maildrop,
    c0005_crlf_ends_the_first_line_of_every_reply,
    c0005_crlf_ends_first_lines_at_any_time,
    c0006_crlf_ends_each_line_of_a_block_and_a_lone_dot_the_block,
    c0006_blocks_are_ended_at_any_time,
    c0014_answers_every_command_once,
    c0014_answers_once_at_any_time,
    c0014_refuses_what_is_no_command,
    c0014_answers_commands_that_come_at_once,
}

/// Commands before the login. The last one ends the session.
const BEFORE: &[&str] = &[
    "CAPA",
    "AUTH",
    "AUTH XQZT",
    "LANG",
    "LANG en",
    "STAT",
    "LIST",
    "RETR 1",
    "NOOP",
    "RSET",
    "XQZT",
    "USER",
    "PASS wrong",
    "APOP mrose 0123456789abcdef",
    "UTF8",
    "USER mrose",
    "PASS wrong",
    "USER nobody",
    "PASS wrong",
    "STLS 1",
    "PASS tanstaaf",
    "USER nobody",
    "USER mrose",
    "AUTH PLAIN",
    "AUTH PLAIN *",
    "*",
    "",
    " ",
    "CAPA ",
    "QUIT 1",
    "QUIT",
];

/// Commands after the login.
const AFTER: &[&str] = &[
    "CAPA",
    "LANG",
    "STAT",
    "STAT 1",
    "LIST",
    "LIST 1",
    "LIST 2",
    "LIST 9",
    "LIST 0",
    "LIST x",
    "UIDL",
    "UIDL 1",
    "UIDL 2",
    "UIDL 9",
    "RETR 1",
    "RETR 2",
    "RETR 3",
    "RETR 4",
    "RETR 9",
    "RETR",
    "TOP 1 0",
    "TOP 2 1",
    "TOP 3 9",
    "TOP 4 1",
    "TOP 9 1",
    "TOP 1",
    "NOOP",
    "NOOP",
    "NOOP 1",
    "USER mrose",
    "PASS wrong",
    "STLS",
    "XQZT",
    "DELE 9",
    "DELE 2",
    "DELE 2",
    "RETR 2",
    "LIST",
    "UIDL",
    "STAT",
    "RSET",
    "DELE 1",
    "DELE 2",
    "DELE 3",
    "DELE 4",
    "LIST",
    "UIDL",
    "STAT",
    "RSET",
    "STAT",
    "noop",
    "stat",
    "retr 1",
    "top 2 9",
    "TOP 2 9",
    "TOP 1 -1",
    "TOP 1 x",
    "TOP 1 1 1",
    "LIST 1 2",
    "LIST -1",
    "RETR 123456789012345678901234567890",
    "USER",
    "APOP mrose",
    "AUTH",
    "AUTH PLAIN",
    "CAPA",
    "",
    " ",
    "   ",
    "\t",
    "NOOP ",
    "STAT\t",
    "RETR\t1",
    " STAT",
    "XQZT b\u{fc}cher",
    "XQ\0ZT",
    "NO\rOP",
    "*",
    "DELE 1",
    "DELE 2",
    "QUIT 1",
    "QUIT",
];

/// Line lengths beyond the longest command (RFC 2449 §4), and beyond typical
/// buffers.
const LONG: [usize; 5] = [256, 300, 600, 5000, 70_000];

/// Each command with its reply, in one session without login and two with it.
fn conversation(subject: &mut dyn Subject) -> Result<Vec<(String, String)>, Flaw> {
    let mut early = Dialogue::open(subject)?;
    let mut replies = vec![(String::new(), early.greeting.clone())];
    BEFORE.iter().for_each(|command| drop(early.ask(command)));
    let mut late = Dialogue::logged_in(subject)?;
    for octets in LONG {
        late.ask(&format!("XQZT {}", "x".repeat(octets)));
        late.ask("NOOP");
    }
    AFTER.iter().for_each(|command| drop(late.ask(command)));
    let mut last = Dialogue::logged_in(subject)?;
    ["DELE 1", "QUIT"]
        .iter()
        .for_each(|command| drop(last.ask(command)));
    replies.extend([early.log, late.log, last.log].concat());
    Ok(replies)
}

fn is_greeting(greeting: &str) -> Verdict {
    let text = greeting.strip_prefix("+OK");
    ensure!(
        text.is_some_and(|text| text.trim_end().is_empty() || text.starts_with([' ', '\t']))
            && greeting.trim_end().matches('\n').count() == 0,
        "greeted {greeting:?}"
    );
    Ok(())
}

fn c0002_greets_each_connection_at_once(subject: &mut dyn Subject) -> Verdict {
    for command in ["QUIT", "RETR 1", "DELE 1", "XQZT"] {
        let mut dialogue = Dialogue::open(subject)?;
        is_greeting(&dialogue.greeting)?;
        dialogue.ask("QUIT");
        let mut late = Dialogue::logged_in(subject)?;
        is_greeting(&late.greeting)?;
        late.ask(command);
        late.ask("QUIT");
    }
    Ok(())
}

fn c0002_greets_while_another_session_has_the_maildrop(subject: &mut dyn Subject) -> Verdict {
    let mut first = Dialogue::logged_in(subject)?;
    first.ask("DELE 1");
    let mut second = Dialogue::open(subject)?;
    is_greeting(&second.greeting)?;
    second.ask("QUIT");
    Ok(())
}

/// CRLF ends the first line of a reply, and no blank line comes after it.
fn first_line_is_ended(command: &str, reply: &str) -> Verdict {
    let first = reply.split_inclusive('\n').next().unwrap_or_default();
    let text = first.strip_suffix("\r\n");
    ensure!(
        reply.is_empty() || text.is_some_and(|text| !text.contains('\r')),
        "{command:?}: {first:?}"
    );
    let is_one_line = match is_positive(reply) {
        true => !is_multi_line(command),
        false => reply.starts_with('-'),
    };
    let is_blank = is_one_line && block(reply).starts_with(['\r', '\n']);
    ensure!(!is_blank, "{command:?}: {reply:?}");
    Ok(())
}

fn c0005_crlf_ends_the_first_line_of_every_reply(subject: &mut dyn Subject) -> Verdict {
    for (command, reply) in conversation(subject)? {
        first_line_is_ended(&command, &reply)?;
    }
    Ok(())
}

fn c0005_crlf_ends_first_lines_at_any_time(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for command in commands(moment) {
            first_line_is_ended(&command, &dialogue.ask(&command))?;
        }
        Ok(())
    })
}

/// CRLF ends each line of a block, and a lone dot ends the block. The statement
/// of its command covers a reply of one line, unless that command has sent a
/// block before.
fn block_is_ended(has_block: &mut BTreeSet<String>, command: &str, reply: &str) -> Verdict {
    let block = block(reply);
    if !is_multi_line(command) || !is_positive(reply) {
        return Ok(());
    }
    let has_own = ["LIST", "UIDL", "RETR", "TOP"]
        .iter()
        .any(|keyword| command.to_ascii_uppercase().starts_with(keyword));
    if block.is_empty() && has_own && !has_block.contains(command) {
        return Ok(());
    }
    has_block.insert(command.to_owned());
    let text = block.strip_suffix(".\r\n");
    let is_ended = text.is_some_and(|text| text.is_empty() || text.ends_with("\r\n"));
    let mut lines = text.unwrap_or_default().split_inclusive("\r\n");
    let is_line = |line: &str| {
        let text = line.strip_suffix("\r\n");
        text.is_some_and(|text| text != "." && !text.contains(['\r', '\n']))
    };
    ensure!(is_ended && lines.all(is_line), "{command:?}: {reply:?}");
    Ok(())
}

fn c0006_crlf_ends_each_line_of_a_block_and_a_lone_dot_the_block(
    subject: &mut dyn Subject,
) -> Verdict {
    let mut has_block = BTreeSet::new();
    let mut dialogue = Dialogue::with_large(subject)?;
    for command in ["RETR 5", "TOP 5 9999"] {
        block_is_ended(&mut has_block, command, &dialogue.ask(command))?;
    }
    drop(dialogue);
    for (command, reply) in conversation(subject)? {
        block_is_ended(&mut has_block, &command, &reply)?;
    }
    Ok(())
}

fn c0006_blocks_are_ended_at_any_time(subject: &mut dyn Subject) -> Verdict {
    let mut has_block = BTreeSet::new();
    walk(subject, |dialogue, moment| {
        for command in commands(moment) {
            let reply = dialogue.ask(&command);
            block_is_ended(&mut has_block, &command, &reply)?;
        }
        Ok(())
    })
}

/// There is exactly one reply.
fn is_one_answer(command: &str, reply: &str) -> Verdict {
    ensure!(!reply.is_empty(), "no answer to {command:?}");
    let block = block(reply);
    let is_twice = match command.split(' ').next() {
        _ if reply.starts_with('-') => !block.trim().is_empty(),
        _ if is_multi_line(command) => {
            block.starts_with(['+', '-']) || block.contains("\r\n.\r\n+OK")
        }
        // Other statements cover these.
        Some("STAT" | "LIST" | "UIDL" | "NOOP") => block.starts_with(['+', '-']),
        _ => !block.trim().is_empty(),
    };
    ensure!(!is_twice, "{command:?}: {reply:?}");
    Ok(())
}

fn c0014_answers_every_command_once(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::with_large(subject)?;
    for command in ["RETR 5", "TOP 5 9999", "NOOP"] {
        is_one_answer(command, &dialogue.ask(command))?;
    }
    for number in numbers().chain(numbers()) {
        for command in ["NOOP".into(), format!("RETR {number}"), "XQZT".into()] {
            is_one_answer(&command, &dialogue.ask(&command))?;
        }
    }
    drop(dialogue);
    for (command, reply) in conversation(subject)?.into_iter().skip(1) {
        is_one_answer(&command, &reply)?;
    }
    Ok(())
}

fn c0014_answers_once_at_any_time(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for command in commands(moment) {
            is_one_answer(&command, &dialogue.ask(&command))?;
        }
        Ok(())
    })
}

/// RFC 1939 §3: commands that are unknown, wrong, or not allowed in this state
/// are refused.
fn c0014_refuses_what_is_no_command(subject: &mut dyn Subject) -> Verdict {
    const NEVER: &[&str] = &[
        "XQZT", "XQZT 1", "", " ", "+OK", "STATS", "STAT 1", "QUIT 1", "RSET 1", "NOOP 1", "TOP 1",
        "TOP 1 x", "TOP 1 -1", "RETR", "DELE", "*", "USER",
    ];
    const EARLY: &[&str] = &["NOOP", "RSET", "DELE 1"];
    const LATE: &[&str] = &[
        "USER mrose",
        "PASS tanstaaf",
        "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
        "AUTH PLAIN",
        "STLS",
    ];
    all_are_refused(&mut Dialogue::protected(subject)?, &[NEVER, EARLY])?;
    all_are_refused(&mut Dialogue::logged_in(subject)?, &[NEVER, LATE])
}

fn all_are_refused(dialogue: &mut Dialogue, commands: &[&[&str]]) -> Verdict {
    for command in commands.iter().copied().flatten() {
        let reply = dialogue.ask(command);
        ensure!(!is_positive(&reply), "{command:?}: {reply:?}");
    }
    Ok(())
}

fn c0014_answers_commands_that_come_at_once(subject: &mut dyn Subject) -> Verdict {
    const COMMANDS: [&str; 9] = [
        "NOOP", "STAT", "LIST 1", "XQZT", "RETR 2", "UIDL 2", "LIST", "TOP 2 0", "RETR 9",
    ];
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut one_by_one = || COMMANDS.map(|command| dialogue.ask(command));
    let (first, second) = (one_by_one(), one_by_one());
    let at_once = |commands: &[&str]| commands.iter().map(|line| format!("{line}\r\n")).collect();
    let commands: String = at_once(&COMMANDS);
    let replies = dialogue.say(&commands, |octets| octets.len() >= first.concat().len());
    // Replies that change from one time to the next say nothing about the
    // order.
    ensure!(
        replies == first.concat() || first != second && count(&replies) >= COMMANDS.len(),
        "{first:?} one by one, at once {replies:?}"
    );
    let commands: String = at_once(&["DELE 1", "RSET", "QUIT"]);
    let replies = dialogue.say(&commands, |octets| octets.matches('\n').count() == 3);
    ensure!(count(&replies) == 3, "3 commands: {replies:?}");
    Ok(())
}

/// Counts the replies, however their lines end.
fn count(replies: &str) -> usize {
    let lines = replies.split(['\r', '\n']);
    lines.filter(|line| line.starts_with(['+', '-'])).count()
}

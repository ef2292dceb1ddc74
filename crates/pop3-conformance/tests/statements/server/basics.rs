//! Sections 2.2.1 to 2.2.4: greeting, replies, login.

use std::collections::BTreeSet;

use super::{Dialogue, Subject, block, is_multi_line, is_positive, numbers};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0002_greets_each_connection_at_once,
    c0005_crlf_ends_the_first_line_of_every_reply,
    c0006_crlf_ends_each_line_of_a_block_and_a_lone_dot_the_block,
    c0009_offers_a_login_that_works,
    c0010_takes_another_login_after_a_refused_one,
    c0010_takes_quit_after_a_refused_login,
    c0014_answers_every_command_once,
    c0014_answers_commands_that_come_at_once,
}

/// What a client can say before its login. The last command ends the session.
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
    "QUIT 1",
    "QUIT",
];

/// And after it.
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
    "QUIT 1",
    "QUIT",
];

/// Each command with its reply, in a session without login and in two with it.
fn conversation(subject: &mut dyn Subject) -> Result<Vec<(String, String)>, Flaw> {
    let mut early = Dialogue::open(subject)?;
    let mut replies = vec![(String::new(), early.greeting.clone())];
    BEFORE.iter().for_each(|command| drop(early.ask(command)));
    let mut late = Dialogue::logged_in(subject)?;
    AFTER.iter().for_each(|command| drop(late.ask(command)));
    let mut last = Dialogue::logged_in(subject)?;
    ["DELE 1", "QUIT"]
        .iter()
        .for_each(|command| drop(last.ask(command)));
    replies.extend([early.log, late.log, last.log].concat());
    Ok(replies)
}

fn c0002_greets_each_connection_at_once(subject: &mut dyn Subject) -> Verdict {
    for connection in 1..=2 {
        let mut dialogue = Dialogue::open(subject)?;
        let greeting = dialogue.greeting.clone();
        ensure!(
            greeting.starts_with("+OK") && greeting.matches('\n').count() <= 1,
            "connection {connection} began with {greeting:?}"
        );
        dialogue.ask("QUIT");
        let mut late = Dialogue::logged_in(subject)?;
        late.ask("QUIT");
    }
    Ok(())
}

fn c0005_crlf_ends_the_first_line_of_every_reply(subject: &mut dyn Subject) -> Verdict {
    for (command, reply) in conversation(subject)? {
        let first = reply.split_inclusive('\n').next().unwrap_or_default();
        let text = first.strip_suffix("\r\n");
        ensure!(
            reply.is_empty() || text.is_some_and(|text| !text.contains('\r')),
            "{command:?}: {first:?}"
        );
        let is_blank = block(&reply).starts_with(['\r', '\n']) && !is_multi_line(&command);
        ensure!(!is_blank, "{command:?}: {reply:?}");
    }
    Ok(())
}

fn c0006_crlf_ends_each_line_of_a_block_and_a_lone_dot_the_block(
    subject: &mut dyn Subject,
) -> Verdict {
    let mut has_block = BTreeSet::new();
    for (command, reply) in conversation(subject)? {
        let block = block(&reply);
        if !is_multi_line(&command) || !is_positive(&reply) {
            continue;
        }
        // A reply of one line is the matter of its command's statement, unless
        // that has sent a block before.
        if block.is_empty() && !has_block.contains(&command) {
            continue;
        }
        has_block.insert(command.clone());
        let text = block.strip_suffix(".\r\n");
        let is_ended = text.is_some_and(|text| text.is_empty() || text.ends_with("\r\n"));
        let lines = text.unwrap_or_default().split_inclusive("\r\n");
        let is_line = |line: &str| {
            let text = line.strip_suffix("\r\n");
            text.is_some_and(|text| text != "." && !text.contains(['\r', '\n']))
        };
        ensure!(
            is_ended && lines.into_iter().all(is_line),
            "{command:?}: {reply:?}"
        );
    }
    Ok(())
}

fn c0009_offers_a_login_that_works(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::protected(subject)?;
    let capabilities = dialogue.ask("CAPA");
    if let Err(flaw) = dialogue.log_in() {
        ensure!(false, "{flaw:?}, announced: {capabilities:?}");
    }
    let mut lines = super::lines(&capabilities).into_iter();
    let announces = lines.any(|line| line == "USER" || line.starts_with("SASL "));
    ensure!(announces, "{capabilities:?}");
    is_in_transaction(&mut dialogue)
}

fn is_in_transaction(dialogue: &mut Dialogue) -> Verdict {
    let mut commands = ["STAT", "LIST", "UIDL", "RETR 1"].into_iter();
    let is_any = commands.any(|command| is_positive(&dialogue.ask(command)));
    ensure!(is_any, "the login leads nowhere");
    Ok(())
}

/// A session with a login, or three, refused; `None` if the server closed it, as
/// it may.
fn refused(subject: &mut dyn Subject, times: usize) -> Result<Option<Dialogue>, Flaw> {
    let mut dialogue = Dialogue::protected(subject)?;
    for name in ["mrose", "nobody", "mrose"].iter().take(times) {
        dialogue.ask(&format!("USER {name}"));
        let reply = dialogue.ask("PASS wrong");
        ensure!(!is_positive(&reply), "a wrong password: {reply:?}");
    }
    let is_open = !dialogue.ask("CAPA").is_empty();
    ensure!(
        is_open || dialogue.is_closed(),
        "the server neither answers nor closes"
    );
    Ok(is_open.then_some(dialogue))
}

fn c0010_takes_another_login_after_a_refused_one(subject: &mut dyn Subject) -> Verdict {
    Dialogue::logged_in(subject)?.ask("QUIT");
    for times in 1..=3 {
        if let Some(mut dialogue) = refused(subject, times)? {
            let login = dialogue.log_in();
            ensure!(login.is_ok(), "after {times} refused logins: {login:?}");
            is_in_transaction(&mut dialogue)?;
        }
    }
    Ok(())
}

fn c0010_takes_quit_after_a_refused_login(subject: &mut dyn Subject) -> Verdict {
    Dialogue::logged_in(subject)?.ask("QUIT");
    if let Some(mut dialogue) = refused(subject, 1)? {
        let reply = dialogue.ask("QUIT");
        ensure!(is_positive(&reply), "{reply:?}");
    }
    Ok(())
}

fn c0014_answers_every_command_once(subject: &mut dyn Subject) -> Verdict {
    for (command, reply) in conversation(subject)?.into_iter().skip(1) {
        ensure!(!reply.is_empty(), "no answer to {command:?}");
        let block = block(&reply);
        let is_twice = block.starts_with(['+', '-']) || block.contains("\r\n.\r\n+OK");
        ensure!(!is_twice, "{command:?}: {reply:?}");
    }
    let mut dialogue = Dialogue::logged_in(subject)?;
    for number in numbers().chain(numbers()) {
        for command in [
            "NOOP".into(),
            format!("RETR {number}"),
            format!("XQZT {}", "x".repeat(300)),
        ] {
            ensure!(!dialogue.ask(&command).is_empty(), "no answer to {command}");
        }
    }
    Ok(())
}

fn c0014_answers_commands_that_come_at_once(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let replies = dialogue.say("NOOP\r\nSTAT\r\nLIST 1\r\nXQZT\r\nUIDL 2\r\n", |octets| {
        octets.matches('\n').count() == 5
    });
    // However the lines end.
    let words = replies.matches("+OK").count() + replies.matches("-ERR").count();
    let lines = replies
        .split(['\r', '\n'])
        .filter(|line| line.starts_with(['+', '-']));
    let count = words.max(lines.count());
    ensure!(count == 5, "5 commands, {count} replies: {replies:?}");
    Ok(())
}

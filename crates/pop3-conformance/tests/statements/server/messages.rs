//! Sections 2.2.7 to 2.2.12: RETR, DELE, NOOP, RSET and QUIT, and the commands
//! that every server must have.

use super::{
    Dialogue, MESSAGES, Subject, block, fields, is_positive, is_refusal, large, lines, numbers,
    sent,
    walk::{Blame, holds_the_messages, walk},
};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0022_retr_gets_a_block,
    c0023_retr_gives_the_message_of_that_number,
    c0023_retr_gives_a_large_message_whole,
    c0026_a_deleted_message_is_refused_from_then_on,
    c0026_a_mark_stays_until_rset,
    c0029_noop_is_answered_with_yes,
    c0029_noop_does_nothing,
    c0031_has_every_required_command,
    c0031_required_commands_succeed_at_any_time,
    c0031_dele_rset_and_quit_do_what_they_should,
    c0031_rset_takes_the_marks_off,
    c0031_quit_removes_what_is_marked_and_nothing_else,
}

fn c0022_retr_gets_a_block(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for number in moment.numbers() {
            for keyword in ["RETR", "retr"] {
                let reply = dialogue.ask(&format!("{keyword} {number}"));
                let is_block = reply.starts_with("+OK") && !block(&reply).is_empty();
                ensure!(
                    is_refusal(&reply) || is_block,
                    "{keyword} {number}: {reply:?}"
                );
            }
        }
        Ok(())
    })
}

/// Whether the reply to RETR or TOP is a refusal, has no block, or has these
/// lines.
pub(super) fn is_message(reply: &str, message: &[String]) -> bool {
    !is_positive(reply) || block(reply).is_empty() || lines(reply) == message
}

fn c0023_retr_gives_the_message_of_that_number(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for number in moment.numbers() {
            let reply = dialogue.ask(&format!("RETR {number}"));
            ensure!(
                is_message(&reply, &sent(moment.maildrop.message(number))),
                "RETR {number}: {reply:?}"
            );
        }
        Ok(())
    })
}

fn c0023_retr_gives_a_large_message_whole(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::with_large(subject)?;
    for number in [5, 1, 5] {
        let reply = dialogue.ask(&format!("RETR {number}"));
        let large = large();
        let message = if number == 5 { &large } else { MESSAGES[0] };
        ensure!(
            is_message(&reply, &sent(message)),
            "RETR {number} gives {} octets",
            reply.len()
        );
    }
    Ok(())
}

fn c0026_a_deleted_message_is_refused_from_then_on(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for n in moment.maildrop.deleted() {
            for command in [
                format!("RETR {n}"),
                format!("LIST {n}"),
                format!("UIDL {n}"),
                format!("TOP {n} 0"),
                format!("TOP {n} 1"),
                format!("DELE {n}"),
                format!("retr {n}"),
                format!("list {n}"),
                format!("RETR 0{n}"),
                format!("LIST 0{n}"),
                format!("DELE 0{n}"),
            ] {
                let reply = dialogue.ask(&command);
                ensure!(!is_positive(&reply), "{command}: {reply:?}");
            }
        }
        Ok(())
    })
}

fn c0026_a_mark_stays_until_rset(subject: &mut dyn Subject) -> Verdict {
    holds_the_messages(subject, Blame::Mark)
}

fn c0029_noop_is_answered_with_yes(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, _| {
        let reply = dialogue.ask("NOOP");
        let first = reply.split([' ', '\t', '\r', '\n']).next();
        ensure!(
            reply.is_empty() || first == Some("+OK") && block(&reply).trim().is_empty(),
            "NOOP: {reply:?}"
        );
        Ok(())
    })
}

fn c0029_noop_does_nothing(subject: &mut dyn Subject) -> Verdict {
    holds_the_messages(subject, Blame::Noop)
}

fn c0031_has_every_required_command(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for command in [
        "RSET", "STAT", "LIST", "LIST 1", "RETR 1", "RETR 1", "DELE 1", "NOOP", "RSET", "RSET",
        "stat", "list", "list 4", "retr 4", "dele 4", "noop", "rset", "Stat", "liST 2", "rEtR 2",
        "Dele 2", "NooP", "RseT", "DELE 1", "DELE 2", "DELE 3", "DELE 4", "RSET", "DELE 3", "QUIT",
    ] {
        let reply = dialogue.ask(command);
        ensure!(!reply.starts_with('-'), "{command}: {reply:?}");
    }
    ensure!(dialogue.is_closed(), "the connection stays open after QUIT");
    for quit in ["QUIT", "quit"] {
        let mut early = Dialogue::protected(subject)?;
        let reply = early.ask(quit);
        ensure!(!reply.starts_with('-'), "{quit} before login: {reply:?}");
        ensure!(
            reply.is_empty() || early.is_closed(),
            "{quit} before login does not close"
        );
    }
    Ok(())
}

fn c0031_required_commands_succeed_at_any_time(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        let live = moment.numbers();
        let is_due = match moment.command {
            "RSET" | "STAT" | "LIST" => true,
            command => live.iter().any(|n| command == format!("DELE {n}")),
        };
        ensure!(!is_due || !moment.reply.starts_with('-'), "refused");
        let of_all = ["STAT", "LIST"].map(str::to_owned).into_iter();
        let of_each = live
            .iter()
            .flat_map(|n| [format!("RETR {n}"), format!("LIST {n}")]);
        for command in of_all.chain(of_each) {
            let reply = dialogue.ask(&command);
            ensure!(!reply.starts_with('-'), "{command}: {reply:?}");
        }
        Ok(())
    })
}

fn c0031_dele_rset_and_quit_do_what_they_should(subject: &mut dyn Subject) -> Verdict {
    holds_the_messages(subject, Blame::Command)
}

/// The messages according to three commands. If only one of them differs, that
/// command's own statement is broken.
#[derive(Clone, Debug)]
struct Tales([Vec<String>; 3]);

impl Tales {
    fn hear(dialogue: &mut Dialogue) -> Self {
        let retrieved = numbers().map(|number| dialogue.ask(&format!("RETR {number}")));
        let retrieved = retrieved.filter(|reply| is_positive(reply));
        let messages = retrieved.map(|reply| block(&reply).to_owned()).collect();
        let [sizes, unique_ids] = ["LIST", "UIDL"].map(|command| {
            let reply = dialogue.ask(command);
            let listings = lines(&reply).into_iter().filter_map(fields);
            listings.map(|(_, told)| told.to_owned()).collect()
        });
        Self([messages, sizes, unique_ids])
    }

    /// The lists without these message-numbers, if no other messages are
    /// deleted.
    fn without(&self, numbers: &[usize]) -> Self {
        let left = |tale: &Vec<String>| {
            let tale = tale.iter().zip(1..);
            let tale = tale.filter(|(_, number)| !numbers.contains(number));
            tale.map(|(told, _)| told.clone()).collect()
        };
        Self(self.0.each_ref().map(left))
    }

    fn agree(&self, other: &Self) -> bool {
        let sorted = |tale: &Vec<String>| {
            let mut tale = tale.clone();
            tale.sort();
            tale
        };
        let tales = self.0.iter().zip(&other.0);
        tales
            .filter(|(one, other)| sorted(one) == sorted(other))
            .count()
            > 1
    }
}

fn c0031_rset_takes_the_marks_off(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let before = Tales::hear(&mut dialogue);
    for _ in 0..2 {
        dialogue.ask("DELE 2");
        dialogue.ask("DELE 4");
        dialogue.ask("RSET");
        let after = Tales::hear(&mut dialogue);
        ensure!(after.agree(&before), "{before:?}, after RSET: {after:?}");
    }
    dialogue.ask("QUIT");
    let after = Tales::hear(&mut Dialogue::logged_in(subject)?);
    ensure!(
        after.agree(&before),
        "{before:?}, in the next session: {after:?}"
    );
    Ok(())
}

fn c0031_quit_removes_what_is_marked_and_nothing_else(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let all = Tales::hear(&mut dialogue);
    dialogue.ask("DELE 2");
    drop(dialogue);
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut left = Tales::hear(&mut dialogue);
    ensure!(left.agree(&all), "{all:?}, and without QUIT {left:?}");
    for numbers in [&[2][..], &[1, 3]] {
        let mut marked = numbers.to_vec();
        marked.retain(|number| is_positive(&dialogue.ask(&format!("DELE {number}"))));
        let bye = dialogue.ask("QUIT");
        drop(dialogue);
        dialogue = match Dialogue::logged_in(subject) {
            Ok(dialogue) => dialogue,
            Err(flaw) => return again(flaw, &bye),
        };
        let wanted = left.without(&marked);
        left = Tales::hear(&mut dialogue);
        ensure!(
            left.agree(&wanted),
            "{marked:?} removed: {left:?}, not {wanted:?}"
        );
    }
    Ok(())
}

/// After QUIT the next session can open the maildrop (RFC 1939 §6).
fn again(flaw: Flaw, bye: &str) -> Verdict {
    match flaw {
        Flaw::Unable(why) if why.contains("[IN-USE]") => Err(Flaw::Violation(format!(
            "after {bye:?} the maildrop is locked: {why}"
        ))),
        flaw => Err(flaw),
    }
}

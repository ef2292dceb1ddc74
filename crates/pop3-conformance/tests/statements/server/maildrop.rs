//! Sections 2.2.2 and 2.2.4 to 2.2.12: message-numbers, and the commands that no
//! server leaves out.

use std::collections::BTreeSet;

use super::{
    Dialogue, MESSAGES, Subject, block, decimal, fields, is_positive, is_refusal, lines, numbers,
    octets, sent, word,
};
use crate::{checking::Verdict, faults::server::sound};

checks! { dyn Subject, sound:
    c0011_numbers_count_from_1_in_the_order_of_the_maildrop,
    c0011_numbers_stay_in_a_session_and_close_up_in_the_next,
    c0017_stat_gives_the_messages_and_their_octets,
    c0017_stat_counts_no_deleted_message,
    c0019_list_with_a_number_gets_the_line_of_that_message,
    c0020_list_has_a_line_for_each_message,
    c0021_a_scan_listing_is_the_number_and_the_exact_octets,
    c0022_retr_gets_a_block,
    c0023_retr_gives_the_message_of_that_number,
    c0026_a_deleted_message_is_refused_from_then_on,
    c0029_noop_is_answered_with_yes_and_does_nothing,
    c0031_has_every_required_command,
    c0031_rset_takes_the_marks_off,
    c0031_quit_removes_what_is_marked_and_nothing_else,
}

fn c0011_numbers_count_from_1_in_the_order_of_the_maildrop(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for command in ["LIST", "UIDL"] {
        let reply = dialogue.ask(command);
        let found = listed(&reply);
        ensure!(
            found.is_empty() || found.iter().zip(1..).all(|(found, n)| *found == n),
            "{command}: {found:?}"
        );
    }
    // As messages lie in the maildrop.
    let wanted: Vec<String> = MESSAGES
        .iter()
        .map(|message| sent(message).join("\n"))
        .collect();
    let found: Vec<String> = numbers()
        .map(|number| lines(&dialogue.ask(&format!("RETR {number}"))).join("\n"))
        .collect();
    let mut sorted = (wanted.clone(), found.clone());
    sorted.0.sort();
    sorted.1.sort();
    let is_moved = sorted.0 == sorted.1 && wanted != found;
    ensure!(
        !is_moved || fields_agree(&mut dialogue),
        "in another order: {found:?}"
    );
    for command in ["LIST 0", "UIDL 0", "RETR 0", "TOP 0 0", "RETR 5", "TOP 5 0"] {
        ensure!(!is_positive(&dialogue.ask(command)), "{command} is taken");
    }
    Ok(())
}

/// Whether the sizes are in the order of the maildrop, so that what moved is RETR.
fn fields_agree(dialogue: &mut Dialogue) -> bool {
    let reply = dialogue.ask("LIST");
    let sizes = lines(&reply)
        .into_iter()
        .filter_map(|line| Some(decimal(fields(line)?.1)));
    sizes.eq(MESSAGES.map(|message| Some(octets(message))))
}

/// The number that a line begins with, whatever follows.
fn number(listing: &str) -> Option<u64> {
    let listing = listing.trim_start();
    let end = listing.find(|char: char| !char.is_ascii_digit());
    listing[..end.unwrap_or(listing.len())].parse().ok()
}

/// The numbers of a listing, in their order.
fn listed(reply: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = lines(reply).into_iter().filter_map(number).collect();
    numbers.dedup();
    numbers
}

fn c0011_numbers_stay_in_a_session_and_close_up_in_the_next(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    dialogue.ask("DELE 1");
    for command in ["LIST", "UIDL"] {
        let reply = dialogue.ask(command);
        let found = listed(&reply);
        ensure!(
            found.len() != 3 || found == [2, 3, 4],
            "{command} after DELE 1: {reply:?}"
        );
    }
    let is_moved = lines(&dialogue.ask("RETR 2")) == sent(MESSAGES[2]);
    ensure!(
        !is_moved || lines(&dialogue.ask("RETR 3")) == sent(MESSAGES[2]),
        "after DELE 1 the third message has the number 2"
    );
    dialogue.ask("QUIT");
    drop(dialogue);
    subject.deliver("id-4", "Subject: 5\r\n\r\nfive five five\r\n");
    let mut dialogue = Dialogue::logged_in(subject)?;
    for command in ["LIST", "UIDL"] {
        let reply = dialogue.ask(command);
        let found = listed(&reply);
        ensure!(
            found.iter().zip(1..).all(|(found, n)| *found == n),
            "{command} in the session after: {found:?}"
        );
    }
    Ok(())
}

/// STAT gives these messages, or those that LIST gives, for LIST has statements of
/// its own.
fn stat(dialogue: &mut Dialogue, when: &str, messages: &[usize]) -> Verdict {
    let reply = dialogue.ask("STAT");
    if is_refusal(&reply) {
        return Ok(());
    }
    let found = (|| {
        let (count, rest) = word(reply.strip_prefix("+OK")?)?;
        Some((decimal(count)? as usize, decimal(word(rest)?.0)?))
    })();
    let listing = dialogue.ask("LIST");
    let listed = lines(&listing).into_iter();
    let listed: Vec<u64> = listed.filter_map(|line| decimal(fields(line)?.1)).collect();
    let exact = messages.iter().map(|number| octets(MESSAGES[number - 1]));
    let right = [
        (messages.len(), exact.sum()),
        (messages.len(), listed.iter().sum()),
        (listed.len(), listed.iter().sum()),
    ];
    let is_right = found.is_some_and(|found| right.contains(&found));
    ensure!(
        is_right && block(&reply).trim().is_empty(),
        "{when}: {reply:?}, not {right:?}"
    );
    Ok(())
}

fn c0017_stat_gives_the_messages_and_their_octets(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    stat(&mut dialogue, "at first", &[1, 2, 3, 4])?;
    dialogue.ask("RETR 1");
    stat(&mut dialogue, "later", &[1, 2, 3, 4])
}

fn c0017_stat_counts_no_deleted_message(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut left: Vec<usize> = numbers().collect();
    for number in [2, 1, 4, 3] {
        if is_positive(&dialogue.ask(&format!("DELE {number}"))) {
            left.retain(|left| *left != number);
        }
        stat(&mut dialogue, &format!("after DELE {number}"), &left)?;
    }
    dialogue.ask("RSET");
    stat(&mut dialogue, "after RSET", &[1, 2, 3, 4])
}

fn c0019_list_with_a_number_gets_the_line_of_that_message(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let listing = dialogue.ask("LIST");
    for _ in 0..2 {
        for number in numbers() {
            let reply = dialogue.ask(&format!("LIST {number}"));
            if is_refusal(&reply) {
                continue;
            }
            let text = reply.strip_prefix("+OK").and_then(word);
            let text = text.map(|(first, rest)| format!("{first}{}", rest.trim_end()));
            let found = text.as_deref().and_then(fields);
            let line = lines(&listing).into_iter().filter_map(fields);
            let exact = octets(MESSAGES[number - 1]).to_string();
            let mut right = line.chain([(number as u64, &*exact)]);
            ensure!(
                block(&reply).trim().is_empty()
                    && found.is_some_and(|(n, _)| n == number as u64)
                    && right.any(|line| Some(line) == found),
                "LIST {number}: {reply:?}"
            );
        }
        dialogue.ask("RETR 1");
    }
    for command in ["LIST 5", "LIST 4294967295"] {
        ensure!(!is_positive(&dialogue.ask(command)), "{command} is taken");
    }
    Ok(())
}

/// A listing has this many lines, each of another message; whatever their
/// numbers are, which is not this statement's matter.
fn has_lines(reply: &str, count: usize) -> Verdict {
    let numbers: Vec<_> = lines(reply).into_iter().map(number).collect();
    let distinct: BTreeSet<_> = numbers.iter().flatten().collect();
    ensure!(
        reply.starts_with("+OK") && [numbers.len(), distinct.len()] == [count; 2],
        "{count} messages: {reply:?}"
    );
    Ok(())
}

/// The listing is whole at first, with messages deleted, and when none is left.
pub(super) fn lists_each_message(subject: &mut dyn Subject, command: &str) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut left = MESSAGES.len();
    let first = dialogue.ask(command);
    if is_refusal(&first) {
        return Ok(());
    }
    has_lines(&first, left)?;
    for number in [3, 1, 4, 2] {
        left -= usize::from(is_positive(&dialogue.ask(&format!("DELE {number}"))));
        has_lines(&dialogue.ask(command), left)?;
    }
    let last = dialogue.ask(command);
    ensure!(
        !first.ends_with("\r\n.\r\n") || !block(&last).is_empty(),
        "an empty maildrop: {last:?}"
    );
    Ok(())
}

fn c0020_list_has_a_line_for_each_message(subject: &mut dyn Subject) -> Verdict {
    lists_each_message(subject, "LIST")
}

fn c0021_a_scan_listing_is_the_number_and_the_exact_octets(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for _ in 0..2 {
        let reply = dialogue.ask("LIST");
        // With other numbers, sizes are still exact if they are those of messages.
        let is_numbered = listed(&reply).iter().all(|number| (1..=4).contains(number))
            && listed(&reply).len() == 4;
        for line in lines(&reply) {
            let found = fields(line).and_then(|(_, size)| decimal(size));
            let mut right = MESSAGES
                .iter()
                .zip(1..)
                .filter(|(_, n)| !is_numbered || number(line) == Some(*n));
            let is_exact = right.any(|(message, _)| found == Some(octets(message)));
            ensure!(is_exact, "{line:?} is not exact");
        }
        for (message, number) in MESSAGES.iter().zip(1..) {
            let reply = dialogue.ask(&format!("LIST {number}"));
            let listing = reply.strip_prefix("+OK ").and_then(fields);
            ensure!(
                listing.is_none_or(|(_, size)| decimal(size) == Some(octets(message))),
                "LIST {number}: {reply:?}"
            );
        }
        dialogue.ask("RETR 2");
    }
    Ok(())
}

fn c0022_retr_gets_a_block(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for number in numbers() {
        let reply = dialogue.ask(&format!("RETR {number}"));
        let is_block = reply.starts_with("+OK") && !block(&reply).is_empty();
        ensure!(is_refusal(&reply) || is_block, "RETR {number}: {reply:?}");
    }
    Ok(())
}

fn c0023_retr_gives_the_message_of_that_number(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for number in [1, 2, 3, 4, 4, 3, 1, 2] {
        let reply = dialogue.ask(&format!("RETR {number}"));
        ensure!(
            !is_positive(&reply)
                || block(&reply).is_empty()
                || lines(&reply) == sent(MESSAGES[number - 1]),
            "RETR {number}: {reply:?}"
        );
    }
    dialogue.ask("TOP 2 1");
    dialogue.ask("DELE 1");
    let reply = dialogue.ask("RETR 2");
    ensure!(
        !is_positive(&reply) || block(&reply).is_empty() || lines(&reply) == sent(MESSAGES[1]),
        "RETR 2 after DELE 1: {reply:?}"
    );
    Ok(())
}

fn c0026_a_deleted_message_is_refused_from_then_on(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut deleted = Vec::new();
    for number in [2, 1, 4, 3] {
        if is_positive(&dialogue.ask(&format!("DELE {number}"))) {
            deleted.push(number);
        }
        for command in ["NOOP", "STAT", "LIST", "UIDL", "RETR 3", "XQZT", "DELE 9"] {
            dialogue.ask(command);
        }
        for number in &deleted {
            for keyword in ["RETR", "LIST", "UIDL", "TOP", "DELE", "RETR"] {
                let lines = if keyword == "TOP" { " 0" } else { "" };
                let command = format!("{keyword} {number}{lines}");
                let reply = dialogue.ask(&command);
                ensure!(
                    !is_positive(&reply),
                    "{command} after DELE {number}: {reply:?}"
                );
            }
        }
    }
    Ok(())
}

fn c0029_noop_is_answered_with_yes_and_does_nothing(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for before in ["STAT", "DELE 1", "DELE 2"] {
        dialogue.ask(before);
        let before = dialogue.ask("STAT");
        for _ in 0..2 {
            let reply = dialogue.ask("NOOP");
            let is_yes = reply.starts_with("+OK") && block(&reply).trim().is_empty();
            ensure!(is_yes || reply.is_empty(), "{reply:?}");
        }
        let after = dialogue.ask("STAT");
        ensure!(before == after, "STAT before: {before:?}, after: {after:?}");
    }
    Ok(())
}

fn c0031_has_every_required_command(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for command in [
        "STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET", "stat", "list 4", "retr 4",
        "dele 4", "noop", "rset", "QUIT",
    ] {
        let reply = dialogue.ask(command);
        ensure!(!reply.starts_with('-'), "{command}: {reply:?}");
    }
    ensure!(dialogue.is_closed(), "the connection stays open after QUIT");
    let mut early = Dialogue::protected(subject)?;
    let reply = early.ask("QUIT");
    ensure!(!reply.starts_with('-'), "QUIT before login: {reply:?}");
    Ok(())
}

fn c0031_rset_takes_the_marks_off(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let before = dialogue.ask("STAT");
    for _ in 0..2 {
        dialogue.ask("DELE 2");
        dialogue.ask("DELE 4");
        dialogue.ask("RSET");
        let after = dialogue.ask("STAT");
        ensure!(
            before == after,
            "STAT before: {before:?}, after RSET: {after:?}"
        );
        for command in ["LIST 2", "RETR 4", "TOP 4 0"] {
            let reply = dialogue.ask(command);
            ensure!(!reply.starts_with('-'), "{command} after RSET: {reply:?}");
        }
    }
    dialogue.ask("QUIT");
    let after = Dialogue::logged_in(subject)?.ask("STAT");
    ensure!(
        before == after,
        "STAT before: {before:?}, in the next session: {after:?}"
    );
    Ok(())
}

/// How many messages LIST gives a line for, one by one.
fn count(dialogue: &mut Dialogue) -> usize {
    let mut lines = numbers().map(|number| dialogue.ask(&format!("LIST {number}")));
    lines.by_ref().filter(|reply| !is_refusal(reply)).count()
}

fn c0031_quit_removes_what_is_marked_and_nothing_else(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let all = count(&mut dialogue);
    dialogue.ask("DELE 2");
    drop(dialogue);
    let mut dialogue = Dialogue::logged_in(subject)?;
    let left = count(&mut dialogue);
    ensure!(
        left == all,
        "{left} of {all} messages are left without QUIT"
    );
    let is_marked = is_positive(&dialogue.ask("DELE 2"));
    dialogue.ask("QUIT");
    let left = count(&mut Dialogue::logged_in(subject)?);
    ensure!(
        all == 0 || !is_marked || left + 1 == all,
        "{all} messages, 1 of them marked, {left} left"
    );
    Ok(())
}

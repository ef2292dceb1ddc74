//! Sections 2.2.2, 2.2.5 and 2.2.6: message-numbers, STAT and LIST.

use std::collections::BTreeSet;

use super::{
    Dialogue, MESSAGES, Subject, block, decimal, fields, is_positive, is_refusal, lines, numbers,
    octets, sent,
    walk::{self, Blame, holds_the_messages, walk},
    word,
};
use crate::{checking::Verdict, faults::server::sound};

checks! { dyn Subject, sound:
    c0011_numbers_count_from_1_in_the_order_of_the_maildrop,
    c0011_numbers_stay_in_a_session_and_close_up_in_the_next,
    c0011_numbers_are_those_of_the_maildrop_at_any_time,
    c0011_listings_have_the_numbers_at_any_time,
    c0017_stat_gives_the_messages_and_their_octets,
    c0019_list_with_a_number_gets_the_line_of_that_message,
    c0020_list_has_a_line_for_each_message,
    c0021_a_scan_listing_is_the_number_and_the_exact_octets,
}

fn c0011_numbers_count_from_1_in_the_order_of_the_maildrop(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for command in ["LIST", "UIDL"] {
        let reply = dialogue.ask(command);
        let found = walk::numbers(&reply);
        ensure!(
            lines(&reply).len() != MESSAGES.len()
                || found.iter().zip(1..).all(|(found, n)| *found == n),
            "{command}: {found:?}"
        );
    }
    // In the order of the maildrop.
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
    for number in NONE {
        for keyword in ["LIST", "UIDL", "RETR", "TOP", "DELE"] {
            let lines = if keyword == "TOP" { " 0" } else { "" };
            let command = format!("{keyword} {number}{lines}");
            ensure!(!is_positive(&dialogue.ask(&command)), "{command} is taken");
        }
    }
    Ok(())
}

/// Numbers of no message in [`MESSAGES`], including some that are 1 when
/// truncated to 32 or 64 bits, or when only the leading digits are read.
const NONE: [&str; 8] = [
    "0",
    "5",
    "-1",
    "1x",
    "x",
    "4294967297",
    "18446744073709551617",
    "1.",
];

/// Whether the sizes are in the order of the maildrop, so that RETR is what is
/// wrong.
fn fields_agree(dialogue: &mut Dialogue) -> bool {
    let reply = dialogue.ask("LIST");
    let sizes = lines(&reply)
        .into_iter()
        .filter_map(|line| Some(decimal(fields(line)?.1)));
    sizes.eq(MESSAGES.map(|message| Some(octets(message))))
}

fn c0011_numbers_stay_in_a_session_and_close_up_in_the_next(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    dialogue.ask("DELE 1");
    for command in ["LIST", "UIDL"] {
        let reply = dialogue.ask(command);
        let found = walk::numbers(&reply);
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
        let found = walk::numbers(&reply);
        ensure!(
            lines(&reply).len() != MESSAGES.len()
                || found.iter().zip(1..).all(|(found, n)| *found == n),
            "{command} in the session after: {found:?}"
        );
    }
    Ok(())
}

fn c0011_numbers_are_those_of_the_maildrop_at_any_time(subject: &mut dyn Subject) -> Verdict {
    holds_the_messages(subject, Blame::Number)
}

fn c0011_listings_have_the_numbers_at_any_time(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for command in ["LIST", "UIDL"] {
            let reply = dialogue.ask(command);
            let found = walk::numbers(&reply);
            let is_there = lines(&reply).len() == moment.maildrop.live().len();
            ensure!(
                !is_there || !moment.maildrop.is_misnumbered(&found),
                "{command}: {found:?}"
            );
        }
        let none = moment.maildrop.last() + 1;
        for command in [format!("RETR {none}"), format!("LIST {none}")] {
            ensure!(!is_positive(&dialogue.ask(&command)), "{command} is taken");
        }
        Ok(())
    })
}

/// STAT counts the messages that exist, or those in LIST, as other statements
/// cover LIST.
fn c0017_stat_gives_the_messages_and_their_octets(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
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
        let live = moment.maildrop.live();
        let exact = live.iter().map(|n| octets(moment.maildrop.message(*n)));
        let right = [
            (live.len(), exact.sum()),
            (live.len(), listed.iter().sum()),
            (listed.len(), listed.iter().sum()),
        ];
        let is_right = found.is_some_and(|found| right.contains(&found));
        ensure!(
            is_right && block(&reply).trim().is_empty(),
            "{reply:?}, not {right:?}"
        );
        Ok(())
    })
}

/// The reply is one line that contains one of these listings.
pub(super) fn is_listing(reply: &str, right: &[(u64, &str)]) -> bool {
    let text = reply.strip_prefix("+OK").and_then(word);
    let text = text.map(|(first, rest)| format!("{first}{}", rest.trim_end()));
    let found = text.as_deref().and_then(fields);
    block(reply).trim().is_empty() && found.is_some_and(|found| right.contains(&found))
}

fn c0019_list_with_a_number_gets_the_line_of_that_message(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        let listing = dialogue.ask("LIST");
        for number in moment.numbers() {
            let reply = dialogue.ask(&format!("LIST {number}"));
            let exact = octets(moment.maildrop.message(number)).to_string();
            let n = number as u64;
            let line = lines(&listing).into_iter().filter_map(fields);
            let mut right: Vec<(u64, &str)> = line.filter(|(of, _)| *of == n).collect();
            right.push((n, &exact));
            ensure!(
                is_refusal(&reply) || is_listing(&reply, &right),
                "LIST {number}: {reply:?}"
            );
        }
        let none = moment.maildrop.last() + 1;
        for command in [format!("LIST {none}"), "LIST 4294967295".into()] {
            ensure!(!is_positive(&dialogue.ask(&command)), "{command} is taken");
        }
        Ok(())
    })
}

/// A listing has this many lines, all different; this statement does not cover
/// their contents.
fn has_lines(reply: &str, count: usize) -> Verdict {
    let lines = lines(reply);
    let distinct: BTreeSet<_> = lines.iter().collect();
    ensure!(
        reply.starts_with("+OK") && [lines.len(), distinct.len()] == [count; 2],
        "{count} messages: {reply:?}"
    );
    Ok(())
}

/// The listing has a line for each message that is left.
pub(super) fn lists_each_message(subject: &mut dyn Subject, command: &str) -> Verdict {
    let mut has_block = false;
    walk(subject, |dialogue, moment| {
        let reply = dialogue.ask(command);
        if is_refusal(&reply) {
            return Ok(());
        }
        has_lines(&reply, moment.maildrop.live().len())?;
        has_block |= reply.ends_with("\r\n.\r\n");
        ensure!(
            !has_block || !block(&reply).is_empty(),
            "one line: {reply:?}"
        );
        Ok(())
    })
}

fn c0020_list_has_a_line_for_each_message(subject: &mut dyn Subject) -> Verdict {
    lists_each_message(subject, "LIST")
}

fn c0021_a_scan_listing_is_the_number_and_the_exact_octets(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        let reply = dialogue.ask("LIST");
        // With wrong numbers, sizes are still exact if they are those of
        // messages.
        let live = moment.maildrop.live();
        let is_numbered = walk::numbers(&reply)
            .into_iter()
            .eq(live.iter().map(|n| *n as u64));
        let listings = lines(&reply);
        for line in &listings {
            let found = fields(line).and_then(|(_, size)| decimal(size));
            let of = walk::number(line);
            // If there are too many or too few lines, only those with the
            // number of a message count.
            if listings.len() != live.len() && !live.iter().any(|n| of == Some(*n as u64)) {
                continue;
            }
            let mut right = live
                .iter()
                .filter(|n| !is_numbered || of == Some(**n as u64));
            let is_exact = right.any(|n| found == Some(octets(moment.maildrop.message(*n))));
            ensure!(is_exact, "{line:?} is not exact");
        }
        for number in moment.numbers() {
            let reply = dialogue.ask(&format!("LIST {number}"));
            let listing = reply.strip_prefix("+OK ").and_then(fields);
            let exact = octets(moment.maildrop.message(number));
            ensure!(
                listing.is_none_or(|(_, size)| decimal(size) == Some(exact)),
                "LIST {number}: {reply:?}"
            );
        }
        Ok(())
    })
}

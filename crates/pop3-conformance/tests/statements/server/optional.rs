//! Sections 2.2.13 and 2.2.14: TOP, UIDL and unique-ids.

use std::collections::BTreeSet;

use super::{
    Dialogue, MESSAGES, Subject, block, fields, is_positive, is_refusal, lines,
    maildrop::lists_each_message, numbers, sent, word,
};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0034_top_gets_header_blank_line_and_lines_of_the_body,
    c0036_uidl_with_a_number_gets_the_line_of_that_message,
    c0037_uidl_has_a_line_for_each_message,
    c0038_a_unique_id_listing_is_the_number_and_the_unique_id,
    c0039_a_unique_id_has_1_to_70_printable_octets,
    c0039_a_unique_id_names_the_same_message_in_every_session,
    c0040_no_unique_id_is_given_out_twice,
    c0040_the_unique_id_of_a_removed_message_does_not_come_back,
}

fn c0034_top_gets_header_blank_line_and_lines_of_the_body(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for number in numbers() {
        let message = sent(MESSAGES[number - 1]);
        let header = message.iter().position(String::is_empty);
        for count in [0, 1, 2, 3, 100] {
            let command = format!("TOP {number} {count}");
            let reply = dialogue.ask(&command);
            let end = header.map_or(message.len(), |blank| message.len().min(blank + 1 + count));
            let mut lines = lines(&reply);
            // A message that is all header may get its blank line, or not.
            if header.is_none() {
                lines.pop_if(|line| line.is_empty());
            }
            ensure!(
                is_refusal(&reply)
                    || reply.starts_with("+OK")
                        && !block(&reply).is_empty()
                        && lines == message[..end],
                "{command}: {reply:?}"
            );
        }
    }
    Ok(())
}

fn c0036_uidl_with_a_number_gets_the_line_of_that_message(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let listing = dialogue.ask("UIDL");
    for _ in 0..2 {
        for number in numbers() {
            let reply = dialogue.ask(&format!("UIDL {number}"));
            if is_refusal(&reply) {
                continue;
            }
            let text = reply.strip_prefix("+OK").and_then(word);
            let text = text.map(|(first, rest)| format!("{first}{}", rest.trim_end()));
            let found = text.as_deref().and_then(fields);
            let exact = format!("id-{}", number - 1);
            let lines = lines(&listing).into_iter().filter_map(fields);
            let mut right = lines.chain([(number as u64, &*exact)]);
            ensure!(
                block(&reply).trim().is_empty()
                    && found.is_some_and(|(n, _)| n == number as u64)
                    && right.any(|line| Some(line) == found),
                "UIDL {number}: {reply:?}"
            );
        }
        dialogue.ask("RETR 1");
    }
    ensure!(!is_positive(&dialogue.ask("UIDL 5")), "UIDL 5 is taken");
    Ok(())
}

fn c0037_uidl_has_a_line_for_each_message(subject: &mut dyn Subject) -> Verdict {
    lists_each_message(subject, "UIDL")
}

/// The listings of UIDL and of UIDL with each number.
fn listings(dialogue: &mut Dialogue) -> Vec<String> {
    let of_all = dialogue.ask("UIDL");
    let mut listings: Vec<String> = lines(&of_all).into_iter().map(Into::into).collect();
    for number in numbers() {
        let reply = dialogue.ask(&format!("UIDL {number}"));
        let text = reply
            .strip_prefix("+OK ")
            .map(|text| text.trim_end_matches(['\r', '\n']));
        listings.extend(text.map(Into::into));
    }
    listings
}

fn c0038_a_unique_id_listing_is_the_number_and_the_unique_id(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for listing in listings(&mut dialogue) {
        ensure!(fields(&listing).is_some(), "{listing:?}");
    }
    Ok(())
}

fn c0039_a_unique_id_has_1_to_70_printable_octets(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    for listing in listings(&mut dialogue) {
        let unique_id = fields(&listing).map_or("none", |(_, unique_id)| unique_id);
        let is_printable = unique_id
            .bytes()
            .all(|octet| (0x21..=0x7E).contains(&octet));
        ensure!(is_printable && unique_id.len() <= 70, "{listing:?}");
    }
    Ok(())
}

/// The unique-ids that UIDL gives, in their order; none if a line has none.
fn unique_ids(dialogue: &mut Dialogue) -> Vec<String> {
    let reply = dialogue.ask("UIDL");
    let mut lines = lines(&reply);
    lines.dedup();
    let found = lines.into_iter().map(fields);
    let found = found.map(|fields| fields.map(|(_, unique_id)| unique_id.to_owned()));
    found.collect::<Option<_>>().unwrap_or_default()
}

fn c0039_a_unique_id_names_the_same_message_in_every_session(subject: &mut dyn Subject) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let mut first = unique_ids(&mut dialogue);
    dialogue.ask("RETR 1");
    let later = unique_ids(&mut dialogue);
    ensure!(later == first, "{first:?}, later {later:?}");
    dialogue.ask("QUIT");
    let mut dialogue = Dialogue::logged_in(subject)?;
    let later = unique_ids(&mut dialogue);
    ensure!(later == first, "{first:?}, in the next session {later:?}");
    let is_deleted = is_positive(&dialogue.ask("DELE 2")) && is_positive(&dialogue.ask("QUIT"));
    drop(dialogue);
    subject.deliver("id-4", "Subject: 5\r\n\r\nfive five five\r\n");
    let later = unique_ids(&mut Dialogue::logged_in(subject)?);
    if is_deleted && later.len() == first.len() && first.len() > 1 {
        first.remove(1);
        ensure!(
            later.starts_with(&first),
            "{first:?} were left, then {later:?}"
        );
    }
    Ok(())
}

fn distinct(unique_ids: &[String]) -> Result<(), Flaw> {
    let distinct: BTreeSet<&String> = unique_ids.iter().collect();
    ensure!(distinct.len() == unique_ids.len(), "{unique_ids:?}");
    Ok(())
}

fn c0040_no_unique_id_is_given_out_twice(subject: &mut dyn Subject) -> Verdict {
    distinct(&unique_ids(&mut Dialogue::logged_in(subject)?))
}

fn c0040_the_unique_id_of_a_removed_message_does_not_come_back(
    subject: &mut dyn Subject,
) -> Verdict {
    let mut dialogue = Dialogue::logged_in(subject)?;
    let before = unique_ids(&mut dialogue);
    let is_removed = is_positive(&dialogue.ask("DELE 4")) && is_positive(&dialogue.ask("QUIT"));
    drop(dialogue);
    subject.deliver("id-4", "Subject: 5\r\n\r\nfive five five\r\n");
    let after = unique_ids(&mut Dialogue::logged_in(subject)?);
    distinct(&after)?;
    if let (true, [.., new], 4) = (is_removed, &*after, after.len()) {
        ensure!(
            !before.contains(new),
            "{before:?}, the last removed, a new one: {after:?}"
        );
    }
    Ok(())
}

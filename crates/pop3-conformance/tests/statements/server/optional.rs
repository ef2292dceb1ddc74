//! Sections 2.2.13 and 2.2.14: TOP, UIDL and unique-ids.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Dialogue, Subject, block, decimal, fields, is_positive, is_refusal, large, lines,
    maildrop::{is_listing, lists_each_message},
    sent,
    walk::walk,
};
use crate::{
    checking::{Flaw, Verdict},
    faults::server::sound,
};

checks! { dyn Subject, sound:
    c0034_top_gets_header_blank_line_and_lines_of_the_body,
    c0034_top_gives_a_large_message_to_the_line_that_is_asked_for,
    c0036_uidl_with_a_number_gets_the_line_of_that_message,
    c0037_uidl_has_a_line_for_each_message,
    c0038_a_unique_id_listing_is_the_number_and_the_unique_id,
    c0039_a_unique_id_has_1_to_70_printable_octets,
    c0039_a_unique_id_stays_at_any_time,
    c0039_a_unique_id_names_the_same_message_in_every_session,
    c0040_no_unique_id_is_given_out_twice,
    c0040_a_unique_id_is_that_of_one_message_for_ever,
    c0040_the_unique_id_of_a_removed_message_does_not_come_back,
}

/// What TOP sends of a message. For a message without a body, the blank line is
/// optional.
fn is_top(reply: &str, message: &[String], count: usize) -> bool {
    let header = message.iter().position(String::is_empty);
    let end = header.map_or(message.len(), |blank| {
        message.len().min((blank + 1).saturating_add(count))
    });
    let mut lines = lines(reply);
    if header.is_none() {
        lines.pop_if(|line| line.is_empty());
    }
    is_refusal(reply)
        || reply.starts_with("+OK") && !block(reply).is_empty() && lines == message[..end]
}

fn c0034_top_gets_header_blank_line_and_lines_of_the_body(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        for number in moment.numbers() {
            let message = sent(moment.maildrop.message(number));
            for count in [0, 1, 2, 3, 10, 100, 4_294_967_295] {
                let command = format!("TOP {number} {count}");
                let reply = dialogue.ask(&command);
                ensure!(is_top(&reply, &message, count), "{command}: {reply:?}");
            }
        }
        Ok(())
    })
}

fn c0034_top_gives_a_large_message_to_the_line_that_is_asked_for(
    subject: &mut dyn Subject,
) -> Verdict {
    let mut dialogue = Dialogue::with_large(subject)?;
    let message = sent(&large());
    for count in [0, 1999, 2000, 2001, 9999] {
        let command = format!("TOP 5 {count}");
        let reply = dialogue.ask(&command);
        ensure!(
            is_top(&reply, &message, count),
            "{command} gives {} lines",
            lines(&reply).len()
        );
    }
    Ok(())
}

fn c0036_uidl_with_a_number_gets_the_line_of_that_message(subject: &mut dyn Subject) -> Verdict {
    walk(subject, |dialogue, moment| {
        let listing = dialogue.ask("UIDL");
        for number in moment.numbers() {
            let reply = dialogue.ask(&format!("UIDL {number}"));
            let n = number as u64;
            let line = lines(&listing).into_iter().filter_map(fields);
            let mut right: Vec<(u64, &str)> = line.filter(|(of, _)| *of == n).collect();
            right.push((n, moment.maildrop.unique_id(number)));
            ensure!(
                is_refusal(&reply) || is_listing(&reply, &right),
                "UIDL {number}: {reply:?}"
            );
        }
        let none = format!("UIDL {}", moment.maildrop.last() + 1);
        ensure!(!is_positive(&dialogue.ask(&none)), "{none} is taken");
        Ok(())
    })
}

fn c0037_uidl_has_a_line_for_each_message(subject: &mut dyn Subject) -> Verdict {
    lists_each_message(subject, "UIDL")
}

/// Checks each listing of UIDL, and UIDL with each number.
fn each_listing(subject: &mut dyn Subject, is_right: impl Fn(&str) -> bool) -> Verdict {
    walk(subject, |dialogue, moment| {
        let of_all = dialogue.ask("UIDL");
        let mut listings: Vec<String> = lines(&of_all).into_iter().map(Into::into).collect();
        for number in moment.numbers() {
            let reply = dialogue.ask(&format!("UIDL {number}"));
            let text = reply
                .strip_prefix("+OK ")
                .map(|text| text.trim_end_matches(['\r', '\n']));
            listings.extend(text.map(Into::into));
        }
        for listing in listings {
            ensure!(is_right(&listing), "{listing:?}");
        }
        Ok(())
    })
}

fn c0038_a_unique_id_listing_is_the_number_and_the_unique_id(subject: &mut dyn Subject) -> Verdict {
    each_listing(subject, |listing| {
        // A listing without a unique-id breaks the statement on unique-ids
        // instead.
        let is_empty = listing.ends_with(' ') && decimal(listing.trim_end()).is_some();
        fields(listing).is_some() || is_empty
    })
}

fn c0039_a_unique_id_has_1_to_70_printable_octets(subject: &mut dyn Subject) -> Verdict {
    each_listing(subject, |listing| {
        let unique_id = fields(listing).map_or("none", |(_, unique_id)| unique_id);
        let is_printable = |octet: u8| (0x21..=0x7E).contains(&octet);
        let is_empty = listing.ends_with(' ') && fields(listing).is_none();
        !is_empty && unique_id.bytes().all(is_printable) && unique_id.len() <= 70
    })
}

/// Calls `see` with each message, given as the unique-id under which it
/// arrived, and with the unique-id that UIDL returns for it.
fn each_unique_id(
    subject: &mut dyn Subject,
    mut see: impl FnMut(&BTreeMap<&'static str, String>) -> Verdict,
) -> Verdict {
    walk(subject, |dialogue, moment| {
        let reply = dialogue.ask("UIDL");
        let listings: Option<Vec<(u64, &str)>> = lines(&reply).into_iter().map(fields).collect();
        let live = moment.maildrop.live();
        let listings = listings.unwrap_or_default();
        let are_live = listings
            .iter()
            .map(|(n, _)| *n as usize)
            .eq(live.iter().copied());
        if !are_live {
            return Ok(());
        }
        let of = |(n, unique_id): (u64, &str)| {
            (moment.maildrop.unique_id(n as usize), unique_id.to_owned())
        };
        see(&listings.into_iter().map(of).collect())
    })
}

fn c0039_a_unique_id_stays_at_any_time(subject: &mut dyn Subject) -> Verdict {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    each_unique_id(subject, |unique_ids| {
        for (message, unique_id) in unique_ids {
            let first = known.entry(message).or_insert_with(|| unique_id.clone());
            ensure!(first == unique_id, "{message} was {first}, is {unique_id}");
        }
        Ok(())
    })
}

fn c0040_a_unique_id_is_that_of_one_message_for_ever(subject: &mut dyn Subject) -> Verdict {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    each_unique_id(subject, |unique_ids| {
        for (message, unique_id) in unique_ids {
            let owner = known.entry(unique_id.clone()).or_insert(message);
            // If either message now has another unique-id, C0039 covers that.
            let is_moved = last.get(message).is_some_and(|last| last != unique_id)
                || unique_ids
                    .get(owner)
                    .is_some_and(|owned| owned != unique_id);
            ensure!(
                owner == message || is_moved,
                "{unique_id} was that of {owner}, is that of {message}"
            );
        }
        last.extend(unique_ids.clone());
        Ok(())
    })
}

/// The unique-ids in the order of UIDL; none if a line lacks one.
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
    // C0037 covers missing lines.
    let is_same = |later: &[String]| later.len() != first.len() || later == first;
    ensure!(is_same(&later), "{first:?}, later {later:?}");
    dialogue.ask("QUIT");
    let mut dialogue = Dialogue::logged_in(subject)?;
    let later = unique_ids(&mut dialogue);
    ensure!(is_same(&later), "{first:?}, in the next session {later:?}");
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

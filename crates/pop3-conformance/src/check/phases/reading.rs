//! A session that changes nothing.

use pop3_proto::{Capability, FieldRule, ReplyKind};

use super::{is_yes, kind_of};
use crate::check::{
    Options,
    dialogue::Answer,
    observed::{Asked, Listing, LongCommand, Observed, Pipelined, Sample},
    prober::Prober,
};

/// The octets of an overlong command: RFC 2449 §4 allows 255, and servers that
/// accept more accept a thousand at most.
const LONG_COMMAND: usize = 2_000;

/// The number of messages that are retrieved together.
const RETRS_AT_ONCE: usize = 4;

pub(super) fn reading(
    prober: &mut Prober<'_>,
    options: &Options,
    seen: &mut Observed,
    pipelines: bool,
) {
    use ReplyKind::{Line, Listing as Lines};
    let rule = options.profile.fields;
    seen.reading.stat = Some(prober.ask("STAT", Line));
    seen.reading.list = Some(prober.ask("LIST", Lines));
    seen.reading.uidl = Some(prober.ask("UIDL", Lines));
    let listing = seen.listing(rule);
    let first = listing.sizes.keys().next().copied();
    if let Some(first) = first {
        let list = prober.ask(&format!("LIST {first}"), Line);
        seen.reading.list_one = Some((first, list));
        if is_yes(&seen.reading.uidl) {
            let uidl = prober.ask(&format!("UIDL {first}"), Line);
            seen.reading.uidl_one = Some((first, uidl));
        }
    }
    seen.reading.noop = Some(prober.ask("NOOP", Line));
    seen.reading.noop_in_lower_case = Some(prober.ask("noop", Line));
    seen.reading.unknown = Some(prober.probe("XQZT", Line));
    let beyond = beyond(&listing, seen, rule);
    for command in [
        format!("LIST {beyond}"),
        format!("RETR {beyond}"),
        "RETR 0".to_owned(),
    ] {
        let answer = prober.probe(&command, kind_of(&command));
        seen.reading.no_such_message.push(Asked { command, answer });
    }
    // Do this before RETR, after which some servers change sizes.
    let pipelines =
        pipelines && prober.announces(|capability| *capability == Capability::Pipelining);
    if pipelines {
        seen.reading.pipelined.push(pipelined(prober, first, seen));
    }
    samples(prober, &listing, seen);
    if pipelines {
        let retrs = pipelined_retrs(prober, &seen.reading.samples);
        seen.reading.pipelined.extend(retrs);
    }
    seen.reading.long_command = Some(long_command(prober));
    if prober.ask("NOOP", Line).is_ok() {
        let answer = prober.ask_here("QUIT", Line);
        seen.reading.quit = Some((answer, prober.ends()));
    }
    prober.drop_connection();
}

/// A message-number above all numbers in the replies.
fn beyond(listing: &Listing, seen: &Observed, rule: FieldRule) -> u32 {
    let told = [
        listing.sizes.keys().next_back().copied(),
        listing.unique_ids.keys().next_back().copied(),
        seen.drop_listing(rule).map(|stat| stat.messages),
    ];
    let last = told.into_iter().flatten().max();
    last.unwrap_or(0).saturating_add(1)
}

/// Retrieves the smallest messages, which are the cheapest; enough of them to
/// include one that begins with a dot, if there is one.
fn samples(prober: &mut Prober<'_>, listing: &Listing, seen: &mut Observed) {
    let limits = prober.limits;
    let mut by_size: Vec<(u64, u32)> = listing
        .sizes
        .iter()
        .map(|(&number, &octets)| (octets, number))
        .collect();
    by_size.sort_unstable();
    let all = by_size.len();
    by_size.retain(|(octets, _)| *octets <= limits.message_octets);
    by_size.truncate(limits.messages);
    seen.reading.not_sampled = all - by_size.len();
    by_size.sort_unstable_by_key(|&(_, number)| number);
    let mut has_top = true;
    for (octets, number) in by_size {
        let retr = prober.ask(&format!("RETR {number}"), ReplyKind::Message);
        let is_odd = retr
            .as_ref()
            .is_ok_and(|reply| reply.positive && reply.block.len() as u64 != octets);
        let mut sample = Sample {
            number,
            listed: Some(octets),
            retr,
            after: is_odd.then(|| prober.linger()).flatten(),
            top_0: None,
            top_1: None,
        };
        // TOP would send the same octets as RETR, whose end is unknown.
        let is_suspect = sample.after.is_some();
        if has_top && !is_suspect {
            let top = prober.ask(&format!("TOP {number} 0"), ReplyKind::Message);
            has_top = top.as_ref().is_ok_and(|reply| reply.positive);
            sample.top_0 = Some(top);
        }
        if has_top && !is_suspect {
            sample.top_1 = Some(prober.ask(&format!("TOP {number} 1"), ReplyKind::Message));
        }
        seen.reading.samples.push(sample);
    }
}

fn pipelined(prober: &mut Prober<'_>, first: Option<u32>, seen: &Observed) -> Pipelined {
    let list_one = format!("LIST {}", first.unwrap_or(1));
    let commands = [
        ("STAT", ReplyKind::Line),
        ("LIST", ReplyKind::Listing),
        ("NOOP", ReplyKind::Line),
        (&list_one[..], ReplyKind::Line),
        ("NOOP", ReplyKind::Line),
    ];
    let reading = &seen.reading;
    let alone = vec![
        reading.stat.clone(),
        reading.list.clone(),
        reading.noop.clone(),
        reading.list_one.as_ref().map(|(_, answer)| answer.clone()),
        reading.noop.clone(),
    ];
    at_once(prober, &commands, alone)
}

/// Retrieves the largest correct messages together, because those take time to
/// send. First retrieves each alone once more, because some servers add a header
/// field to messages that were retrieved.
fn pipelined_retrs(prober: &mut Prober<'_>, samples: &[Sample]) -> Option<Pipelined> {
    let mut of_use: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.message().is_some() && !sample.is_suspect())
        .collect();
    of_use.sort_by_key(|sample| std::cmp::Reverse(sample.listed));
    of_use.truncate(RETRS_AT_ONCE);
    let retrs: Vec<String> = of_use
        .iter()
        .map(|sample| format!("RETR {}", sample.number))
        .collect();
    if retrs.len() < 2 {
        return None;
    }
    let alone = retrs
        .iter()
        .map(|retr| Some(prober.ask(retr, ReplyKind::Message)))
        .collect();
    let retrs: Vec<(&str, ReplyKind)> = retrs
        .iter()
        .map(|retr| (&retr[..], ReplyKind::Message))
        .collect();
    Some(at_once(prober, &retrs, alone))
}

fn at_once(
    prober: &mut Prober<'_>,
    commands: &[(&str, ReplyKind)],
    alone: Vec<Option<Answer>>,
) -> Pipelined {
    let answers = prober.pipeline(commands).into_iter();
    let pipelined = commands.iter().zip(answers);
    let pipelined = pipelined.map(|((command, _), answer)| Asked {
        command: (*command).to_owned(),
        answer,
    });
    let pipelined = Pipelined {
        pipelined: pipelined.collect(),
        alone,
    };
    // The outstanding octets must not be taken for other replies.
    if !pipelined.is_in_order() {
        prober.drop_connection();
    }
    pipelined
}

fn long_command(prober: &mut Prober<'_>) -> LongCommand {
    let command = format!("XQZT {}", "x".repeat(LONG_COMMAND - "XQZT \r\n".len()));
    let answer = prober.probe(&command, ReplyKind::Line);
    let after = match answer {
        Ok(_) => prober.linger(),
        Err(_) => None,
    };
    LongCommand {
        answer,
        after,
        octets: LONG_COMMAND,
    }
}

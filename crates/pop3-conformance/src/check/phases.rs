//! The sessions, one after the other. Each puts what it saw into [`Observed`].

use pop3_proto::{Capability, FieldRule, ReplyKind};

use super::{
    Account, Options, Phase, Unable,
    dialogue::{Answer, Trouble, TroubleKind},
    lab::Lab,
    observed::{
        Again, Asked, Deleting, Injection, Listing, LongCommand, Observed, Pipelined, RefusedLogin,
        Sample, Update,
    },
};

/// Octets of a command that is longer than any may be: RFC 2449 §4 lets them
/// have 255, and servers that take more take a thousand at most.
const LONG_COMMAND: usize = 2_000;

pub(super) fn run(
    lab: &mut Lab<'_>,
    account: &Account<'_>,
    options: &Options,
    wanted: &dyn Fn(Phase) -> bool,
    progress: &mut dyn FnMut(&'static str),
) -> Result<Observed, Unable> {
    let mut seen = Observed::default();
    let rule = options.profile.fields;
    progress("greeting and capabilities");
    before_login(lab, &mut seen, wanted(Phase::EarlyQuit))?;
    // This one must get in, or there is nothing to report.
    progress("login");
    let entered = lab.enter()?;
    if let Err(trouble) = &entered
        && trouble.kind == TroubleKind::NoLogin
    {
        seen.no_login = Some(trouble.shown.clone());
    }
    let is_tls = lab.is_tls;
    if entered.is_ok() {
        if wanted(Phase::Reading) {
            progress("reading the maildrop");
            reading(lab, options, &mut seen);
        }
        if wanted(Phase::Stls) && is_tls {
            progress("STLS");
            seen.stls_again = stls_again(lab);
            if lab.stls.as_ref().is_some_and(|(works, _)| *works) {
                seen.stls_pipelined = stls_pipelined(lab);
            }
        }
        if wanted(Phase::Deleting) {
            progress("deleting, and undoing it");
            seen.deleting = deleting(lab, &seen, rule);
        }
        if wanted(Phase::Again) {
            progress("a second session");
            seen.again = again(lab, options, &seen);
        }
        if wanted(Phase::RefusedLogin) {
            progress("a login with a wrong password");
            seen.refused_login = refused_login(lab, account);
        }
        if wanted(Phase::Update) && options.destructive {
            progress("deleting for good");
            seen.update = update(lab, rule);
        }
    }
    lab.drop_connection();
    seen.secrets = lab.secrets.clone();
    seen.why_none = lab.why_none();
    seen.stls = lab.stls.clone();
    seen.login = lab.login.clone();
    seen.capabilities = lab.capabilities.clone();
    seen.incidents = std::mem::take(&mut lab.incidents);
    Ok(seen)
}

fn before_login(lab: &mut Lab<'_>, seen: &mut Observed, quits: bool) -> Result<(), Unable> {
    let greeting = lab.connect()?;
    let greets = greeting.as_ref().is_ok_and(|reply| reply.positive);
    if let (Ok(reply), false) = (&greeting, greets) {
        return Err(Unable::Busy(reply.shown.clone()));
    }
    seen.greeting = Some(greeting);
    if !greets {
        return Ok(());
    }
    seen.capa = lab.capa();
    if !quits {
        return Ok(());
    }
    for command in ["STAT", "RETR 1"] {
        if lab.is_open() {
            seen.early.push(Asked {
                command: command.to_owned(),
                answer: lab.probe_here(command, kind_of(command)),
            });
        }
    }
    if lab.is_open() {
        let answer = lab.ask_here("QUIT", ReplyKind::Line);
        seen.early_quit = Some((answer, lab.ends()));
    }
    Ok(())
}

/// STLS where TLS is active: on a connection of its own, since a server that
/// takes it would then wait for a handshake.
fn stls_again(lab: &mut Lab<'_>) -> Option<Answer> {
    let greets = lab.connect().ok()?.is_ok_and(|greeting| greeting.positive);
    let is_secure = greets && lab.secure().ok()?.is_ok() && lab.is_tls;
    let answer = is_secure.then(|| lab.probe_here("STLS", ReplyKind::Line));
    lab.drop_connection();
    answer
}

fn stls_pipelined(lab: &mut Lab<'_>) -> Option<Injection> {
    if !lab.connect().ok()?.is_ok_and(|greeting| greeting.positive) {
        return None;
    }
    lab.send_here(b"STLS\r\nCAPA\r\n").ok()?;
    let sent = "C: STLS\nC: CAPA\n(both at once)";
    let stls = match lab.read_here(ReplyKind::Line) {
        Ok(reply) => reply,
        Err(trouble) => return Some(Injection::Ended(format!("{sent}\n{}", trouble.shown))),
    };
    if !stls.positive {
        return Some(Injection::Discarded(format!("{sent}\n{}", stls.shown)));
    }
    let shown = format!("{sent}\n{}", stls.shown);
    match lab.start_tls() {
        Err(error) => {
            let shown = format!("{shown}\n(TLS handshake: {error})");
            return Some(Injection::Ended(shown));
        }
        Ok(before) if !before.is_empty() => {
            return Some(Injection::Obeyed(format!("{shown}\n{before}")));
        }
        Ok(_) => {}
    }
    // An answer to CAPA would come before the one to QUIT.
    let quit = lab.ask_here("QUIT", ReplyKind::Line);
    let rest = lab.linger();
    lab.drop_connection();
    let quit = match quit {
        Ok(reply) => reply.shown,
        Err(trouble) => return Some(Injection::Ended(format!("{shown}\n{}", trouble.shown))),
    };
    let shown = format!("{shown}\n(TLS handshake done)\n{quit}");
    Some(match rest {
        Some(rest) => Injection::Obeyed(format!("{shown}\n{rest}")),
        None => Injection::Discarded(shown),
    })
}

fn reading(lab: &mut Lab<'_>, options: &Options, seen: &mut Observed) {
    use ReplyKind::{Line, Listing as Lines};
    let rule = options.profile.fields;
    seen.reading.stat = Some(lab.ask("STAT", Line));
    seen.reading.list = Some(lab.ask("LIST", Lines));
    seen.reading.uidl = Some(lab.ask("UIDL", Lines));
    let listing = seen.listing(rule);
    let first = listing.sizes.keys().next().copied();
    if let Some(first) = first {
        let list = lab.ask(&format!("LIST {first}"), Line);
        seen.reading.list_one = Some((first, list));
        if is_yes(&seen.reading.uidl) {
            let uidl = lab.ask(&format!("UIDL {first}"), Line);
            seen.reading.uidl_one = Some((first, uidl));
        }
    }
    seen.reading.noop = Some(lab.ask("NOOP", Line));
    seen.reading.noop_in_lower_case = Some(lab.ask("noop", Line));
    seen.reading.unknown = Some(lab.probe("XQZT", Line));
    let beyond = beyond(&listing, seen, rule);
    for command in [
        format!("LIST {beyond}"),
        format!("RETR {beyond}"),
        "RETR 0".to_owned(),
    ] {
        let answer = lab.probe(&command, kind_of(&command));
        seen.reading.no_such_message.push(Asked { command, answer });
    }
    samples(lab, &listing, seen);
    seen.reading.pipelined = pipelined(lab, first, seen);
    seen.reading.long_command = Some(long_command(lab));
    if lab.ask("NOOP", Line).is_ok() {
        let answer = lab.ask_here("QUIT", Line);
        seen.reading.quit = Some((answer, lab.ends()));
    }
    lab.drop_connection();
}

/// A message-number above all that any answer speaks of.
fn beyond(listing: &Listing, seen: &Observed, rule: FieldRule) -> u32 {
    let told = [
        listing.sizes.keys().next_back().copied(),
        listing.unique_ids.keys().next_back().copied(),
        seen.drop_listing(rule).map(|stat| stat.messages),
    ];
    let last = told.into_iter().flatten().max();
    last.unwrap_or(0).saturating_add(1)
}

/// The smallest messages, since they are the cheapest; enough to meet one that
/// begins with a dot where there are such.
fn samples(lab: &mut Lab<'_>, listing: &Listing, seen: &mut Observed) {
    let limits = lab.limits;
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
        let retr = lab.ask(&format!("RETR {number}"), ReplyKind::Message);
        let is_odd = retr
            .as_ref()
            .is_ok_and(|reply| reply.positive && reply.block.len() as u64 != octets);
        let mut sample = Sample {
            number,
            listed: Some(octets),
            retr,
            after: is_odd.then(|| lab.linger()).flatten(),
            top_0: None,
            top_1: None,
        };
        if has_top {
            let top = lab.ask(&format!("TOP {number} 0"), ReplyKind::Message);
            has_top = top.as_ref().is_ok_and(|reply| reply.positive);
            sample.top_0 = Some(top);
        }
        if has_top {
            sample.top_1 = Some(lab.ask(&format!("TOP {number} 1"), ReplyKind::Message));
        }
        seen.reading.samples.push(sample);
    }
}

fn pipelined(lab: &mut Lab<'_>, first: Option<u32>, seen: &Observed) -> Option<Pipelined> {
    if !lab.announces(|capability| *capability == Capability::Pipelining) {
        return None;
    }
    let list_one = format!("LIST {}", first.unwrap_or(1));
    let commands = [
        ("STAT", ReplyKind::Line),
        ("LIST", ReplyKind::Listing),
        ("NOOP", ReplyKind::Line),
        (&list_one[..], ReplyKind::Line),
        ("NOOP", ReplyKind::Line),
    ];
    let answers = lab.pipeline(&commands);
    let pipelined = commands
        .iter()
        .zip(answers)
        .map(|((command, _), answer)| Asked {
            command: (*command).to_owned(),
            answer,
        });
    let reading = &seen.reading;
    Some(Pipelined {
        pipelined: pipelined.collect(),
        alone: vec![
            reading.stat.clone(),
            reading.list.clone(),
            reading.noop.clone(),
            reading.list_one.as_ref().map(|(_, answer)| answer.clone()),
            reading.noop.clone(),
        ],
    })
}

fn long_command(lab: &mut Lab<'_>) -> LongCommand {
    let command = format!("XQZT {}", "x".repeat(LONG_COMMAND - "XQZT \r\n".len()));
    let answer = lab.probe(&command, ReplyKind::Line);
    let after = match answer {
        Ok(_) => lab.linger(),
        Err(_) => None,
    };
    LongCommand {
        answer,
        after,
        octets: LONG_COMMAND,
    }
}

/// One message is marked and unmarked. The connection is dropped at the end, so
/// that a server whose RSET does nothing removes nothing.
fn deleting(lab: &mut Lab<'_>, seen: &Observed, rule: FieldRule) -> Option<Deleting> {
    use ReplyKind::{Line, Listing as Lines};
    let listing = seen.listing(rule);
    let (&number, _) = listing.sizes.iter().min_by_key(|(_, octets)| **octets)?;
    let has_uidl = is_yes(&seen.reading.uidl);
    let mut tops = seen.reading.samples.iter().map(|sample| &sample.top_0);
    let has_top = tops.any(is_yes);
    let before = lab.ask("STAT", Line);
    let dele = lab.ask_here(&format!("DELE {number}"), Line);
    let is_marked = dele.as_ref().is_ok_and(|reply| reply.positive);
    let mut deleting = Deleting {
        number,
        before,
        dele,
        named: Vec::new(),
        stat: None,
        list: None,
        uidl: None,
        rset: None,
        after: None,
        list_after: None,
    };
    if is_marked {
        let commands = [
            Some(format!("RETR {number}")),
            Some(format!("LIST {number}")),
            Some(format!("DELE {number}")),
            has_uidl.then(|| format!("UIDL {number}")),
            has_top.then(|| format!("TOP {number} 0")),
        ];
        for command in commands.into_iter().flatten() {
            let answer = lab.ask_here(&command, kind_of(&command));
            deleting.named.push(Asked { command, answer });
        }
        deleting.stat = Some(lab.ask_here("STAT", Line));
        deleting.list = Some(lab.ask_here("LIST", Lines));
        deleting.uidl = has_uidl.then(|| lab.ask_here("UIDL", Lines));
        deleting.rset = Some(lab.ask_here("RSET", Line));
        deleting.after = Some(lab.ask_here("STAT", Line));
        deleting.list_after = Some(lab.ask_here(&format!("LIST {number}"), Line));
    }
    lab.drop_connection();
    Some(deleting)
}

fn again(lab: &mut Lab<'_>, options: &Options, seen: &Observed) -> Option<Again> {
    lab.drop_connection();
    let list = lab.ask("LIST", ReplyKind::Listing);
    let uidl = match is_yes(&seen.reading.uidl) {
        true => lab.ask("UIDL", ReplyKind::Listing),
        false => Err(Trouble::none()),
    };
    let numbers = seen
        .reading
        .samples
        .iter()
        .filter(|sample| sample.message().is_some() && !sample.is_suspect());
    let mut again = Again {
        list,
        uidl,
        messages: std::collections::BTreeMap::new(),
    };
    for sample in numbers.take(options.limits.messages_again) {
        let answer = lab.ask(&format!("RETR {}", sample.number), ReplyKind::Message);
        again.messages.insert(sample.number, answer);
    }
    if lab.is_open() {
        let _ = lab.ask_here("QUIT", ReplyKind::Line);
    }
    lab.drop_connection();
    Some(again)
}

fn refused_login(lab: &mut Lab<'_>, account: &Account<'_>) -> Option<RefusedLogin> {
    let by_user =
        lab.announces(|capability| *capability == Capability::User) || lab.capabilities.is_empty();
    let greets = lab.connect().ok()?.is_ok_and(|greeting| greeting.positive);
    if !by_user || !greets || lab.secure().ok()?.is_err() {
        return None;
    }
    // As long as the right one, and as harmless in a log.
    let wrong = format!("{}x", account.user);
    let wrong = if wrong == account.password {
        "wrong".to_owned()
    } else {
        wrong
    };
    let answer = lab.user_and_pass(&wrong);
    let after = match &answer {
        Ok(reply) if !reply.positive && lab.is_open() => Some(lab.log_in()),
        _ => None,
    };
    if lab.is_open() {
        let _ = lab.ask_here("QUIT", ReplyKind::Line);
    }
    lab.drop_connection();
    Some(RefusedLogin { answer, after })
}

fn update(lab: &mut Lab<'_>, rule: FieldRule) -> Option<Update> {
    lab.drop_connection();
    let look = |lab: &mut Lab<'_>| {
        let list = lab.ask("LIST", ReplyKind::Listing);
        let uidl = lab.ask("UIDL", ReplyKind::Listing);
        let is_whole = list.as_ref().is_ok_and(|reply| reply.positive);
        is_whole.then(|| Listing::of(&list, &uidl, rule))
    };
    let before = look(lab)?;
    let (&number, _) = before.sizes.iter().next()?;
    let mut update = Update {
        deleted_id: None,
        dropped: None,
        quit: None,
        after: None,
        shown: String::new(),
        before,
    };
    let dele = lab.ask_here(&format!("DELE {number}"), ReplyKind::Line);
    lab.drop_connection();
    update.shown = shown(&dele).to_owned();
    if !dele.is_ok_and(|reply| reply.positive) {
        return Some(update);
    }
    update.dropped = look(lab);
    let dropped = update.dropped.as_ref()?;
    let (&number, _) = dropped.sizes.iter().next()?;
    update.deleted_id = dropped.unique_ids.get(&number).cloned();
    let dele = lab.ask_here(&format!("DELE {number}"), ReplyKind::Line);
    if dele.is_ok_and(|reply| reply.positive) {
        update.quit = Some(lab.ask_here("QUIT", ReplyKind::Line));
        lab.drop_connection();
        update.after = look(lab);
        let _ = lab.ask("QUIT", ReplyKind::Line);
    }
    lab.drop_connection();
    Some(update)
}

/// What may come back, if the command is obeyed after all.
fn kind_of(command: &str) -> ReplyKind {
    match command.split(' ').next() {
        Some("RETR" | "TOP") => ReplyKind::Message,
        _ => ReplyKind::Line,
    }
}

fn is_yes(answer: &Option<Answer>) -> bool {
    matches!(answer, Some(Ok(reply)) if reply.positive)
}

/// What an answer looked like.
pub(super) fn shown(answer: &Answer) -> &str {
    match answer {
        Ok(reply) => &reply.shown,
        Err(trouble) => &trouble.shown,
    }
}

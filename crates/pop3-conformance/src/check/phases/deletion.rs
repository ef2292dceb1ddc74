//! DELE, with RSET and for good.

use pop3_proto::{FieldRule, ReplyKind};

use super::{is_yes, kind_of, shown};
use crate::check::{
    observed::{Asked, Deleting, Listing, Observed, Update},
    prober::Prober,
};

/// Marks and unmarks one message. Drops the connection at the end, so that a server
/// whose RSET does nothing removes nothing.
pub(super) fn deleting(
    prober: &mut Prober<'_>,
    seen: &Observed,
    rule: FieldRule,
) -> Option<Deleting> {
    use ReplyKind::{Line, Listing as Lines};
    let listing = seen.listing(rule);
    let (&number, _) = listing.sizes.iter().min_by_key(|(_, octets)| **octets)?;
    let has_uidl = is_yes(&seen.reading.uidl);
    let mut tops = seen.reading.samples.iter().map(|sample| &sample.top_0);
    let has_top = tops.any(is_yes);
    let before = prober.ask("STAT", Line);
    let dele = prober.ask_here(&format!("DELE {number}"), Line);
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
            let answer = prober.ask_here(&command, kind_of(&command));
            deleting.named.push(Asked { command, answer });
        }
        deleting.stat = Some(prober.ask_here("STAT", Line));
        deleting.list = Some(prober.ask_here("LIST", Lines));
        deleting.uidl = has_uidl.then(|| prober.ask_here("UIDL", Lines));
        deleting.rset = Some(prober.ask_here("RSET", Line));
        deleting.after = Some(prober.ask_here("STAT", Line));
        deleting.list_after = Some(prober.ask_here(&format!("LIST {number}"), Line));
    }
    prober.drop_connection();
    Some(deleting)
}

pub(super) fn update(prober: &mut Prober<'_>, rule: FieldRule) -> Option<Update> {
    prober.drop_connection();
    let look = |prober: &mut Prober<'_>| {
        let list = prober.ask("LIST", ReplyKind::Listing);
        let uidl = prober.ask("UIDL", ReplyKind::Listing);
        let is_whole = list.as_ref().is_ok_and(|reply| reply.positive);
        is_whole.then(|| Listing::of(&list, &uidl, rule))
    };
    let before = look(prober)?;
    let (&number, _) = before.sizes.iter().next()?;
    let mut update = Update {
        deleted_id: None,
        dropped: None,
        quit: None,
        after: None,
        shown: String::new(),
        before,
    };
    let dele = prober.ask_here(&format!("DELE {number}"), ReplyKind::Line);
    prober.drop_connection();
    update.shown = shown(&dele).to_owned();
    if !dele.is_ok_and(|reply| reply.positive) {
        return Some(update);
    }
    update.dropped = look(prober);
    let dropped = update.dropped.as_ref()?;
    let (&number, _) = dropped.sizes.iter().next()?;
    update.deleted_id = dropped.unique_ids.get(&number).cloned();
    let dele = prober.ask_here(&format!("DELE {number}"), ReplyKind::Line);
    if dele.is_ok_and(|reply| reply.positive) {
        update.quit = Some(prober.ask_here("QUIT", ReplyKind::Line));
        prober.drop_connection();
        update.after = look(prober);
        let _ = prober.ask("QUIT", ReplyKind::Line);
    }
    prober.drop_connection();
    Some(update)
}

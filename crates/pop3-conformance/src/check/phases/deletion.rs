//! DELE: undone, and for good.

use pop3_proto::{FieldRule, ReplyKind};

use super::{is_yes, kind_of, shown};
use crate::check::{
    lab::Lab,
    observed::{Asked, Deleting, Listing, Observed, Update},
};

/// One message is marked and unmarked. The connection is dropped at the end, so
/// that a server whose RSET does nothing removes nothing.
pub(super) fn deleting(lab: &mut Lab<'_>, seen: &Observed, rule: FieldRule) -> Option<Deleting> {
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

pub(super) fn update(lab: &mut Lab<'_>, rule: FieldRule) -> Option<Update> {
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

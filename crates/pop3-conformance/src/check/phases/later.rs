//! A later session.

use std::collections::BTreeMap;

use pop3_proto::ReplyKind;

use super::is_yes;
use crate::check::{
    Options,
    dialogue::Trouble,
    observed::{Again, Listing, Observed, Sample},
    prober::Prober,
};

pub(super) fn again(prober: &mut Prober<'_>, options: &Options, seen: &Observed) -> Option<Again> {
    prober.drop_connection();
    let list = prober.ask("LIST", ReplyKind::Listing);
    let uidl = match is_yes(&seen.reading.uidl) {
        true => prober.ask("UIDL", ReplyKind::Listing),
        false => Err(Trouble::none()),
    };
    let mut samples: Vec<&Sample> = seen
        .reading
        .samples
        .iter()
        .filter(|sample| sample.message().is_some() && !sample.is_suspect())
        .collect();
    let rule = options.profile.fields;
    let (first, later) = (seen.listing(rule), Listing::of(&list, &uidl, rule));
    // First those whose listing has changed.
    samples.sort_by_key(|sample| {
        let number = later.number_of(&first, sample.number);
        number == sample.number && later.sizes.get(&number) == first.sizes.get(&number)
    });
    let mut again = Again {
        list,
        uidl,
        messages: BTreeMap::new(),
    };
    for sample in samples.into_iter().take(options.limits.messages_again) {
        let number = later.number_of(&first, sample.number);
        let answer = prober.ask(&format!("RETR {number}"), ReplyKind::Message);
        again.messages.insert(number, answer);
    }
    if prober.is_open() {
        let _ = prober.ask_here("QUIT", ReplyKind::Line);
    }
    prober.drop_connection();
    Some(again)
}

//! A later session.

use std::collections::BTreeMap;

use pop3_proto::ReplyKind;

use super::is_yes;
use crate::check::{
    Options,
    dialogue::Trouble,
    lab::Lab,
    observed::{Again, Observed},
};

pub(super) fn again(lab: &mut Lab<'_>, options: &Options, seen: &Observed) -> Option<Again> {
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
        messages: BTreeMap::new(),
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

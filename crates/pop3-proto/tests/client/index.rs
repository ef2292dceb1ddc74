//! Compares the index of a maildrop with a map.

use std::collections::BTreeMap;

use allocation_counter::measure;
use pop3_proto::client::{Event, IndexedMessage, MaildropIndex};
use pop3_proto::{Command, FieldRule, ScanListing, UniqueIdListing};
use proptest::{collection::vec, prelude::*};

use crate::harness::{Client, config, number};

fn scan(line: &str) -> Event<'static> {
    Event::Scan(ScanListing::parse(line.as_bytes(), FieldRule::RFC1939).unwrap())
}

fn unique_id(line: &str) -> Event<'_> {
    Event::UniqueId(UniqueIdListing::parse(line.as_bytes(), FieldRule::RFC1939).unwrap())
}

/// The summary at the end of a listing.
fn end() -> Event<'static> {
    let mut client = Client::in_transaction(config());
    client.ask(&Command::List(None), b"+OK\r\n.\r\n");
    Event::End(client.ends[0])
}

proptest! {
    #[test]
    fn agrees_with_a_map_in_any_order(
        scans in vec((1..40_u32, 0..u64::MAX), 0..60),
        unique_ids in vec((1..40_u32, "[!-~]{1,70}"), 0..60),
        uidl_first in any::<bool>(),
        ends_between in any::<bool>(),
    ) {
        let mut index = MaildropIndex::new();
        let mut map = BTreeMap::<u32, (Option<u64>, Option<&str>)>::new();
        for is_uidl in [uidl_first, !uidl_first] {
            if is_uidl {
                for (number, id) in &unique_ids {
                    index.handle(&unique_id(&format!("{number} {id}")));
                    map.entry(*number).or_default().1 = Some(id);
                }
            } else {
                for (number, octets) in &scans {
                    index.handle(&scan(&format!("{number} {octets}")));
                    map.entry(*number).or_default().0 = Some(*octets);
                }
            }
            if ends_between {
                index.handle(&end());
            }
        }
        index.handle(&end());
        let show = |message: IndexedMessage<'_>| {
            let id = message.unique_id.map(|id| id.as_str().to_owned());
            (message.number.get(), (message.octets, id))
        };
        let found: Vec<_> = index.iter().map(show).collect();
        let expected: Vec<_> = map
            .iter()
            .map(|(number, (octets, id))| (*number, (*octets, id.map(str::to_owned))))
            .collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!((index.len(), index.is_empty()), (map.len(), map.is_empty()));
        for at in 1..45 {
            let found = index.get(number(at)).map(show).map(|(_, message)| message);
            let expected = map.get(&at).map(|(octets, id)| (*octets, id.map(str::to_owned)));
            prop_assert_eq!(found, expected);
        }
    }
}

/// mail-api#26: fifteen million messages must fit.
#[test]
fn uses_at_most_64_octets_per_message() {
    const MESSAGES: u32 = 200_000;
    let listing = |field: fn(u32) -> String| {
        let lines = (1..=MESSAGES).map(|number| format!("{number} {}\r\n", field(number)));
        ["+OK\r\n".to_owned(), lines.collect(), ".\r\n".to_owned()].concat()
    };
    let list = listing(|number| (number * 7).to_string());
    let uidl = listing(|number| format!("{number:020}"));
    let mut client = Client::in_transaction(config());
    let mut index = MaildropIndex::new();
    let used = measure(|| {
        for (command, answer) in [(Command::List(None), &list), (Command::Uidl(None), &uidl)] {
            client.send(&command).unwrap();
            for read in answer.as_bytes().chunks(1 << 16) {
                let mut rest = read;
                while !rest.is_empty() {
                    let step = client.session.handle_input(client.now, rest).unwrap();
                    rest = &rest[step.consumed..];
                    step.event.iter().for_each(|event| index.handle(event));
                }
            }
        }
    });
    assert_eq!(index.len(), MESSAGES as usize);
    let last = index.get(number(MESSAGES)).unwrap();
    assert_eq!(last.octets, Some(7 * u64::from(MESSAGES)));
    assert_eq!(last.unique_id.unwrap().as_str(), format!("{MESSAGES:020}"));
    let octets = used.bytes_current as f64 / f64::from(MESSAGES);
    assert!(octets <= 64.0, "{octets} octets a message");
}

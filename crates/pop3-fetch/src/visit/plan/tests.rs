use cpu_time::ThreadTime;
use pop3_proto::{ScanListing, UniqueId, UniqueIdListing, client::Event};
use proptest::prelude::*;

use super::*;

const WISHES: Wishes = Wishes {
    equal_unique_ids: EqualUniqueIds::Apart,
    afterwards: Afterwards::Delete,
    delete_imported: false,
    limit: usize::MAX,
    max_octets: u64::MAX,
    now: 1000,
};

fn maildrop(ids: &[String]) -> MaildropIndex {
    let mut maildrop = MaildropIndex::new();
    for (index, id) in ids.iter().enumerate() {
        let number = MessageNumber::from_index(index).unwrap();
        maildrop.handle(&Event::UniqueId(UniqueIdListing {
            number,
            unique_id: UniqueId::new(id.as_bytes()).unwrap(),
        }));
        maildrop.handle(&Event::Scan(ScanListing { number, octets: 10 }));
    }
    maildrop
}

/// Rows of messages of 10 octets, by unique-id.
fn records(rows: &[(&str, u32, State, i64)]) -> Records {
    let mut records = Records::default();
    for &(id, copy, state, changed) in rows {
        records.push(&Record {
            copy,
            changed,
            ..row(id, state)
        });
    }
    records
}

/// The row of a fetched message of 10 octets.
const fn row(id: &str, state: State) -> Record<'_> {
    Record {
        unique_id: id.as_bytes(),
        copy: 0,
        state,
        octets: Some(10),
        changed: 0,
        missing: false,
        origin: Origin::Fetched,
    }
}

fn made(maildrop: &MaildropIndex, records: &Records, wishes: &Wishes) -> Plan {
    Plan::new(maildrop, records, wishes, (&[], &BTreeSet::new()))
}

fn numbers(plan: &[Delete]) -> Vec<u32> {
    plan.iter().map(|delete| delete.number.get()).collect()
}

#[test]
fn fetches_a_copy_that_the_journal_lacks_and_deletes_none() {
    let drop = maildrop(&["a", "a", "a"].map(String::from));
    let held = records(&[("a", 0, State::Delivered, 0), ("a", 2, State::Delivered, 0)]);
    let plan = made(&drop, &held, &WISHES);
    let [Retrieve { number, copy: 1 }] = plan.retrieve[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(number.get(), 3);
    assert!(plan.delete.is_empty());
    let held = records(&[
        ("a", 0, State::Delivered, 0),
        ("a", 1, State::Delivered, 0),
        ("a", 2, State::Delivered, 0),
    ]);
    assert_eq!(numbers(&made(&drop, &held, &WISHES).delete), [1, 2, 3]);
}

#[test]
fn keeps_a_message_whose_size_has_changed() {
    let mut drop = maildrop(&["a", "b"].map(String::from));
    drop.handle(&Event::Scan(ScanListing {
        number: MessageNumber::FIRST,
        octets: 11,
    }));
    let held = records(&[("a", 0, State::Delivered, 0), ("b", 0, State::Delivered, 0)]);
    let plan = made(&drop, &held, &WISHES);
    assert_eq!((numbers(&plan.delete), plan.changed), (vec![2], 1));
    assert!(plan.retrieve.is_empty());
}

#[test]
fn counts_days_from_the_delivery() {
    let drop = maildrop(&["a", "b", "c"].map(String::from));
    let held = records(&[
        ("a", 0, State::Delivered, 899),
        ("b", 0, State::Delivered, 900),
        ("c", 0, State::Delivered, 901),
    ]);
    let wishes = Wishes {
        afterwards: Afterwards::DeleteAfter(100),
        ..WISHES
    };
    let plan = made(&drop, &held, &wishes);
    assert_eq!(numbers(&plan.delete), [1, 2]);
    assert!(!plan.delete_retrieved);
}

#[test]
fn keeps_the_row_of_a_message_that_disappeared_before_its_deletion_was_confirmed() {
    let held = records(&[
        ("a", 0, State::DeletionRequested, 0),
        ("b", 0, State::Delivered, 0),
    ]);
    let plan = made(&maildrop(&[]), &held, &WISHES);
    assert_eq!(plan.missing.len(), 2);
}

/// The server confirms deletions but does not delete.
#[test]
fn leaves_a_message_alone_that_is_listed_after_a_confirmed_deletion() {
    let held = records(&[("a", 0, State::Deleted, 0)]);
    for equal_unique_ids in [EqualUniqueIds::Apart, EqualUniqueIds::Interchangeable] {
        let wishes = Wishes {
            equal_unique_ids,
            ..WISHES
        };
        let plan = made(&maildrop(&[String::from("a")]), &held, &wishes);
        assert_eq!((plan.retrieve.len(), plan.delete.len()), (0, 0));
        assert_eq!(plan.undeleted, 1);
    }
}

#[test]
fn tries_messages_in_doubt_last_and_leaves_out_those_of_this_run() {
    let drop = maildrop(&["a", "a", "b", "c", "d"].map(String::from));
    let key = |id: &str, copy| Key {
        unique_id: id.as_bytes().to_vec(),
        copy,
    };
    let doubts = [key("d", 0), key("c", 1), key("a", 1)];
    let except = BTreeSet::from([key("b", 0), key("c", 1)]);
    let plan = Plan::new(&drop, &Records::default(), &WISHES, (&doubts, &except));
    let numbers = |plan: &[Retrieve]| Vec::from_iter(plan.iter().map(|wanted| wanted.number.get()));
    assert_eq!(numbers(&plan.retrieve), [1, 4]);
    assert_eq!(numbers(&plan.doubtful), [5, 2]);
}

#[test]
fn counts_what_it_leaves_on_the_server() {
    let drop = maildrop(&["a", "a", "a", "b", "b", "c", "d", "d"].map(String::from));
    let held = records(&[("a", 0, State::Delivered, 0), ("b", 0, State::Delivered, 0)]);
    let wishes = Wishes {
        equal_unique_ids: EqualUniqueIds::Interchangeable,
        max_octets: 9,
        ..WISHES
    };
    let plan = made(&drop, &held, &wishes);
    let counts = (plan.interchangeable, plan.held, plan.too_large);
    assert_eq!(counts, (4, 2, 2));
    let apart = Wishes {
        max_octets: 9,
        ..WISHES
    };
    let plan = made(&drop, &held, &apart);
    assert_eq!((plan.held, plan.too_large), (2, 6));
}

/// The message whose deletion was requested is gone, or its unique-id now is that
/// of another one.
#[test]
fn a_message_of_another_size_is_not_the_one_whose_deletion_was_requested() {
    let drop = maildrop(&[String::from("a")]);
    for (octets, retrieved, deleted) in [(10, 0, 1), (11, 1, 0)] {
        let mut held = Records::default();
        held.push(&Record {
            octets: Some(octets),
            missing: true,
            ..row("a", State::DeletionRequested)
        });
        let plan = made(&drop, &held, &WISHES);
        assert_eq!(
            (plan.retrieve.len(), plan.delete.len()),
            (retrieved, deleted)
        );
        assert_eq!(plan.found_again.len(), deleted);
    }
    let held = records(&[
        ("a", 0, State::Delivered, 0),
        ("a", 1, State::DeletionRequested, 0),
    ]);
    assert_eq!(made(&drop, &held, &WISHES).missing[0].copy, 1);
}

/// Unique-ids are all equal or all different, and in the journal. No message is
/// compared with all others.
#[test]
fn plans_in_nearly_linear_time() {
    let time_of = |count: usize, same: bool| {
        let ids: Vec<String> = (0..count)
            .map(|index| format!("{:08x}", if same { 0 } else { index }))
            .collect();
        let mut held = Records::default();
        for (index, id) in ids.iter().enumerate() {
            let copy = if same { index as u32 } else { 0 };
            held.push(&Record {
                copy,
                ..row(id, State::Delivered)
            });
        }
        let maildrop = maildrop(&ids);
        // Of this thread alone, so that other work on the machine does not count.
        let begin = ThreadTime::now();
        assert_eq!(made(&maildrop, &held, &WISHES).delete.len(), count);
        begin.elapsed()
    };
    for same in [false, true] {
        let few = time_of(5_000, same).max(time_of(5_000, same));
        // Quadratic time would be 400 times as long.
        assert!(time_of(100_000, same) < 100 * few, "equal: {same}");
    }
}

proptest! {
    /// Compares the plan with a model that handles each unique-id separately: it
    /// fetches as many messages as the journal lacks, each message is either
    /// fetched or deleted at most once, and no two messages become one row.
    #[test]
    fn plans_like_a_model_of_single_unique_ids(
        ids in prop::collection::vec("[ab]{1,3}", 0..20),
        held in prop::collection::btree_set(("[ab]{1,3}", 0..3_u32), 0..20),
        gone in any::<u64>(),
        limit in 0..30_usize,
    ) {
        let mut rows = Records::default();
        let mut holds = Vec::new();
        for (index, (id, copy)) in held.iter().enumerate() {
            let state = if gone >> index & 1 == 1 { State::Deleted } else { State::Delivered };
            if state == State::Delivered {
                holds.push((id.clone(), *copy));
            }
            // Deleted rows get another size, so that a message that comes back is
            // new.
            let octets = if state == State::Deleted { 11 } else { 10 };
            rows.push(&Record {
                copy: *copy,
                octets: Some(octets),
                ..row(id, state)
            });
        }
        let drop = maildrop(&ids);
        let plan = made(&drop, &rows, &Wishes { limit, ..WISHES });
        let new: usize = ids.iter().collect::<BTreeSet<_>>().into_iter().map(|id| {
            let there = ids.iter().filter(|other| *other == id).count();
            there.saturating_sub(holds.iter().filter(|(other, _)| other == id).count())
        }).sum();
        prop_assert_eq!(plan.retrieve.len(), new.min(limit));
        prop_assert_eq!(plan.over_limit, new.saturating_sub(limit));
        let mut touched: Vec<_> = plan.retrieve.iter().map(|retrieve| retrieve.number).collect();
        touched.extend(plan.delete.iter().map(|delete| delete.number));
        touched.sort();
        prop_assert!(touched.windows(2).all(|pair| pair[0] < pair[1]));
        for Retrieve { number, copy } in &plan.retrieve {
            let id = String::from_utf8(unique_id(&drop, *number).to_vec()).unwrap();
            let key = (id, *copy);
            prop_assert!(!holds.contains(&key));
            holds.push(key);
        }
    }
}

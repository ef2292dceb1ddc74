use pop3_proto::{ScanListing, UniqueId, UniqueIdListing, client::Event};
use proptest::prelude::*;

use super::*;

const WISHES: Wishes = Wishes {
    equal_unique_ids: EqualUniqueIds::Apart,
    afterwards: Afterwards::Delete,
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

/// Rows of 10 octets, by id.
fn records(rows: &[(&str, u32, State, i64)]) -> Records {
    let mut records = Records::default();
    for &(id, copy, state, changed) in rows {
        records.push(id.as_bytes(), copy, state, 10, changed, false);
    }
    records
}

fn made(maildrop: &MaildropIndex, records: &Records, wishes: &Wishes) -> Plan {
    Plan::new(maildrop, records, wishes, (&[], &BTreeSet::new()))
}

fn numbers(plan: &[Delete]) -> Vec<u32> {
    plan.iter().map(|delete| delete.number.get()).collect()
}

#[test]
fn a_copy_more_than_the_journal_holds_is_fetched_and_none_is_deleted() {
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
fn another_size_keeps_a_message_from_being_deleted() {
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
fn days_are_counted_from_the_delivery() {
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
fn a_message_that_is_gone_before_its_deletion_was_confirmed_may_come_back() {
    let held = records(&[
        ("a", 0, State::DeletionRequested, 0),
        ("b", 0, State::Delivered, 0),
    ]);
    let plan = made(&maildrop(&[]), &held, &WISHES);
    assert_eq!(plan.missing.len(), 2);
}

/// A server that confirms deletions and does not delete.
#[test]
fn a_message_of_the_same_size_after_a_confirmed_deletion_is_left_alone() {
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

/// Equal ids, all held: no message is compared with all others.
#[test]
fn a_hundred_thousand_take_no_time_worth_noting() {
    for same in [false, true] {
        let ids: Vec<String> = (0..100_000)
            .map(|index| format!("{:08x}", if same { 0 } else { index }))
            .collect();
        let mut held = Records::default();
        for (index, id) in ids.iter().enumerate() {
            let copy = if same { index as u32 } else { 0 };
            held.push(id.as_bytes(), copy, State::Delivered, 10, 0, false);
        }
        let begin = std::time::Instant::now();
        let plan = made(&maildrop(&ids), &held, &WISHES);
        assert_eq!(plan.delete.len(), 100_000);
        // Some 10 ms; quadratic would be many seconds.
        assert!(begin.elapsed().as_secs() < 3);
    }
}

proptest! {
    /// Against a model that looks at each id for itself: as many are fetched as
    /// there are more than held, each message is at most fetched or deleted, and
    /// no two become one row.
    #[test]
    fn each_unique_id_by_itself(
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
            // Deleted ones of another size: what comes back with it is new.
            let octets = if state == State::Deleted { 11 } else { 10 };
            rows.push(id.as_bytes(), *copy, state, octets, 0, false);
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

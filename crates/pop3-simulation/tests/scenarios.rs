//! Scenarios of a few faults: all single faults, and random ones.

#![cfg(unix)]

use arbitrary::{Arbitrary as _, Unstructured};
use pop3_simulation::{
    Counting, Fault, Medium, Mishap, MishapKind, Rules, Scenario, Sound, check, known_bugs,
};
use proptest::{collection::vec, prelude::*};

const COUNTINGS: [Counting; 9] = [
    Counting::Exact,
    Counting::Lf,
    Counting::Stuffed,
    Counting::Terminated,
    Counting::WithoutLastCrlf,
    Counting::RoundedDown,
    Counting::RoundedUp,
    Counting::Zero,
    Counting::FirstMissing,
];

/// Each fault alone, with each way to count, and with and without pipelining and
/// deletion.
fn single() -> impl Iterator<Item = Scenario> {
    let mut faults = Scenario::single_faults(3);
    let closed = |octets: u8| Fault::Closed {
        session: 0,
        octets: octets.saturating_mul(4),
    };
    faults.extend((0..64_u8).map(closed));
    let mut first = 0;
    faults.into_iter().flat_map(move |fault| {
        let mut scenarios = Vec::new();
        for counting in COUNTINGS {
            for flags in 0..8_u8 {
                // The step is coprime to the number of flags, so each first message
                // meets each flag.
                first = (first + 3) % 8;
                scenarios.push(Scenario {
                    first: (first + flags) % 8,
                    counting,
                    outlook: flags & 4 == 0,
                    faults: vec![fault],
                    ..Scenario::sound(3, flags & 1 == 0, flags & 2 == 0)
                });
            }
        }
        scenarios.retain(Scenario::can_be_seen);
        scenarios
    })
}

#[test]
fn loses_nothing_to_any_single_fault() {
    for scenario in single() {
        check(&Sound, &scenario);
    }
}

/// Each kind of mishap at every fifth instant of the first run, with or without a
/// loss of power in the next run, and another before the third; with each medium,
/// destination and setting. The destinations are a Maildir and an mbox, then two
/// Maildirs with a rule that stays or changes.
fn mishaps() -> impl Iterator<Item = Scenario> {
    // To open two Maildirs takes more instants.
    (1..250)
        .step_by(5)
        .flat_map(|at| mishaps_at(at, false).chain(mishaps_at(at + at / 2, true)))
}

/// The mishaps at an instant of the first run, for clients with or without rules.
fn mishaps_at(at: u16, sorts: bool) -> impl Iterator<Item = Scenario> {
    let mediums = [Medium::Journaled, Medium::Posix, Medium::Layered];
    let kinds = [
        MishapKind::Kill,
        MishapKind::FullDisk,
        MishapKind::OneError,
        MishapKind::Errors,
        MishapKind::SyncError,
        MishapKind::PowerLoss { chance: 0 },
        MishapKind::PowerLoss { chance: 1 },
        MishapKind::PowerLoss { chance: 2 + 4 * at },
    ];
    let settings = (0..48_u8).flat_map(move |settings| kinds.map(|kind| (settings, kind)));
    settings.map(move |(settings, kind)| {
        let (mbox, rules) = match (sorts, settings & 2 != 0) {
            (false, mbox) => (mbox, Rules::None),
            (true, false) => (false, Rules::Same),
            (true, true) => (false, Rules::Change),
        };
        Scenario {
            mbox,
            rules,
            is_shared: settings & 4 != 0,
            mail_arrives: at.is_multiple_of(2),
            medium: mediums[usize::from(settings / 16)],
            mishaps: {
                let loss = |run, at, chance| Mishap {
                    run,
                    at,
                    kind: MishapKind::PowerLoss { chance },
                };
                let first = Mishap { run: 0, at, kind };
                match settings & 8 {
                    0 => vec![first, loss(1, 10 + at % 60, at), loss(2, 1, 0)],
                    _ => vec![first, loss(2, 1, 0)],
                }
            },
            ..Scenario::sound(2 + 3 * (settings & 1), true, settings & 1 == 0)
        }
    })
}

#[test]
fn loses_nothing_to_any_mishap() {
    for scenario in mishaps() {
        check(&Sound, &scenario);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn loses_nothing_to_drawn_faults(input in vec(any::<u8>(), 5..14)) {
        let scenario = Scenario::arbitrary(&mut Unstructured::new(&input));
        check(&Sound, &scenario.expect("a scenario"));
    }
}

#[test]
fn loses_nothing_to_any_two_faults() {
    let faults = Scenario::single_faults(3);
    let both = |first: usize, second: usize| vec![faults[first], faults[second]];
    let all = (0..faults.len()).flat_map(|first| (0..first).map(move |second| (first, second)));
    for (index, (first, second)) in all.enumerate() {
        for flags in 0..4_u8 {
            let scenario = Scenario {
                first: ((index + usize::from(flags)) % 8) as u8,
                counting: COUNTINGS[index % COUNTINGS.len()],
                renumbers: index % 2 == 0,
                without_unique_id: index % 3 != 0,
                faults: both(first, second),
                ..Scenario::sound(3, flags & 1 == 0, flags & 2 == 0)
            };
            if scenario.can_be_seen() {
                check(&Sound, &scenario);
            }
        }
    }
}

/// The message is discarded together with a misfit of the same window, and fetched
/// again.
#[test]
fn stores_a_message_without_a_unique_id_once_though_it_is_retrieved_twice() {
    let scenario = Scenario {
        without_unique_id: true,
        faults: vec![
            Fault::UidlOmits { number: 4 },
            Fault::UidlOmits { number: 5 },
            Fault::Shortened {
                number: 3,
                once: true,
            },
        ],
        ..Scenario::sound(5, true, false)
    };
    check(&Sound, &scenario);
}

/// If no scenario distinguishes a bug from a sound fetch, no test protects against
/// it.
#[test]
fn finds_every_known_bug() {
    std::panic::set_hook(Box::new(|_| {}));
    let survives = |bug: &&known_bugs::KnownBug| {
        let is_found = |scenario: Scenario| {
            let found = std::panic::AssertUnwindSafe(|| check(*bug, &scenario));
            std::panic::catch_unwind(found).is_err()
        };
        match bug.needs_a_mishap() {
            true => !mishaps().any(is_found),
            false => !single().any(is_found),
        }
    };
    let survivors: Vec<_> = known_bugs::ALL
        .iter()
        .filter(survives)
        .map(|bug| bug.name)
        .collect();
    drop(std::panic::take_hook());
    assert_eq!(survivors, [""; 0]);
}

#[test]
fn a_message_that_cannot_be_fetched_without_a_unique_id_blocks_no_other() {
    let scenario = Scenario {
        first: 1,
        without_unique_id: true,
        mail_arrives: true,
        faults: vec![Fault::FirstDot, Fault::UidlOmits { number: 1 }],
        ..Scenario::sound(4, true, true)
    };
    check(&Sound, &scenario);
}

/// Power is lost after the first octets of an append; the message before it, of an
/// earlier run, is intact.
#[test]
fn a_torn_append_to_an_mbox_spoils_no_earlier_message() {
    for chance in 0..2000 {
        let scenario = Scenario {
            mail_arrives: true,
            mbox: true,
            medium: Medium::Layered,
            mishaps: vec![Mishap {
                run: 2,
                at: 68,
                kind: MishapKind::PowerLoss { chance },
            }],
            ..Scenario::sound(2, false, true)
        };
        check(&Sound, &scenario);
    }
}

/// The second reply to RETR 3 arrives when RETR 4 was sent, which gets none.
#[test]
fn takes_no_reply_too_many_for_one_too_few() {
    for counting in COUNTINGS {
        for read in 0..40 {
            let scenario = Scenario {
                first: 7,
                counting,
                read,
                faults: vec![
                    Fault::TwoAnswers {
                        number: 3,
                        once: true,
                    },
                    Fault::NoAnswer {
                        number: 4,
                        once: false,
                    },
                    Fault::Closed {
                        session: 1,
                        octets: 0,
                    },
                ],
                ..Scenario::sound(4, false, true)
            };
            check(&Sound, &scenario);
        }
    }
}

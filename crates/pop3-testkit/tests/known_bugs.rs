//! The corpus alone and the property tests alone catch every known bug. The traces
//! alone and exploration alone catch every faulty session.

use std::{
    collections::HashSet,
    panic::{self, AssertUnwindSafe},
};

use dot_stuffing_testkit::generate::fuzz_cases;
use pop3_testkit::{
    corpus, explore, generate,
    known_bugs::{self, KnownBug, Role},
    trace,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};

fn catches(bug: &KnownBug, input: &[u8]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| bug.check(input))).is_err()
}

/// Returns the known bugs that no input for their target distinguishes from sound
/// software.
fn survivors(inputs: impl Fn(&str) -> Vec<Vec<u8>>) -> Vec<&'static str> {
    panic::set_hook(Box::new(|_| {}));
    let survives = |bug: &&KnownBug| {
        let inputs = inputs(bug.target());
        !inputs.iter().any(|input| catches(bug, input))
    };
    let survivors = known_bugs::all()
        .iter()
        .filter(survives)
        .map(|bug| bug.name)
        .collect();
    drop(panic::take_hook());
    survivors
}

#[test]
fn the_corpus_alone_catches_every_known_bug() {
    let inputs = |target: &str| {
        let inputs = corpus::inputs(target);
        inputs.into_iter().map(|(_, input)| input).collect()
    };
    assert_eq!(survivors(inputs), [""; 0]);
}

#[test]
fn the_traces_alone_catch_every_known_bug_of_a_session() {
    let traces = trace::all().expect("traces");
    for bug in known_bugs::all() {
        let Some((clients, servers)) = bug.sides() else {
            continue;
        };
        let caught = traces
            .iter()
            .any(|(_, trace)| trace.replay(clients, servers).is_err());
        assert!(caught, "{}", bug.name);
    }
}

/// Known bugs that only values of some length or size reveal, not the order of
/// events; the alphabets have few such values.
const OF_VALUES: [&str; 4] = [
    "cuts-unique-ids-in-a-listing",
    "numbers-in-a-listing-wrap",
    "a-malformed-line-stays-in-front-of-the-queue",
    "a-long-command-is-two",
];

#[test]
fn exploration_alone_catches_every_known_bug_of_the_order_of_events() {
    panic::set_hook(Box::new(|_| {}));
    let survives = |bug: &&KnownBug| {
        let explored = panic::catch_unwind(AssertUnwindSafe(|| match bug.role {
            Role::Client(clients) => explore::client_sessions(clients, 3),
            Role::Server(servers) => explore::server_sessions(servers, 4),
            _ => panic!("no session"),
        }));
        explored.is_ok()
    };
    let sessions = known_bugs::all().iter();
    let sessions = sessions.filter(|bug| bug.sides().is_some() && !OF_VALUES.contains(&bug.name));
    let survivors = sessions.filter(survives);
    let survivors: Vec<_> = survivors.map(|bug| bug.name).collect();
    drop(panic::take_hook());
    assert_eq!(survivors, [""; 0]);
}

/// Draws the default number of cases of a property test, the same ones in every
/// run.
fn cases(strategy: impl Strategy<Value = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let case = |_| strategy.new_tree(&mut runner).expect("no filter").current();
    (0..Config::default().cases).map(case).collect()
}

#[test]
fn the_properties_alone_catch_every_known_bug() {
    let inputs = |target: &str| match target {
        "command" => cases(generate::command_lines()),
        "reply" => cases(generate::reply_lines()),
        "response" => cases(generate::responses()),
        "client_session" => cases(generate::client_sessions()),
        "server_session" => cases(generate::server_sessions()),
        _ => fuzz_cases(500).collect(),
    };
    assert_eq!(survivors(inputs), [""; 0]);
}

#[test]
fn there_are_enough_known_bugs_and_each_has_a_name_and_a_source() {
    let names: HashSet<_> = known_bugs::all().iter().map(|bug| bug.name).collect();
    assert_eq!(names.len(), known_bugs::all().len(), "names are unique");
    assert!(names.len() >= 16);
    assert!(known_bugs::all().iter().all(|bug| !bug.source.is_empty()));
}

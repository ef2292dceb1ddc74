//! Every mutant is caught: by the corpus alone, and by the property tests
//! alone at their default number of cases.

use std::{
    collections::HashSet,
    panic::{self, AssertUnwindSafe},
};

use pop3_testkit::{
    corpus, explore, generate,
    mutants::{self, Mutant, Role},
    trace,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};

fn catches(mutant: &Mutant, input: &[u8]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| mutant.check(input))).is_err()
}

/// The mutants that none of the inputs for their target tells from sound
/// software.
fn survivors(inputs: impl Fn(&str) -> Vec<Vec<u8>>) -> Vec<&'static str> {
    panic::set_hook(Box::new(|_| {}));
    let survives = |mutant: &&Mutant| {
        let inputs = inputs(mutant.target());
        !inputs.iter().any(|input| catches(mutant, input))
    };
    let survivors = mutants::all()
        .iter()
        .filter(survives)
        .map(|mutant| mutant.name)
        .collect();
    drop(panic::take_hook());
    survivors
}

#[test]
fn the_corpus_alone_catches_every_mutant() {
    let inputs = |target: &str| {
        let inputs = corpus::inputs(target);
        inputs.into_iter().map(|(_, input)| input).collect()
    };
    assert_eq!(survivors(inputs), [""; 0]);
}

#[test]
fn the_traces_alone_catch_every_mutant_of_a_session() {
    let traces = trace::all().expect("traces");
    for mutant in mutants::all() {
        let Some((clients, servers)) = mutant.sides() else {
            continue;
        };
        let caught = traces
            .iter()
            .any(|(_, trace)| trace.replay(clients, servers).is_err());
        assert!(caught, "{}", mutant.name);
    }
}

/// Faults that only values of some length or size show, not the order of
/// events; the alphabets have few of those.
const OF_VALUES: [&str; 4] = [
    "cuts-unique-ids-in-a-listing",
    "numbers-in-a-listing-wrap",
    "a-malformed-line-stays-in-front-of-the-queue",
    "a-long-command-is-two",
];

#[test]
fn exploration_alone_catches_every_mutant_of_the_order_of_events() {
    panic::set_hook(Box::new(|_| {}));
    let survives = |mutant: &&Mutant| {
        let explored = panic::catch_unwind(AssertUnwindSafe(|| match mutant.role {
            Role::Client(clients) => explore::client_sessions(clients, 3),
            Role::Server(servers) => explore::server_sessions(servers, 4),
            _ => panic!("no session"),
        }));
        explored.is_ok()
    };
    let sessions = mutants::all().iter();
    let sessions =
        sessions.filter(|mutant| mutant.sides().is_some() && !OF_VALUES.contains(&mutant.name));
    let survivors = sessions.filter(survives);
    let survivors: Vec<_> = survivors.map(|mutant| mutant.name).collect();
    drop(panic::take_hook());
    assert_eq!(survivors, [""; 0]);
}

/// As many cases as a property test has by default, the same on every run.
fn cases(strategy: impl Strategy<Value = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let case = |_| strategy.new_tree(&mut runner).expect("no filter").current();
    (0..Config::default().cases).map(case).collect()
}

#[test]
fn the_properties_alone_catch_every_mutant() {
    let inputs = |target: &str| match target {
        "command" => cases(generate::command_lines()),
        "reply" => cases(generate::reply_lines()),
        "response" => cases(generate::responses()),
        "client_session" => cases(generate::client_sessions()),
        "server_session" => cases(generate::server_sessions()),
        _ => cases(generate::fuzz_input()),
    };
    assert_eq!(survivors(inputs), [""; 0]);
}

#[test]
fn there_are_enough_mutants_and_each_has_a_name_and_a_source() {
    let names: HashSet<_> = mutants::all().iter().map(|mutant| mutant.name).collect();
    assert_eq!(names.len(), mutants::all().len(), "names are unique");
    assert!(names.len() >= 16);
    assert!(
        mutants::all()
            .iter()
            .all(|mutant| !mutant.source.is_empty())
    );
}

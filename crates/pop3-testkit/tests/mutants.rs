//! Every mutant is caught: by the corpus alone, and by the property tests
//! alone at their default number of cases.

use std::{
    collections::HashSet,
    panic::{self, AssertUnwindSafe},
};

use pop3_testkit::{
    corpus,
    generate::{self, Octets},
    mutants::{self, Mutant},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};

fn catches(mutant: &Mutant, octets: &Octets) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| mutant.check(octets))).is_err()
}

/// The mutants that none of the inputs tells from sound software.
fn survivors(inputs: impl Fn(&Mutant) -> Vec<Octets>) -> Vec<&'static str> {
    panic::set_hook(Box::new(|_| {}));
    let survives = |mutant: &&Mutant| !inputs(mutant).iter().any(|octets| catches(mutant, octets));
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
    let survivors = survivors(|mutant| {
        let inputs = corpus::inputs(mutant.target());
        inputs
            .iter()
            .map(|(_, input)| Octets::expand(input))
            .collect()
    });
    assert_eq!(survivors, [""; 0]);
}

#[test]
fn the_properties_alone_catch_every_mutant() {
    // The same cases on every run, as many as a property test has by default.
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Octets> = (0..Config::default().cases)
        .map(|_| {
            generate::octets()
                .new_tree(&mut runner)
                .expect("no filter")
                .current()
        })
        .collect();
    assert_eq!(survivors(|_| cases.clone()), [""; 0]);
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

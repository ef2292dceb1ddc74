//! Every statement has a test, and `CONFORMANCE.md` says which.

use std::{collections::BTreeSet, fs, path::Path};

use pop3_conformance::{Id, statement, statements};

use crate::report::{Test, render, tests, tests_folder, tests_in};

fn ids_with_a_test() -> BTreeSet<Id> {
    tests().unwrap().into_iter().map(|test| test.id).collect()
}

#[test]
fn every_statement_has_a_test() {
    let with = ids_with_a_test();
    for id in statements().iter().map(|row| row.id()) {
        assert!(
            with.contains(&id),
            "{id} has no test: write one in tests/statements/"
        );
    }
}

#[test]
fn no_test_is_named_after_a_statement_that_is_none() {
    for id in ids_with_a_test() {
        assert!(statement(id).is_some(), "the document has no {id}");
    }
}

#[test]
fn every_file_beside_this_one_is_compiled() {
    let main = include_str!("main.rs");
    for entry in fs::read_dir(tests_folder()).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_declared = main.lines().any(|line| line == format!("mod {module};"));
        assert!(
            module == "main" || is_declared,
            "main.rs lacks `mod {module};`"
        );
    }
}

#[test]
fn a_test_is_a_function_that_runs_always() {
    // The mark keeps this file from being found to hold such tests.
    let source = "
        @
        fn c0001_a() {}
        /// More.
        @
        #[should_panic]
        fn v0002_b() {}
        @
        #[ignore = \"slow\"]
        fn c0003_left_out() {}
        #[cfg(unix)]
        @
        fn c0004_left_out_too() {}
        fn c0005_no_test() {}
        // @
        fn c0006_commented_out() {}
        @
        fn c07_no_id() {}
        @
        fn c0008() {}
    "
    .replace('@', "#[test]");
    let found = tests_in("x.rs", &source);
    let test = |id, name: &str| Test {
        id,
        name: name.to_owned(),
        file: "x.rs".to_owned(),
    };
    assert_eq!(
        found,
        [test(Id::C(1), "c0001_a"), test(Id::V(2), "v0002_b")]
    );
}

#[test]
fn conformance_md_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CONFORMANCE.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == render(&tests().unwrap()),
        "CONFORMANCE.md is out of date: run \
         cargo run -p pop3-conformance --example conformance > CONFORMANCE.md"
    );
}

//! `rows.md` names the tests for each bug of other software. Everything that it
//! names exists.

use std::fs;

use pop3_testkit::{corpus, known_bugs, trace};

/// Returns the number of each bug, and what covers it: the kind and the names.
fn rows() -> Vec<(u32, Vec<Vec<&'static str>>)> {
    let rows = include_str!("rows.md").lines().filter_map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let number = cells[0].strip_prefix("| ")?.parse().ok()?;
        let covered = cells[2].trim_end_matches(" |").split(", ");
        let words = |covered: &'static str| {
            let words = covered.split(' ');
            words.map(|word| word.trim_matches('`')).collect()
        };
        Some((number, covered.map(words).collect()))
    });
    rows.collect()
}

#[test]
fn each_row_names_existing_tests() {
    let traces = trace::all().expect("traces");
    for (row, covered) in rows() {
        assert!(!covered.is_empty(), "{row}");
        for covered in covered {
            let exists = match covered[..] {
                ["trace", name] => traces.iter().any(|(trace, _)| trace == name),
                ["known", "bug", name] => known_bugs::all().iter().any(|bug| bug.name == name),
                ["test", file, function] => is_test(file, function),
                _ => false,
            };
            assert!(exists, "row {row}: there is no {covered:?}");
        }
    }
}

/// Whether a file under `crates` has a test of that name.
fn is_test(file: &str, function: &str) -> bool {
    let path = corpus::root().join("../crates").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.contains(&format!("#[test]\nfn {function}("))
}

#[test]
fn every_bug_except_that_of_the_encoder_has_a_row() {
    let rows: Vec<u32> = rows().into_iter().map(|(row, _)| row).collect();
    let expected: Vec<u32> = (1..=40).filter(|row| *row != 14).collect();
    assert_eq!(rows, expected);
}

/// A trace whose name starts with a number belongs to that row.
#[test]
fn every_numbered_trace_is_in_its_row() {
    let rows = rows();
    for (name, _) in trace::all().expect("traces") {
        let number = name.split('-').next().unwrap_or_default();
        // A number from 100 on, as in `100-…`, is not that of a row.
        let Some(number) = number.parse::<u32>().ok().filter(|&number| number < 100) else {
            continue;
        };
        let named = rows.iter().filter(|(row, _)| *row == number);
        let mut covered = named.flat_map(|(_, covered)| covered);
        let is_named = covered.any(|covered| covered[..] == ["trace", &name[..]]);
        assert!(is_named, "{name} is not in row {number}");
    }
}

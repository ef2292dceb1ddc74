//! The scenarios and recipes are all there, can be read, and cover what they
//! are to cover.

use std::{collections::BTreeSet, fs, path::Path};

use pop3_conformance::{
    audit::{Cover, Scenario, client_statements, cover, scenario_files, scenarios},
    statement,
};

fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let tables = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    tables
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_file_is_in_the_table_and_is_a_scenario() {
    let table: BTreeSet<String> = scenario_files()
        .iter()
        .map(|file| file.0.to_owned())
        .collect();
    assert_eq!(names("scenarios"), table);
    for (name, text) in scenario_files() {
        if let Err(error) = Scenario::parse(name, text) {
            panic!("{error}");
        }
    }
    let families: BTreeSet<String> = (scenarios().iter())
        .map(|scenario| scenario.family().to_owned())
        .collect();
    assert_eq!(families, table);
}

#[cfg(unix)]
#[test]
fn every_file_is_in_the_table_and_is_a_recipe() {
    use pop3_conformance::audit::{Recipe, recipe_files, recipes};
    let table: BTreeSet<String> = recipe_files()
        .iter()
        .map(|file| file.0.to_owned())
        .collect();
    assert_eq!(names("recipes"), table);
    for (name, text) in recipe_files() {
        if let Err(error) = Recipe::parse(name, text) {
            panic!("{error}");
        }
    }
    assert_eq!(recipes().len(), table.len());
}

#[test]
fn every_statement_that_binds_clients_is_covered() {
    for id in client_statements() {
        match cover(id).unwrap() {
            Cover::Commands => {}
            Cover::Scenarios => {
                let shown = scenarios()
                    .iter()
                    .any(|scenario| scenario.shows().contains(&id));
                assert!(shown, "no scenario shows {id}: {}", statement(id).unwrap());
            }
            Cover::Unobservable(reason) => assert!(reason.len() > 20, "{id}"),
        }
    }
}

#[test]
fn what_is_no_scenario_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", "why"),
        ("why = 'a'\nwhen = 'b'", "unknown field `when`"),
        ("why = 'a'\nshows = ['C0999']", "`C0999` is no statement"),
        ("why = 'a'\n[[message]]\nwire = '.x'", "`stored`"),
        ("why = 'a'\n[[message]]\nwire = '\\q'", "no escape"),
        (
            "why = 'a'\nempty = true\n[[message]]",
            "`empty` and messages",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'STAT'\nsweep = 'close'",
            "`sweep` needs `send`",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'RETR 2'\nsweep = 'cut'",
            "no message 2",
        ),
        ("why = 'a'\nlengths = []", "a family of none"),
        (
            "why = 'a'\n[[message]]\nwire = '\\{500 a}'\n[[reply]]\nto = 'RETR 1'\nsweep = 'cut'",
            "more than",
        ),
        (
            "why = 'a'\n[[reply]]\nto = 'A'\nsend='aaa'\nsweep = 'cut'\n[[reply]]\nto = 'B'\nsend='a'\nsweep = 'cut'",
            "not more",
        ),
    ] {
        let error = Scenario::parse("test", text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(error.starts_with("scenario test: "), "{error}");
    }
}

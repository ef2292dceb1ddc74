//! Every statement has checks and faults on each side that it binds, and
//! `CONFORMANCE.md` says which.

use std::{collections::BTreeSet, env, fs, path::Path};

use pop3_conformance::{Party, Statement, statement, statements};

use crate::page::{Side, render};

fn binds(statement: &Statement, side: Side) -> bool {
    match statement.party() {
        Party::Both => true,
        Party::Client => side == Side::Client,
        Party::Server => side == Side::Server,
    }
}

#[test]
fn every_statement_has_checks_and_faults_on_each_side_that_it_binds() {
    for side in Side::ALL {
        let checked: BTreeSet<String> = side.checks().into_iter().map(|(id, ..)| id).collect();
        let broken: BTreeSet<&str> = side.faults().into_iter().map(|(id, ..)| id).collect();
        for row in statements().iter().filter(|row| binds(row, side)) {
            let id = row.id().to_string();
            assert!(checked.contains(&id), "{id} has no check on the {side}");
            assert!(broken.contains(&*id), "{id} has no fault on the {side}");
        }
        for id in broken {
            let row = id.parse().ok().and_then(statement);
            assert!(
                row.is_some_and(|row| binds(row, side)),
                "{id} does not bind the {side}"
            );
        }
    }
}

#[test]
fn every_check_is_of_a_statement_that_binds_its_side() {
    for side in Side::ALL {
        for (id, name, _) in side.checks() {
            let row = id.parse().ok().and_then(statement);
            assert!(row.is_some_and(|row| binds(row, side)), "{name}");
        }
    }
}

#[test]
fn conformance_md_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CONFORMANCE.md");
    if env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(&path, render()).unwrap();
    }
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == render(),
        "CONFORMANCE.md is out of date: run \
         UPDATE_CONFORMANCE=1 cargo test -p pop3-conformance --test statements conformance_md"
    );
}

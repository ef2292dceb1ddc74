//! Every statement has checks and faults on each side that it binds, and
//! `CONFORMANCE.md` says which.

use std::{collections::BTreeSet, env, fs, path::Path};

use pop3_conformance::statements;

use crate::{
    oxpop3,
    page::{Side, render},
};

/// The ids of all items that bind a side: statements, and requirements of
/// MS-OXPOP3.
fn binding(side: Side) -> BTreeSet<String> {
    let rows = statements().iter().filter(|row| side.is_bound(row.party()));
    let more = oxpop3::REQUIREMENTS
        .iter()
        .filter(|(_, _, sides, _)| sides.contains(&side));
    rows.map(|row| row.id().to_string())
        .chain(more.map(|(id, ..)| (*id).to_owned()))
        .collect()
}

#[test]
fn every_item_has_checks_and_faults_on_each_side_that_it_binds() {
    for side in Side::ALL {
        let checked: BTreeSet<String> = side.checks().into_iter().map(|(id, ..)| id).collect();
        let faults = side.faults().into_iter();
        let broken: BTreeSet<String> = faults.map(|(id, _)| id.to_owned()).collect();
        assert_eq!(checked, binding(side), "checks of the {side}");
        assert_eq!(broken, binding(side), "faults of the {side}");
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

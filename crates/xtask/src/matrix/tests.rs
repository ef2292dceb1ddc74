//! The committed pages name what there is, and pages hold nothing that a peer
//! could abuse.

use std::fs;

use pop3_conformance::{
    audit::{self, Cover},
    check::{self, Check},
};

use super::{
    Outcome, client, html, markdown, names, server,
    subject::{Kind, Row, Subject},
};
use crate::shell::root;

const STALE: &str = "the matrix is stale: run `cargo xtask matrix`";

/// The rows that the lab has.
fn rows(kind: Kind) -> Vec<String> {
    match kind {
        Kind::Server => check::checks().map(Check::id).map(str::to_owned).collect(),
        Kind::Client => {
            let families = audit::scenarios().iter().map(|scenario| scenario.family());
            let mut rows: Vec<_> = families.map(str::to_owned).collect();
            rows.dedup();
            let statements = audit::client_statements();
            let seen = statements.filter(|id| audit::cover(*id) == Some(Cover::Commands));
            rows.extend(seen.map(|id| id.to_string()));
            rows
        }
    }
}

fn committed(file: &str) -> String {
    fs::read_to_string(root().join("docs").join(file)).unwrap()
}

/// The parts of a text that stand between these two.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts
        .map(|part| part.split(after).next().unwrap())
        .collect()
}

/// Some of all that there are, in their order, ours among them; a release each.
fn assert_are_known(listed: &[&str], kind: Kind) {
    let mut listed = listed.to_vec();
    listed.dedup();
    let mut names = names(kind);
    assert_eq!(listed[0], names[0], "{STALE}");
    names.retain(|name| listed.contains(name));
    assert_eq!(listed, names, "{STALE}");
}

#[test]
fn the_markdown_page_names_what_there_is() {
    let page = committed("MATRIX.md");
    let sections = between(&page, "\n## ", "\n## ");
    for (kind, section) in [Kind::Server, Kind::Client].into_iter().zip(sections) {
        let (list, table) = section.split_once("\n| row |").expect(STALE);
        let first_cells = |table| between(table, "\n| ", " |");
        assert_are_known(&first_cells(list)[1..], kind);
        assert_eq!(first_cells(table), rows(kind), "{STALE}");
        let columns = table.lines().next().unwrap().trim_end_matches(" | |");
        for column in columns.split('|').map(str::trim) {
            assert!(names(kind).contains(&column), "{column}: {STALE}");
        }
    }
}

#[test]
fn the_html_page_names_what_there_is() {
    let page = committed("matrix.html");
    let sections = between(&page, "<h2>", "<h2>");
    for (kind, section) in [Kind::Server, Kind::Client].into_iter().zip(sections) {
        let (list, table) = section.split_once("<table class=\"matrix\">").expect(STALE);
        assert_are_known(&between(list, "<tr><td>", "<td>"), kind);
        assert_eq!(between(table, "data-row=\"", "\""), rows(kind), "{STALE}");
    }
}

#[test]
fn ours_fails_no_row() {
    let page = committed("MATRIX.md");
    for ours in [server::OURS, client::OURS] {
        assert!(page.contains(&format!("\n| {ours} | ")), "{STALE}");
        assert!(
            !page.contains(&format!("\n- {ours}: ")),
            "{ours} fails a row"
        );
    }
}

#[test]
fn a_page_holds_nothing_that_a_peer_could_abuse() {
    let hostile = "<script>a|b`c`[d](e)</script>";
    let row = |outcome| Row {
        id: "row".to_owned(),
        title: hostile.to_owned(),
        verdict: "fail".to_owned(),
        outcome,
        evidence: hostile.to_owned(),
        consequence: hostile.to_owned(),
    };
    let subject = |name: &str, found| Subject {
        kind: Kind::Server,
        name: name.to_owned(),
        release: "13".to_owned(),
        version: hostile.to_owned(),
        date: String::new(),
        found,
    };
    let subjects = [
        subject("one", Ok(vec![row(Outcome::Bad)])),
        subject("two", Ok(vec![row(Outcome::Noted)])),
        subject("three", Err(hostile.to_owned())),
    ];
    assert!(!html::page(&subjects).contains("<script"));
    let page = markdown::page(&subjects);
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("a|b"), "{page}");
}

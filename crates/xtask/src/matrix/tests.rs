//! The committed pages name only what exists, and agree with each other.

use std::fs;

use pop3_conformance::{
    audit::{self, Cover},
    check::{self, Check},
};

use super::{client, server, subject::Kind};
use crate::shell::root;

const STALE: &str = "the matrix is stale: run `cargo xtask matrix`";

/// The rows of `pop3 check` and `pop3 audit`.
fn rows(kind: Kind) -> Vec<String> {
    if kind == Kind::Server {
        return check::checks().map(Check::id).map(str::to_owned).collect();
    }
    let families = audit::scenarios().iter().map(|scenario| scenario.family());
    let mut rows: Vec<_> = families.map(str::to_owned).collect();
    rows.dedup();
    let statements = audit::client_statements();
    let seen = statements.filter(|id| audit::cover(*id) == Some(Cover::Commands));
    rows.extend(seen.map(|id| id.to_string()));
    rows
}

fn committed(file: &str) -> String {
    fs::read_to_string(root().join("docs").join(file)).expect(file)
}

/// The first cells of the rows of a table.
fn first_cells(table: &str) -> Vec<&str> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" |").next()).collect()
}

#[test]
fn the_matrix_names_only_what_exists() {
    let page = committed("MATRIX.md");
    let mut sections = page.split("\n## ").skip(1);
    for (kind, mut names) in [
        (Kind::Server, server::names()),
        (Kind::Client, client::names()),
    ] {
        let section = sections.next().expect(STALE);
        let (list, table) = section.split_once("\n| row | ").expect(STALE);
        // Some of the known subjects in their order, ours included, each with its release.
        let mut listed = first_cells(list).split_off(1);
        listed.dedup();
        assert_eq!(listed[0], names[0], "{STALE}");
        names.retain(|name| listed.contains(name));
        assert_eq!(listed, names, "{STALE}");
        assert_eq!(first_cells(table), rows(kind), "{STALE}");
        let columns = table.lines().next().unwrap_or_default();
        for column in columns.trim_end_matches(" | |").split(" | ") {
            assert!(names.contains(&column), "{column}: {STALE}");
        }
    }
}

/// The failures of the matrix: the row, and the line that describes it.
fn failures(page: &str) -> Vec<(&str, &str)> {
    let mut failures = Vec::new();
    let mut row = "";
    let (_, page) = page.split_once("\n## Where mail is lost").expect(STALE);
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix('`') {
            row = rest.split('`').next().unwrap_or_default();
        } else if let Some(found) = line.strip_prefix("- ") {
            failures.push((row, found));
        }
    }
    failures
}

/// Checks whose failure neither loses, forges nor leaks mail.
const HARMLESS: [&str; 8] = [
    "C0014",
    "C0019",
    "C0026",
    "C0036",
    "rfc1939-deleted-unlisted",
    "rfc1939-no-such-message",
    "rfc1939-reply-length",
    "rfc2449-pipelining",
];

/// How descriptions of client failures begin that leave all mail in place.
const HARMLESS_DEEDS: [&str; 5] = [
    "it did not end",
    "it did not store message",
    "it ended well without message",
    "it kept all of an endless line",
    "it stored a message again",
];

/// Whether a failure neither loses mail nor forges or leaks any.
fn is_harmless(row: &str, verdict: &str) -> bool {
    let (word, deeds) = verdict.split_once(": ").unwrap_or((verdict, ""));
    let is_harmless = |deed: &str| HARMLESS_DEEDS.iter().any(|begin| deed.starts_with(begin));
    ["silent", "broken"].contains(&word)
        || HARMLESS.contains(&row)
        || deeds.split("; ").all(is_harmless)
}

#[test]
fn every_failure_that_costs_mail_is_in_the_findings_and_ours_has_none() {
    let (matrix, findings) = (committed("MATRIX.md"), committed("FINDINGS.md"));
    let entries: Vec<_> = findings.split("\n- ").collect();
    let mut told = 0;
    for (row, found) in failures(&matrix) {
        let (whom, verdict) = found.split_once(": ").expect(STALE);
        assert!(!super::is_ours(whom), "{whom} fails {row}");
        if is_harmless(row, verdict) {
            continue;
        }
        let name = whom.split(" (").next().unwrap_or_default();
        let is_named = |entry: &&str| {
            let is_of = [": ", " ("]
                .iter()
                .any(|end| entry.starts_with(&format!("{name}{end}")));
            let entry = entry.split("\n\n").next().unwrap_or_default();
            is_of
                && entry
                    .split([' ', ':', ',', ')', '\n'])
                    .any(|word| word == row)
        };
        assert!(
            entries.iter().any(is_named),
            "docs/FINDINGS.md lacks {row}: {found}"
        );
        told += 1;
    }
    assert!(told > 10, "{told}");
}

#[test]
fn every_finding_comes_from_a_run() {
    let (matrix, findings) = (committed("MATRIX.md"), committed("FINDINGS.md"));
    let failures = failures(&matrix);
    let mut entries = 0;
    for line in findings.lines().filter_map(|line| line.strip_prefix("- ")) {
        let parts: Vec<_> = line.splitn(3, ": ").map(str::trim_end).collect();
        let [whom, row, verdict] = parts[..] else {
            panic!("not a finding: {line}");
        };
        let is_failure = failures.contains(&(row, &*format!("{whom}: {verdict}")));
        let is_noted = matrix.contains(&format!("\n| {row} | ")) && verdict.starts_with("warn");
        assert!(is_failure || is_noted, "docs/MATRIX.md lacks {line}");
        entries += 1;
    }
    assert!(entries > 10, "{entries}");
    for section in findings.split("\n## ").skip(1) {
        let is_whole = section.contains("\n- ") && section.contains("\nTo fix it: ");
        assert!(is_whole, "{section}");
    }
}

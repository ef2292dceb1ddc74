//! README.md and VERIFICATION.md count and name only what exists.

#![cfg(unix)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use pop3_conformance::check;
use pop3_simulation::known_bugs as faulty_fetches;
use pop3_testkit::{corpus, known_bugs};

fn root() -> PathBuf {
    corpus::root().join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the fuzz targets.
fn targets() -> Vec<String> {
    let files = fs::read_dir(root().join("fuzz/fuzz_targets")).expect("the fuzz targets");
    let name = |file: fs::DirEntry| {
        let path = file.path();
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    files
        .map(|file| name(file.expect("a fuzz target")))
        .collect()
}

#[test]
fn links_have_targets() {
    for page in ["README.md", "VERIFICATION.md", "docs/FUZZING.md"] {
        let text = read(page);
        let path = root().join(page);
        let directory = path.parent().expect("a directory");
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let mut paths = links.filter(|link| !link.starts_with("http")).peekable();
        assert!(paths.peek().is_some());
        for link in paths {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            assert!(directory.join(path).exists(), "{page} leads to {link}");
            if !heading.is_empty() {
                let target = fs::read_to_string(directory.join(path)).expect("a page");
                let mut headings = target.lines().filter_map(|line| line.strip_prefix("## "));
                let is_there =
                    headings.any(|title| title.to_lowercase().replace(' ', "-") == heading);
                assert!(is_there, "{page} leads to {link}");
            }
        }
    }
}

#[test]
fn fuzz_targets_are_named() {
    let (readme, manifest) = (read("README.md"), read("fuzz/Cargo.toml"));
    let verification = read("VERIFICATION.md");
    for name in targets() {
        assert!(
            readme.contains(&format!("`{name}`")),
            "README.md names {name}"
        );
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is built"
        );
        assert!(!corpus::inputs(&name).is_empty(), "{name} has seeds");
        assert!(
            verification.contains(&format!("\n| {name} ")),
            "VERIFICATION.md has figures of {name}"
        );
    }
}

#[test]
fn every_known_bug_was_hunted() {
    let codecs_and_sessions = known_bugs::all().iter().map(|bug| bug.name);
    let fetches = faulty_fetches::ALL.iter().map(|bug| bug.name);
    let all: BTreeSet<_> = codecs_and_sessions.chain(fetches).collect();
    let page = read("VERIFICATION.md");
    let (_, rest) = page.split_once("<!-- hunt -->").expect("a table");
    let (part, _) = rest.split_once("<!-- /hunt -->").expect("its end");
    let rows = part.lines().filter(|line| line.starts_with("| ")).skip(1);
    let slow: Vec<_> = rows.filter_map(|row| row.split(' ').nth(1)).collect();
    assert!(slow.iter().all(|name| all.contains(name)), "{slow:?}");
    let others = all.len() - slow.len();
    assert!(
        part.contains(&format!("The other {others} were found within a second.")),
        "`cargo xtask hunt`: {others} others"
    );
}

#[test]
fn numbers_are_right() {
    let readme = read("README.md");
    let bugs = known_bugs::all().len();
    for page in [&readme, &read("VERIFICATION.md")] {
        assert!(
            page.contains(&format!("{bugs} known bugs")),
            "{bugs} known bugs"
        );
    }
    let fetches = faulty_fetches::ALL.len();
    assert!(
        readme.contains(&format!("{fetches} faulty fetches")),
        "{fetches} faulty fetches"
    );
    let captures = read("corpus/captures/manifest.tsv").lines().count() - 1;
    assert!(
        readme.contains(&format!("[{captures} replies]")),
        "{captures} replies"
    );
    let matrix = read("docs/MATRIX.md");
    let (_, clients) = matrix.split_once("## Clients").expect("the clients");
    let row = clients.lines().find(|line| line.starts_with("| row "));
    // The row has a cell for ours, too, and one without a head.
    let clients = row.expect("a table").matches(" | ").count() - 2;
    assert!(
        readme.contains(&format!("{clients} other clients")),
        "{clients} other clients"
    );
    let rows = check::checks().count();
    assert!(readme.contains(&format!("{rows} rows")), "{rows} rows");
}

/// The table "Speed" repeats these rows of docs/BENCHMARKS.md, in this order.
const SPEEDS: [(&str, &str); 5] = [
    ("decode slices", "memchr limit"),
    ("decode slices", "memcpy"),
    ("decode slices", "smtp-proto"),
    ("decode into a Vec", "memcpy"),
    ("encode Canonicalize", "memchr by line"),
];

#[test]
fn speeds_are_the_measured_ones() {
    let (readme, page) = (read("README.md"), read("docs/BENCHMARKS.md"));
    let cells =
        |row: &str| -> Vec<String> { row.split('|').map(|cell| cell.trim().to_owned()).collect() };
    let (_, speed) = readme.split_once("## Speed").expect("its heading");
    let (speed, _) = speed.split_once("\n## ").expect("its end");
    let rows = speed.lines().filter(|line| line.starts_with("| "));
    let stated: Vec<_> = rows.skip(1).map(|row| cells(row)[2].clone()).collect();
    let ratios: Vec<_> = page.lines().map(cells).collect();
    let measured = SPEEDS.map(|(subject, against)| {
        let row = ratios.iter().find(|row| {
            row.get(1..5)
                .is_some_and(|words| words == ["base64", subject, "whole", against])
        });
        row.expect("a row of docs/BENCHMARKS.md")[6].clone()
    });
    assert_eq!(stated, measured);
}

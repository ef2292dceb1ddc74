//! What the README counts and names is there.

use std::{fs, path::PathBuf};

use pop3_conformance::check;
use pop3_testkit::{corpus, mutants};

fn root() -> PathBuf {
    corpus::root().join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn links_lead_somewhere() {
    let readme = read("README.md");
    let links = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let mut paths = links.filter(|link| !link.starts_with("http")).peekable();
    assert!(paths.peek().is_some());
    for path in paths {
        assert!(root().join(path).exists(), "README.md leads to {path}");
    }
}

#[test]
fn fuzz_targets_are_named() {
    let (readme, manifest) = (read("README.md"), read("fuzz/Cargo.toml"));
    let targets = fs::read_dir(root().join("fuzz/fuzz_targets")).expect("the fuzz targets");
    for target in targets {
        let path = target.expect("a fuzz target").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            readme.contains(&format!("`{name}`")),
            "README.md names {name}"
        );
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is built"
        );
        assert!(!corpus::inputs(&name).is_empty(), "{name} has seeds");
    }
}

#[test]
fn numbers_are_right() {
    let readme = read("README.md");
    let mutants = mutants::all().len();
    assert!(
        readme.contains(&format!("{mutants} mutants")),
        "{mutants} mutants"
    );
    let captures = read("corpus/captures/manifest.tsv").lines().count() - 1;
    assert!(
        readme.contains(&format!("[{captures} replies]")),
        "{captures} replies"
    );
    let rows = check::checks().count();
    assert!(readme.contains(&format!("{rows} rows")), "{rows} rows");
}

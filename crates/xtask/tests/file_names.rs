//! Every file has a name that Windows allows, or it cannot be cloned there.

use std::process::Command;

/// Devices, with any extension.
const RESERVED: [&str; 4] = ["aux", "con", "nul", "prn"];

fn is_allowed(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_lowercase();
    let is_numbered = ["com", "lpt"].iter().any(|device| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| number.len() == 1 && number.parse::<u8>().is_ok())
    });
    !(is_numbered
        || RESERVED.contains(&stem.as_str())
        || name.ends_with(['.', ' '])
        || name.contains(['<', '>', ':', '"', '\\', '|', '?', '*'])
        || name.contains(|char: char| char.is_control()))
}

#[test]
fn windows_allows_the_name_of_every_file() {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("git");
    let paths = String::from_utf8(listed.stdout).expect("UTF-8");
    assert!(paths.split('\0').count() > 100, "{paths}");
    let refused: Vec<&str> = paths
        .split('\0')
        .filter(|path| !path.split('/').all(is_allowed))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

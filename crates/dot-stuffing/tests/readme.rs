//! The README is made of the crate's documentation.

/// The rows of the table "Which part to use", without links.
fn parts(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    let section = lines.skip_while(|line| !line.ends_with("# Which part to use"));
    let rows = section.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut parts = row.split("](");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            plain.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
        }
        plain.replace(['[', ']'], "")
    })
    .collect()
}

#[test]
fn the_readme_has_the_table_of_the_documentation() {
    let documentation = parts(include_str!("../src/lib.rs"));
    assert!(documentation.len() > 5, "{documentation:?}");
    assert_eq!(parts(include_str!("../README.md")), documentation);
}

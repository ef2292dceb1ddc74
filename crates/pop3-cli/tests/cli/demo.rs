//! `pop3 demo`: its report matches the mail that it stored.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::pop3;

#[test]
fn reports_what_it_stored() {
    let scratch = TempDir::new().unwrap();
    let output = pop3(["demo"]).env("TMPDIR", scratch.path()).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{said}");
    let row = |what: &str| {
        let row = said.lines().find_map(|line| {
            let row = line.trim_start().strip_prefix(what)?;
            Some(row.trim_start().to_owned())
        });
        row.unwrap_or_else(|| panic!("no {what}: {said}"))
    };
    let number = |what: &str| {
        let digits = row(what);
        let end = digits.find(|char: char| !char.is_ascii_digit());
        let number: usize = digits[..end.unwrap_or(digits.len())].parse().unwrap();
        number
    };
    let maildir = row("mail  ");
    assert!(Path::new(&maildir).starts_with(scratch.path()), "{maildir}");
    let files = fs::read_dir(Path::new(&maildir).join("new")).unwrap();
    let messages: Vec<Vec<u8>> = files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(messages.len() > 20, "{said}");
    assert_eq!(number("messages"), messages.len());
    let octets: usize = messages.iter().map(Vec::len).sum();
    assert_eq!(number("octets"), octets);
    let lines = messages
        .iter()
        .flat_map(|message| message.split_inclusive(|octet| *octet == b'\n'));
    let dots = lines.filter(|line| line.starts_with(b".")).count();
    assert!(dots > 0);
    assert_eq!(number("stuffed dots"), dots);
    assert!(said.contains("127.0.0.1:") && !said.contains("127.0.0.1:0"));
}

//! `pop3 check` against other servers: the rows that they are known to fail.

use std::process::Command;

use pop3_peers::{PASSWORD, Server, USER};
use serde_json::Value;

/// Messages for every row, with the LF line ends that both servers store.
const MESSAGES: [&str; 4] = [
    ".first: a dot\nSubject: 1\n\none line\nand another\n",
    "Subject: 2\n\n.dot\n..two\n.\nand an end\n",
    "Subject: 3\n\none\ntwo\n",
    "Subject: 4\nX-Long: a header of some length, with words in it\n\n1\n2\n3\n",
];

/// The rows with this verdict, and the report.
fn check(server: &Server, verdicts: [&str; 2]) -> ([Vec<String>; 2], String) {
    let url = format!("pop3://{USER}@{}", server.address);
    let output = Command::new(env!("CARGO_BIN_EXE_pop3"))
        .args(["check", "--format", "json", "--destructive", &url])
        .args(["--insecure-plaintext", "--timeout", "60"])
        .env("POP3_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let rows = |verdict| {
        let rows = report["rows"].as_array().unwrap().iter();
        rows.filter(|row| row["verdict"] == verdict)
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    (verdicts.map(rows), format!("{stderr}{report:#}"))
}

/// Its stuffing does not treat the first octet as the start of a line (2.3.19).
#[test]
fn dovecot_does_not_stuff_the_first_octet() {
    if let Some(server) = pop3_peers::DOVECOT.start(MESSAGES, None).unwrap() {
        let ([fails, warns], report) = check(&server, ["fail", "warn"]);
        assert_eq!(fails, ["rfc1939-stuffing-first-octet"], "{report}");
        assert_eq!(warns, [""; 0], "{report}");
    }
}

#[test]
fn mpopd_counts_line_ends_as_one_octet() {
    if let Some(server) = pop3_peers::MPOPD.start(MESSAGES, None).unwrap() {
        let ([fails, warns], report) = check(&server, ["fail", "warn"]);
        assert_eq!(fails, ["C0021"], "{report}");
        assert_eq!(warns, [""; 0], "{report}");
    }
}

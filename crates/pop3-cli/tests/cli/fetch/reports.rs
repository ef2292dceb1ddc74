//! The report of `pop3 fetch` on a run: a line, lines of JSON, or nothing.

use std::{fs, process::Stdio};

use serde_json::Value;

use super::{Fetched, Home, maildir, messages};
use crate::{pop3, server::Server};

fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

/// The counts in this object that are not zero.
fn counted(line: &Value) -> Vec<(&str, u64)> {
    let fields = line.as_object().unwrap().iter();
    let count = |(name, value): (&'_ String, &Value)| Some((name.clone(), value.as_u64()?));
    let counts = fields.filter_map(count).filter(|(_, count)| *count > 0);
    counts.map(|(name, count)| (&*name.leak(), count)).collect()
}

#[test]
fn json_counts_what_was_done_and_what_was_left() {
    let mail = messages(5);
    let octets = |messages: &[super::Message]| {
        let octets: usize = messages.iter().map(|(_, message)| message.len()).sum();
        octets as u64
    };
    let largest = mail[3].1.len().to_string();
    let (home, server) = (Home::new("maildir"), Server::new(mail.clone()));
    let options = ["--json", "--delete", "--limit", "2", "--max-size", &largest];
    let run = home
        .fetch(&server, &[&options[..], &["--dry-run"]].concat())
        .ends(0);
    let plan = &lines(&run.stdout)[0];
    assert_eq!(plan["event"], "plan");
    assert_eq!(counted(plan), [("delete", 2), ("retrieve", 2)]);

    let run = home.fetch(&server, &options).ends(0);
    let told = lines(&run.stdout);
    let account = server.url.trim_start_matches("pop3://");
    assert!(
        told.iter().all(|line| line["account"] == account),
        "{run:?}"
    );
    let ids: Vec<&Value> = told[..2].iter().map(|line| &line["unique-id"]).collect();
    assert_eq!(ids, ["id/000", "id/001"]);
    let sizes = told[..2]
        .iter()
        .map(|line| line["octets"].as_u64().unwrap());
    assert!(sizes.clone().all(|size| size > 0));
    let summary = &told[2];
    assert_eq!(summary["event"], "summary");
    let delivered: u64 = sizes.sum();
    assert!(delivered <= octets(&mail[..2]));
    assert_eq!(
        counted(summary),
        [
            ("deleted", 2),
            ("delivered", 2),
            ("octets", summary["octets"].as_u64().unwrap()),
            ("over_limit", 2),
            ("too_large", 1),
        ]
    );
    // The first run fetches the rest; the second finds all three held.
    home.fetch(&server, &["--json", "--keep"]).ends(0);
    let run = home.fetch(&server, &["--json", "--keep"]).ends(0);
    assert_eq!(counted(&lines(&run.stdout)[0]), [("held", 3)]);
    let run = home.fetch(&server, &["--dry-run"]).ends(0);
    assert!(run.stdout.contains(" 3 fetched before"), "{run:?}");
    let run = home.fetch(&server, &["--dry-run", "--json"]).ends(0);
    assert_eq!(counted(&lines(&run.stdout)[0]), [("held", 3)]);
}

#[test]
fn a_dry_run_shows_the_headers_of_what_it_would_fetch() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(3)));
    home.fetch(&server, &["--limit", "1", "--keep"]).ends(0);
    // The server has no TOP.
    let run = home.fetch(&server, &["--dry-run", "--headers"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let warning = ": the server refuses TOP for 2 messages\n";
    assert!(run.stderr.ends_with(warning), "{run:?}");
    let top = "+OK\r\nFrom: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\n\
               Date: Sat, 1 Feb 2025 10:00:00 +0100\r\n\r\n.\r\n";
    server.state.lock().unwrap().answers = vec![("TOP", top.to_owned())];
    let run = home.fetch(&server, &["--dry-run", "--headers"]).ends(0);
    let (_, shown) = run.stdout.split_once('\n').unwrap();
    let fields = "2025-02-01T10:00:00+01:00  Zoë <zoe@example.org>  -";
    assert_eq!(shown, format!("       2 {fields}\n       3 {fields}\n"));
    let run = home.fetch(&server, &["--dry-run", "--headers", "--json"]);
    let told = lines(&run.stdout);
    assert_eq!(told[1]["event"], "header");
    assert_eq!(told[2]["number"], 3);
    assert_eq!(told[2]["from"], "Zoë <zoe@example.org>");
}

#[test]
fn a_line_says_what_was_done_and_what_was_left() {
    let mut mail = messages(6);
    mail[5].0 = "u".repeat(71);
    let largest = mail[4].1.len() - 1;
    let (home, server) = (Home::new("maildir"), Server::new(mail));
    let options = ["--delete", "--limit", "2", "--max-size"];
    let largest = largest.to_string();
    let run = home.fetch(&server, &[&options[..], &[&largest]].concat());
    let line = run.stdout.trim_end();
    for part in [
        ": 2 new (",
        ", 2 deleted on the server",
        ", 2 left by --limit",
        "larger than --max-size",
    ] {
        assert!(line.contains(part), "{part}: {run:?}");
    }
    assert_eq!(line.lines().count(), 1, "{run:?}");
    // A run that only deletes is reported too.
    let home = Home::new("maildir");
    let server = Server::new(messages(2));
    home.fetch(&server, &["--keep"]).ends(0);
    let run = home.fetch(&server, &["--delete"]).ends(0);
    assert!(run.stdout.contains(": 0 new, 2 deleted"), "{run:?}");
}

#[test]
fn counts_what_the_server_refuses() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
    server.state.lock().unwrap().answers = vec![("RETR", "-ERR gone\r\n".into())];
    let run = home.fetch(&server, &["--json"]).ends(76);
    let summary = lines(&run.stdout).pop().unwrap();
    assert_eq!(counted(&summary), [("refused", 2)]);
}

#[test]
fn quiet_prints_only_errors() {
    for option in ["-q", "--quiet"] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
        let run = home.fetch(&server, &[option, "--delete"]).ends(0);
        assert_eq!((&*run.stdout, &*run.stderr), ("", ""));
        server.state.lock().unwrap().has_no_uidl = true;
        let run = home.fetch(&server, &[option]).ends(69);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}

/// One account's failure is reported and does not stop the others.
#[test]
fn a_failing_account_does_not_stop_the_others() {
    let home = Home::new("maildir");
    let server = Server::new(messages(3));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let to = home.path("mail").display().to_string();
    let config = format!(
        "[accounts.a]\nurl = 'pop3://me@{nobody}'\nto = '-'\npassword-command = 'exit 1'\n\
         [accounts.b]\nurl = 'pop3://me@{nobody}'\nto = '-'\npassword-command = 'echo x'\n\
         [accounts.c]\nurl = '{}'\nto = 'maildir:{to}'\npassword-command = 'echo x'\n\
         [accounts.d]\nurl = 'pop3://me@{nobody}'\nto = '-'\npassword-command = 'exit 2'\n",
        server.url
    );
    fs::write(home.path("config.toml"), config).unwrap();
    let output = pop3(["fetch", "--config"])
        .arg(home.path("config.toml"))
        .arg("--journal")
        .arg(home.path("journal"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let run = Fetched::from(output);
    // The status is that of the last failure: b, the only failing account that connects.
    let run = run.ends(69);
    assert_eq!(run.stderr.lines().count(), 3, "{run:?}");
    assert!(run.stderr.contains("exit status: 1"), "{run:?}");
    assert!(run.stderr.contains("exit status: 2"), "{run:?}");
    assert!(run.stderr.contains(&nobody.to_string()), "{run:?}");
    assert!(run.stdout.contains("3 new"), "{run:?}");
    assert_eq!(maildir(&home.path("mail")).len(), 3);
}

/// A message whose listed size was wrong is in doubt, and fetched again.
#[test]
fn a_dry_run_counts_what_is_in_doubt() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(3)));
    let size = |index: usize| messages(3)[index].1.len();
    let list = format!("+OK\r\n1 {}\r\n2 {}\r\n3 9\r\n.\r\n", size(0), size(1));
    server.state.lock().unwrap().answers = vec![("LIST", list)];
    let run = home.fetch(&server, &[]);
    assert_ne!(run.status, Some(0), "{run:?}");
    let run = home.fetch(&server, &["--dry-run", "--json"]).ends(0);
    let plan = &lines(&run.stdout)[0];
    assert_eq!(counted(plan), [("held", 2), ("retrieve", 1)], "{run:?}");
}

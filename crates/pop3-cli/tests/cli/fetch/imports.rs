//! `pop3 import` and `pop3 fetch --catch-up`: what counts as fetched, and what
//! happens to it.

use std::{fs, process::Stdio};

use super::{Fetched, Home, messages};
use crate::{pop3, server::Server};

impl Home {
    /// Imports a file with this text.
    fn import(&self, server: &Server, option: &str, name: &str, text: &str) -> Fetched {
        self.import_with(server, option, name, text, &[])
    }

    fn import_with(
        &self,
        server: &Server,
        option: &str,
        name: &str,
        text: &str,
        more: &[&str],
    ) -> Fetched {
        fs::write(self.path(name), text).unwrap();
        let mut command = pop3(["import", &server.url, option]);
        command
            .arg(self.path(name))
            .arg("--journal")
            .arg(self.path("state/journal.sqlite"))
            .args(more);
        Fetched::from(command.stdin(Stdio::null()).output().unwrap())
    }
}

#[test]
fn fetches_only_what_was_not_imported() {
    let ids = "id/000\nid/001\nid/002\n";
    let of_fetchmail = ids.replace("id", "me@127.0.0.1 id");
    let of_getmail = "id-000\091\nid-001\092\nid-002\093\n";
    for (option, name, text) in [
        ("--fetchmail", "ids", &*of_fetchmail),
        (
            "--mpop",
            "uidls",
            &format!("# mpop\n 3 127.0.0.1 me\n{ids}"),
        ),
        ("--getmail", "oldmail-127.0.0.1-110-me", of_getmail),
        ("--getmail", "renamed", of_getmail),
    ] {
        let (home, mail) = (Home::new("maildir"), messages(5));
        let server = Server::new(mail.clone());
        let run = home.import(&server, option, name, text).ends(0);
        assert!(run.stdout.ends_with(": 3 unique-ids imported\n"), "{run:?}");
        assert!(run.stdout.starts_with("me@127.0.0.1:"), "{run:?}");
        home.fetch(&server, &["--delete"]).ends(0);
        home.has(&mail[3..]);
        assert_eq!(server.state.lock().unwrap().maildrop, mail[..3], "{option}");
        // Once more changes nothing.
        home.import(&server, option, name, text).ends(0);
        home.fetch(&server, &["--delete-after", "0", "--delete-imported"])
            .ends(0);
        assert!(server.state.lock().unwrap().maildrop.is_empty(), "{option}");
        home.has(&mail[3..]);
    }
}

#[test]
fn imports_one_account_and_names_the_others() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
    let text = "you@127.0.0.1 a\nme@127.0.0.1 id/000\nme@127.0.0.1 id/000\nme@isp id/001\n";
    let run = home.import(&server, "--fetchmail", "ids", text).ends(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].ends_with(": 1 unique-id imported"), "{run:?}");
    let others = [
        "not imported: 1 unique-id of me@isp",
        "not imported: 1 unique-id of you@127.0.0.1",
    ];
    assert_eq!(lines[1..], others);
    let named = ["--their-name", "me@isp"];
    let run = home.import_with(&server, "--fetchmail", "ids", text, &named);
    assert!(run.ends(0).stdout.contains(": 1 unique-id imported\n"));
    let run = home.import(&server, "--fetchmail", "ids", text).ends(0);
    assert!(
        run.stdout
            .contains(": 0 unique-ids imported, 1 in the journal already\n"),
        "{run:?}"
    );
    let more = format!("{text}me@127.0.0.1 later\n");
    let run = home.import(&server, "--fetchmail", "ids", &more).ends(0);
    assert!(
        run.stdout
            .contains(": 1 unique-id imported, 1 in the journal already\n"),
        "{run:?}"
    );
    let run = home.fetch(&server, &["--dry-run"]).ends(0);
    assert!(
        run.stdout
            .contains("0 to fetch, 0 to delete, 2 fetched before"),
        "{run:?}"
    );
}

#[test]
fn imports_nothing_from_a_file_of_another_account() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    for (option, name, text, owner) in [
        (
            "--fetchmail",
            "ids",
            "you@127.0.0.1 id/000\n",
            "you@127.0.0.1",
        ),
        ("--mpop", "ids", " 1 host me\nid/000\n", "me@host"),
        ("--getmail", "oldmail-h-110-me", "id-000\091\n", "h-110-me"),
    ] {
        let run = home.import(&server, option, name, text).ends(65);
        let said = format!(
            "lists those of {owner}; if one of these is the account, name it with --their-name"
        );
        assert!(run.stderr.contains(&said), "{run:?}");
        let run = home.import_with(&server, option, name, text, &["--their-name", owner]);
        run.ends(0);
    }
    let run = home
        .import(&server, "--mpop", "ids", "# nothing\n")
        .ends(65);
    assert!(run.stderr.contains("it lists no message"), "{run:?}");
}

#[test]
fn imports_nothing_if_a_line_is_malformed() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
    let text = "me@127.0.0.1 id/000\npassword=secret\nme@127.0.0.1 id/001\n";
    let run = home.import(&server, "--fetchmail", "ids", text).ends(65);
    let said = format!(
        "{}: line 2: no space before the unique-id",
        home.path("ids").display()
    );
    assert!(run.stderr.contains(&said), "{run:?}");
    assert!(run.stderr.contains("nothing was imported"), "{run:?}");
    assert!(!run.stderr.contains("secret"), "{run:?}");
    home.fetch(&server, &[]).ends(0);
    home.has(&messages(2));
}

#[test]
fn imports_from_exactly_one_file() {
    for options in [&[][..], &["--mpop", "a", "--getmail", "b"]] {
        let mut command = pop3(["import", "pop3s://me@127.0.0.1"]);
        let run = Fetched::from(command.args(options).output().unwrap()).ends(64);
        assert!(run.stderr.contains("--fetchmail <FILE>"), "{run:?}");
    }
    let mut command = pop3(["import", "pop3s://me@127.0.0.1", "--mpop", "/nowhere"]);
    let run = Fetched::from(command.output().unwrap()).ends(66);
    assert!(run.stderr.contains("cannot read /nowhere"), "{run:?}");
}

#[test]
fn catches_up_and_then_fetches_what_arrives() {
    let (home, mut mail) = (Home::new("maildir"), messages(4));
    let server = Server::new(mail[..3].to_vec());
    let catch_up = |options: &[&str]| {
        let mut command = pop3(["fetch", &server.url, "--catch-up", "--journal"]);
        command
            .arg(home.path("state/journal.sqlite"))
            .args(options)
            .env("POP3_PASSWORD", "secret");
        Fetched::from(command.output().unwrap()).ends(0)
    };
    let run = catch_up(&[]);
    assert!(
        run.stdout
            .ends_with(": 3 messages recorded as fetched, 0 known before\n"),
        "{run:?}"
    );
    assert_eq!(server.state.lock().unwrap().retrieved, 0);
    server.state.lock().unwrap().maildrop = mail.clone();
    home.fetch(&server, &["--delete"]).ends(0);
    home.has(&mail[3..]);
    assert_eq!(server.state.lock().unwrap().maildrop, mail[..3]);
    let run = catch_up(&["--json"]);
    assert!(run.stdout.contains("\"caught_up\":0,\"held\":3"), "{run:?}");
    home.fetch(&server, &["--delete", "--delete-imported"])
        .ends(0);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
    home.has(&mail.split_off(3));
}

#[test]
fn deletes_imported_messages_only_together_with_another_option() {
    let (home, server) = (Home::new("maildir"), Server::new(messages(1)));
    let run = home.fetch(&server, &["--delete-imported"]).ends(64);
    assert!(run.stderr.contains("--delete-after DAYS"), "{run:?}");
    home.fetch(&server, &["--delete-imported", "--keep"])
        .ends(64);
}

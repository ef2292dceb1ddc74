//! Rules that choose a Maildir by the header.

use std::{collections::BTreeMap, fs, process::Stdio};

use super::{Fetched, Home, maildir, with_lf};
use crate::{
    pop3,
    server::{Message, Server},
};

impl Home {
    /// An option for messages whose field contains a text.
    fn rule(&self, what: &str, maildir: &str) -> String {
        format!("--match={what} => maildir:{}", self.path(maildir).display())
    }

    /// The numbers of the messages in a Maildir, in order.
    fn numbers(&self, maildir: &str, mail: &[Message]) -> Vec<usize> {
        let found = super::maildir(&self.path(maildir));
        let number = |stored: &Vec<u8>| {
            let mut mail = mail.iter();
            let found = mail.position(|(_, message)| with_lf(message) == *stored);
            found.unwrap_or_else(|| panic!("not a message: {}", stored.escape_ascii()))
        };
        let mut numbers: Vec<_> = found.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// Messages with these headers and a body that no rule may search.
fn messages(headers: &[&str]) -> Vec<Message> {
    let body = "\r\nList-Id: rust-users\r\nSubject: café\r\n";
    let text = |header: &str| format!("{header}{body}").into_bytes();
    let headers = headers.iter().enumerate();
    headers
        .map(|(number, header)| (format!("id{number}"), text(header)))
        .collect()
}

fn mail() -> Vec<Message> {
    messages(&[
        "From: me\r\n",
        "From: me\r\nList-ID: Users of Rust\r\n <RUST-users.example.org>\r\n",
        "Subject: =?iso-8859-1?q?Caf=E9?=\r\n",
        "Subject: a\r\nSubject: =?utf-8?b?Y2Fmw6k=?=\r\nList-Id: rust-users\r\n",
        "",
        "Subject: list-id: rust-users\r\n",
    ])
}

#[test]
fn the_first_rule_that_matches_chooses_the_maildir() {
    let (home, server) = (Home::new("maildir"), Server::new(mail()));
    let rules = [
        home.rule("list-id: rust-users", "lists"),
        home.rule("Subject: CAFÉ", "café"),
        home.rule("List-Id:", "never"),
    ];
    let rules = rules.each_ref().map(String::as_str);
    let run = home.fetch(&server, &[&rules[..], &["--delete"]].concat());
    assert!(run.ends(0).stdout.contains("6 new"));
    assert_eq!(home.numbers("lists", &mail()), [1, 3]);
    assert_eq!(home.numbers("café", &mail()), [2]);
    assert_eq!(home.numbers("mail", &mail()), [0, 4, 5]);
    assert_eq!(home.numbers("never", &mail()), [0; 0]);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
}

/// The options `rules` with the configuration file `keys`, in which `to` is `mail`.
fn configured(home: &Home, server: &Server, keys: &str, options: &[&str]) -> Fetched {
    let entry = format!(
        "[accounts.a]\nurl = '{}'\nto = 'maildir:mail'\n{keys}",
        server.url
    );
    fs::write(home.path("config.toml"), entry).unwrap();
    let mut command = pop3(["fetch", "a", "--config", "config.toml", "--journal", "j"]);
    let command = command.args(options).current_dir(home.path(""));
    command
        .env("POP3_PASSWORD", "secret")
        .env("HOME", home.path("home"));
    Fetched::from(command.stdin(Stdio::null()).output().unwrap())
}

const KEYS: &str = "\
[[accounts.a.match]]
field = 'List-Id'
contains = 'rust-users'
to = 'maildir:~/lists'
[[accounts.a.match]]
field = 'Subject'
contains = 'café'
to = 'maildir:café'
";

#[test]
fn the_configuration_file_has_rules() {
    let (home, server) = (Home::new("maildir"), Server::new(mail()));
    configured(&home, &server, KEYS, &[]).ends(0);
    assert_eq!(home.numbers("home/lists", &mail()), [1, 3]);
    assert_eq!(home.numbers("café", &mail()), [2]);
    assert_eq!(home.numbers("mail", &mail()), [0, 4, 5]);
}

#[test]
fn options_replace_the_rules_of_the_file() {
    let (home, server) = (Home::new("maildir"), Server::new(mail()));
    configured(&home, &server, KEYS, &["--match=From: me => maildir:from"]).ends(0);
    assert_eq!(home.numbers("from", &mail()), [0, 1]);
    assert_eq!(home.numbers("mail", &mail()), [2, 3, 4, 5]);
    assert!(!home.path("home/lists").exists());
    for to in ["maildir:all", "mbox:file"] {
        let (home, server) = (Home::new("maildir"), Server::new(mail()));
        let run = configured(&home, &server, KEYS, &["--to", to]);
        assert!(run.ends(0).stdout.contains("6 new"));
        assert!(!home.path("mail").exists() && !home.path("café").exists());
    }
}

#[test]
fn says_what_is_wrong_with_a_rule() {
    let home = Home::new("maildir");
    let rule = "--match=List-Id: a => maildir:b";
    for (options, said) in [
        (
            &["--to=mbox:b", rule][..],
            "mail that no rule matches, so it must be a Maildir, and not mbox:b",
        ),
        (&["--to=-", rule], "must be a Maildir, and not -"),
        (&[rule], "no place to deliver to"),
        (
            &["--to=maildir:a", "--match=List-Id"],
            "write 'FIELD: TEXT => maildir:DIRECTORY'",
        ),
        (
            &["--to=maildir:a", "--match=List Id: a => maildir:b"],
            "field: `List Id` is not the name of a header field",
        ),
        (
            &["--to=maildir:a", "--match=List-Id: a => mbox:b"],
            "to: `mbox:b` is not a Maildir",
        ),
        (&["--catch-up", rule], "--catch-up"),
    ] {
        let mut command = pop3(["fetch", "pop3://me@127.0.0.1:1"]);
        let command = command.args(options).current_dir(home.path(""));
        let run = Fetched::from(command.stdin(Stdio::null()).output().unwrap()).ends(64);
        assert!(run.stderr.contains(said), "{options:?}: {run:?}");
    }
    assert_eq!(fs::read_dir(home.path("")).unwrap().count(), 0);
    let server = Server::new(mail());
    let keys = KEYS.replace("field = 'Subject'\n", "");
    let run = configured(&home, &server, &keys, &[]).ends(65);
    assert!(
        run.stderr.contains("line 8: missing field `field`"),
        "{run:?}"
    );
    let keys = KEYS.replace("'maildir:café'", "'mbox:café'");
    let run = configured(&home, &server, &keys, &[]).ends(65);
    assert!(
        run.stderr
            .contains("account a: match 2: to: `mbox:café` is not"),
        "{run:?}"
    );
}

#[test]
fn an_unusable_maildir_of_a_rule_loses_no_mail() {
    let (home, server) = (Home::new("maildir"), Server::new(mail()));
    fs::create_dir(home.path("lists")).unwrap();
    fs::write(home.path("lists/note"), "no Maildir").unwrap();
    let rule = home.rule("List-Id: rust", "lists");
    let run = home.fetch(&server, &["--delete", &rule]).ends(73);
    assert!(run.stderr.contains("without tmp, new and cur"), "{run:?}");
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 6);
    fs::remove_file(home.path("lists/note")).unwrap();
    home.fetch(&server, &["--delete", &rule]).ends(0);
    assert_eq!(home.numbers("lists", &mail()), [1, 3]);
}

/// The rules change after the kill, or are gone.
#[test]
fn a_kill_at_any_point_neither_loses_nor_duplicates_mail_whatever_the_rules() {
    let mut octets = 200;
    let mut was_cut = true;
    let mut turns = 0;
    while was_cut {
        let (home, server) = (Home::new("maildir"), Server::new(mail()));
        let before = home.rule("List-Id: rust", "lists");
        let after = home.rule("Subject: café", "lists");
        server.stop_after(octets);
        let mut child = home.spawn(&server, &["--delete", &before]);
        was_cut = !server.end_or_kill(&mut child).success();
        server.go_on();
        let next = match turns % 2 {
            0 => &["--delete"][..],
            _ => &["--delete", &after],
        };
        home.fetch(&server, next).ends(0);
        let mut stored = BTreeMap::new();
        for directory in ["mail", "lists"] {
            for message in maildir(&home.path(directory)) {
                *stored.entry(message).or_insert(0) += 1;
            }
            let tmp = fs::read_dir(home.path(directory).join("tmp"));
            assert_eq!(tmp.map_or(0, Iterator::count), 0, "after {octets} octets");
        }
        let wanted = mail()
            .into_iter()
            .map(|(_, message)| (with_lf(&message), 1));
        assert_eq!(stored, wanted.collect(), "after {octets} octets");
        assert!(server.state.lock().unwrap().maildrop.is_empty());
        octets += 61;
        turns += 1;
    }
    assert!(turns > 10, "only {turns} kills");
}

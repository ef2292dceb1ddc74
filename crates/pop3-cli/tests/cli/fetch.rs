//! `pop3 fetch` against a server in memory: what arrives, what stays on the
//! server, and the state after a kill.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
};

use crate::{
    pop3,
    server::{Message, Server},
};

mod configured;
mod every;
mod handed_over;
mod imports;
mod kills;
mod matching;
mod places;
mod reports;
mod traced;
mod units;

/// The result of a run.
#[derive(Debug)]
struct Fetched {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Fetched {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Fetched {
    #[track_caller]
    fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }
}

/// A journal and a place for mail, in a temporary directory.
struct Home {
    directory: tempfile::TempDir,
    to: &'static str,
}

impl Home {
    fn new(to: &'static str) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            to,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn spawn(&self, server: &Server, options: &[&str]) -> Child {
        let to = match self.to {
            "-" => String::from("-"),
            kind => format!("{kind}:{}", self.path("mail").display()),
        };
        let mut command = pop3(["fetch", &server.url, "--to", &to, "--journal"]);
        command
            .arg(self.path("state/journal.sqlite"))
            .args(options)
            .env("POP3_PASSWORD", "secret")
            .stdin(Stdio::null());
        command.spawn().unwrap()
    }

    fn fetch(&self, server: &Server, options: &[&str]) -> Fetched {
        let output = self.spawn(server, options).wait_with_output().unwrap();
        Fetched::from(output)
    }

    /// The stored messages, each with its number of copies.
    fn mail(&self) -> BTreeMap<Vec<u8>, usize> {
        let mut mail = BTreeMap::new();
        let messages = match self.to {
            "maildir" => maildir(&self.path("mail")),
            _ => mbox(&fs::read(self.path("mail")).unwrap_or_default()),
        };
        for message in messages {
            *mail.entry(message).or_default() += 1;
        }
        mail
    }

    /// Each of `messages` is stored once, and nothing else is.
    #[track_caller]
    fn has(&self, messages: &[Message]) {
        let wanted: BTreeMap<Vec<u8>, usize> = messages
            .iter()
            .map(|(_, message)| (with_lf(message), 1))
            .collect();
        let there = self.mail();
        assert!(
            there == wanted,
            "{} there, {} wanted",
            shown(&there),
            shown(&wanted)
        );
        if self.to == "maildir" {
            let tmp = fs::read_dir(self.path("mail/tmp"));
            assert_eq!(
                tmp.map_or(0, Iterator::count),
                0,
                "something is left in tmp"
            );
        }
    }
}

fn shown(mail: &BTreeMap<Vec<u8>, usize>) -> String {
    let shown = |(message, count): (&Vec<u8>, &usize)| {
        let head = &message[..message.len().min(30)];
        format!("{count} x {}", head.escape_ascii())
    };
    format!("{:?}", mail.iter().map(shown).collect::<Vec<_>>())
}

fn maildir(directory: &Path) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for part in ["new", "cur"] {
        for entry in fs::read_dir(directory.join(part)).into_iter().flatten() {
            let entry = entry.unwrap();
            let message = fs::read(entry.path()).unwrap();
            let size = format!(",S={},W=", message.len());
            assert!(
                entry.file_name().to_str().unwrap().contains(&size),
                "{entry:?}"
            );
            messages.push(message);
        }
    }
    messages
}

/// The messages of an mboxrd file.
fn mbox(file: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in file.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b"From ") {
            messages.push(Vec::new());
            continue;
        }
        let message = messages.last_mut().expect("an mbox begins with From_");
        let bare = line.iter().position(|octet| *octet != b'>').unwrap_or(0);
        let quoted = bare > 0 && line[bare..].starts_with(b"From ");
        message.extend(&line[usize::from(quoted)..]);
    }
    for message in &mut messages {
        assert_eq!(
            message.pop(),
            Some(b'\n'),
            "an empty line ends each message"
        );
    }
    messages
}

fn with_lf(message: &[u8]) -> Vec<u8> {
    String::from_utf8(message.to_vec())
        .unwrap()
        .replace("\r\n", "\n")
        .into_bytes()
}

fn messages(count: usize) -> Vec<Message> {
    let text = |index: usize| {
        format!(
            "Subject: {index}\r\n\r\n.a\r\n..\r\nFrom b\r\n>From c\r\n{}\r\n",
            "x".repeat(index * 7)
        )
    };
    (0..count)
        .map(|index| (format!("id/{index:03}"), text(index).into_bytes()))
        .collect()
}

#[test]
fn does_not_fetch_a_message_twice() {
    for to in ["maildir", "mbox"] {
        let (home, mut mail) = (Home::new(to), messages(5));
        let server = Server::new(mail.clone());
        let first = home.fetch(&server, &[]).ends(0);
        assert!(first.stdout.contains("5 new"), "{first:?}");
        home.has(&mail);
        // Other message-numbers, one message gone, two new.
        mail.reverse();
        mail.push((String::from("later"), b"later\r\n".to_vec()));
        server.state.lock().unwrap().maildrop = mail.clone();
        let second = home.fetch(&server, &[]).ends(0);
        assert!(second.stdout.contains("1 new"), "{second:?}");
        home.has(&mail);
        let third = home.fetch(&server, &[]).ends(0);
        assert_eq!((third.stdout.as_str(), third.stderr.as_str()), ("", ""));
        assert_eq!(server.state.lock().unwrap().retrieved, 6);
    }
}

#[test]
fn a_server_that_forgets_for_a_day_changes_nothing() {
    let (home, mail) = (Home::new("maildir"), messages(3));
    let server = Server::new(mail.clone());
    home.fetch(&server, &[]).ends(0);
    server.state.lock().unwrap().maildrop.clear();
    home.fetch(&server, &[]).ends(0);
    server.state.lock().unwrap().maildrop = mail.clone();
    home.fetch(&server, &[]).ends(0);
    home.has(&mail);
}

#[test]
fn a_unique_id_after_a_confirmed_deletion_is_another_message() {
    let (home, mut mail) = (Home::new("maildir"), messages(1));
    let server = Server::new(mail.clone());
    home.fetch(&server, &["--delete"]).ends(0);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
    let again = (mail[0].0.clone(), b"another\r\n".to_vec());
    server.state.lock().unwrap().maildrop = vec![again.clone()];
    home.fetch(&server, &["--delete"]).ends(0);
    mail.push(again);
    home.has(&mail);
}

#[test]
fn deletions_without_an_answer_to_quit_are_repeated_without_fetching() {
    let (home, mail) = (Home::new("maildir"), messages(4));
    let server = Server::new(mail.clone());
    server.state.lock().unwrap().refuses_quit = true;
    assert_ne!(home.fetch(&server, &["--delete"]).status, Some(0));
    server.state.lock().unwrap().refuses_quit = false;
    // The deletion was requested before, so `--keep` does not cancel it.
    home.fetch(&server, &["--keep"]).ends(0);
    let state = server.state.lock().unwrap();
    assert!(state.maildrop.is_empty());
    assert_eq!(state.retrieved, 4);
    home.has(&mail);
}

#[test]
fn profiles_decide_what_is_deleted() {
    for (profile, left) in [("outlook-2016", 0), ("outlook-2019", 2), ("rfc1939", 2)] {
        let home = Home::new("maildir");
        let server = Server::new(messages(2));
        home.fetch(&server, &["--profile", profile]).ends(0);
        assert_eq!(server.state.lock().unwrap().maildrop.len(), left);
    }
}

#[test]
fn equal_unique_ids_are_two_messages_or_one() {
    for (profile, fetched) in [("rfc1939", 3), ("outlook-2024", 2)] {
        let (home, mut mail) = (Home::new("maildir"), messages(3));
        mail[1].0 = mail[0].0.clone();
        let server = Server::new(mail);
        for _ in 0..2 {
            home.fetch(&server, &["--profile", profile]).ends(0);
            assert_eq!(home.mail().len(), fetched);
        }
    }
}

#[test]
fn limits_leave_the_rest_to_later() {
    let (home, mail) = (Home::new("mbox"), messages(5));
    let server = Server::new(mail.clone());
    let run = home.fetch(&server, &["--limit", "2"]).ends(0);
    assert!(
        run.stdout.contains("2 new") && run.stdout.contains("3 left by --limit"),
        "{run:?}"
    );
    home.has(&mail[..2]);
    let octets = mail[3].1.len().to_string();
    home.fetch(&server, &["--max-size", &octets]).ends(0);
    home.has(&mail[..4]);
    home.fetch(&server, &[]).ends(0);
    home.has(&mail);
}

#[test]
fn a_dry_run_does_nothing() {
    let home = Home::new("maildir");
    let server = Server::new(messages(2));
    let run = home.fetch(&server, &["--dry-run", "--delete"]).ends(0);
    assert!(run.stdout.contains("2 to fetch, 2 to delete"), "{run:?}");
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 2);
    assert!(!home.path("mail").exists());
}

/// A dry run does not delete what an earlier run has delivered either.
#[test]
fn a_dry_run_deletes_nothing() {
    let home = Home::new("maildir");
    let server = Server::new(messages(2));
    home.fetch(&server, &["--keep"]).ends(0);
    let run = home.fetch(&server, &["--dry-run", "--delete"]).ends(0);
    assert!(run.stdout.contains("2 to delete"), "{run:?}");
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 2);
    // The journal still knows that the messages exist and were delivered.
    home.fetch(&server, &["--delete"]).ends(0);
    let state = server.state.lock().unwrap();
    assert_eq!((state.retrieved, state.maildrop.len()), (2, 0));
}

#[test]
fn a_message_that_the_server_refuses_to_delete_is_deleted_by_a_later_run() {
    let (home, mail) = (Home::new("maildir"), messages(2));
    let server = Server::new(mail.clone());
    server.state.lock().unwrap().answers = vec![("DELE", "-ERR read only\r\n".into())];
    let run = home.fetch(&server, &["--delete", "--json"]).ends(0);
    assert!(run.stdout.contains("\"deleted\":0"), "{run:?}");
    assert!(run.stderr.contains("2 messages are not deleted"), "{run:?}");
    server.state.lock().unwrap().answers.clear();
    let run = home.fetch(&server, &["--delete", "--json"]).ends(0);
    assert!(run.stdout.contains("\"deleted\":2"), "{run:?}");
    let state = server.state.lock().unwrap();
    assert_eq!((state.retrieved, state.maildrop.len()), (2, 0));
    home.has(&mail);
}

#[test]
fn fetches_again_what_no_reader_of_standard_output_read() {
    let (home, mail) = (Home::new("-"), messages(3));
    let server = Server::new(mail.clone());
    let mut run = home.spawn(&server, &["--delete"]);
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141), "{output:?}");
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 3);
    let run = home.fetch(&server, &["--delete"]).ends(0);
    let wanted: Vec<Vec<u8>> = mail.iter().map(|(_, message)| with_lf(message)).collect();
    assert_eq!(mbox(run.stdout.as_bytes()), wanted);
    assert!(server.state.lock().unwrap().maildrop.is_empty());
}

#[test]
fn standard_output_gets_an_mbox_and_stderr_the_json() {
    let (home, mail) = (Home::new("-"), messages(2));
    let server = Server::new(mail.clone());
    let run = home
        .fetch(&server, &["--json", "--profile", "outlook-2016"])
        .ends(0);
    let wanted: Vec<Vec<u8>> = mail.iter().map(|(_, message)| with_lf(message)).collect();
    assert_eq!(mbox(run.stdout.as_bytes()), wanted);
    let lines: Vec<serde_json::Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["unique-id"], "id/001");
    assert_eq!(lines[2]["event"], "summary");
    assert_eq!(lines[2]["delivered"], 2);
    // It is unknown what the reader did with the message, so it stays.
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 2);
}

#[test]
fn line_ends_received_keeps_the_octets() {
    let home = Home::new("-");
    let server = Server::new(messages(1));
    let run = home
        .fetch(&server, &["--raw", "--line-ends", "received"])
        .ends(0);
    assert_eq!(run.stdout.into_bytes(), messages(1)[0].1);
}

#[test]
fn refuses_a_server_without_unique_ids() {
    let home = Home::new("maildir");
    let server = Server::new(messages(1));
    server.state.lock().unwrap().has_no_uidl = true;
    let run = home.fetch(&server, &["--delete"]).ends(69);
    assert!(run.stderr.contains("without unique-ids"), "{run:?}");
    assert_eq!(server.state.lock().unwrap().maildrop.len(), 1);
}

/// The scenario `unique-id-too-long` of the audit: the run ended with status 0
/// though it left a message behind.
#[test]
fn a_message_without_a_usable_unique_id_fails_the_run() {
    let (home, mut mail) = (Home::new("maildir"), messages(2));
    mail[0].0 = "u".repeat(71);
    let server = Server::new(mail.clone());
    let run = home.fetch(&server, &["--delete"]).ends(76);
    let said = "1 message stays on the server, because without a valid unique-id in UIDL";
    assert!(run.stderr.contains(said), "{run:?}");
    home.has(&mail[1..]);
    assert_eq!(server.state.lock().unwrap().maildrop, mail[..1]);
    home.fetch(&server, &["--dry-run"]).ends(76);
}

/// No refused command and no wording of the refusal shows the password, which
/// is "secret".
#[test]
fn shows_nothing_that_the_server_repeats_of_the_login() {
    let shown = "(not shown: it repeats what was sent to log in)";
    for (word, status) in [
        ("UIDL", 69),
        ("LIST", 69),
        ("RETR", 76),
        ("DELE", 0),
        ("QUIT", 69),
    ] {
        for written in ["c2VjcmV0", "secret", "73 65 63 72 65 74", "s%65cret"] {
            let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
            let answer = (word, format!("-ERR {written}\r\n"));
            server.state.lock().unwrap().answers = vec![answer];
            let run = home.fetch(&server, &["--delete", "--json"]).ends(status);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains(shown), "{word}: {run:?}");
            assert!(!said.contains(written), "{word}: {run:?}");
        }
    }
    // Text that repeats no secret is shown, escaped, even when our own words
    // surround it.
    let (home, server) = (Home::new("maildir"), Server::new(messages(2)));
    server.state.lock().unwrap().answers = vec![("DELE", "-ERR \"read\tonly\"\r\n".into())];
    let run = home.fetch(&server, &["--delete"]).ends(0);
    assert!(run.stderr.contains(r#"DELE: "read\tonly""#), "{run:?}");
}

#[test]
fn an_unusable_place_loses_no_mail() {
    let (home, mail) = (Home::new("maildir"), messages(2));
    let server = Server::new(mail.clone());
    fs::create_dir(home.path("mail")).unwrap();
    fs::write(home.path("mail/note"), "no Maildir").unwrap();
    let run = home.fetch(&server, &["--delete"]).ends(73);
    assert!(run.stderr.contains("without tmp, new and cur"), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1);
    fs::remove_file(home.path("mail/note")).unwrap();
    home.fetch(&server, &["--delete"]).ends(0);
    home.has(&mail);
}

#[test]
fn fetches_the_accounts_of_the_config_file_in_parallel() {
    let home = Home::new("maildir");
    let servers = [Server::new(messages(3)), Server::new(messages(4))];
    let mut config = String::new();
    for (index, server) in servers.iter().enumerate() {
        let to = home.path(&format!("mail{index}"));
        config += &format!(
            "[accounts.a{index}]\nurl = '{}'\nto = 'maildir:{}'\npassword-command = 'echo x'\n",
            server.url,
            to.display()
        );
    }
    fs::create_dir(home.path("pop3")).unwrap();
    fs::write(home.path("pop3/config.toml"), config).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = pop3(["fetch"]);
        command.args(arguments);
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(variable, home.directory.path());
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&["a1"]).contains("4 new"));
    assert!(run(&[]).contains("3 new"));
    assert_eq!(maildir(&home.path("mail0")).len(), 3);
    assert_eq!(maildir(&home.path("mail1")).len(), 4);
    assert!(home.path("pop3/journal.sqlite").exists());
}

/// A terminator is missing among pipelined replies: the message has swallowed
/// the next reply, and every later message would get the unique-id of another
/// (nodemailer/wildduck#950).
#[test]
fn a_swallowed_reply_shifts_no_unique_id() {
    for keep in ["--keep", "--delete"] {
        let (home, mut mail) = (Home::new("maildir"), messages(12));
        for (at, (_, message)) in mail.iter_mut().enumerate() {
            *message = format!("Subject: {at}\r\n\r\n{}", "long\r\n".repeat(3000)).into_bytes();
        }
        mail[4].1 = b"Subject: small\r\n\r\n".to_vec();
        let server = Server::new(mail.clone());
        server.state.lock().unwrap().unterminated = Some(4);
        let run = home.fetch(&server, &[keep, "--json"]).ends(0);
        assert!(run.stderr.contains("the reply to STAT differs"), "{run:?}");
        home.has(&mail);
        let told = run
            .stdout
            .lines()
            .filter(|line| line.contains("\"message\""));
        assert_eq!(told.count(), 12, "{run:?}");
        assert!(run.stdout.contains("\"delivered\":12"), "{run:?}");
        let left = server.state.lock().unwrap().maildrop.len();
        assert_eq!(left, if keep == "--keep" { 12 } else { 0 });
        // Nothing is fetched twice.
        let retrieved = server.state.lock().unwrap().retrieved;
        home.fetch(&server, &[keep]).ends(0);
        assert_eq!(server.state.lock().unwrap().retrieved, retrieved);
    }
}

#[test]
fn stops_waiting_for_a_silent_server() {
    for option in ["--timeout", "--session-timeout"] {
        let (home, server) = (Home::new("maildir"), Server::new(messages(3)));
        server.stop_after(300);
        let run = home.fetch(&server, &[option, "1"]).ends(75);
        assert!(run.stderr.contains("too long"), "{run:?}");
        server.go_on();
        home.fetch(&server, &[option, "60"]).ends(0);
    }
    let (home, server) = (Home::new("maildir"), Server::new(Vec::new()));
    home.fetch(&server, &["--timeout", "0"]).ends(64);
}

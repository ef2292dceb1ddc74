//! The fields that `--received` and `--delivered-to` add.

use std::fs;

use super::{Fetched, Home, handed_over::Lmtp, maildir, mbox, messages, with_lf};
use crate::server::Server;

const OPTIONS: [&str; 3] = ["--received", "--delivered-to", "me@example.org"];

/// Removes the fields that [`OPTIONS`] add. They are followed by the message.
#[track_caller]
fn without_fields(stored: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(stored.to_vec()).unwrap();
    let rest = text.strip_prefix("Delivered-To: me@example.org\n").unwrap();
    let rest = rest.strip_prefix("Received: from [127.0.0.1] by ").unwrap();
    let (by, rest) = rest
        .split_once(" with POP3\n\tfor <me@example.org>; ")
        .unwrap();
    assert!(!by.is_empty() && !by.contains([' ', '\n']), "{by:?}");
    let (date, rest) = rest.split_once('\n').unwrap();
    let parts: Vec<_> = date.split(' ').collect();
    assert!(
        parts.len() == 6 && parts[0].ends_with(',') && parts[5] == "+0000",
        "{date}"
    );
    rest.as_bytes().to_vec()
}

#[test]
fn each_place_gets_the_fields_before_the_message() {
    let mail = messages(2);
    let mut wanted: Vec<_> = mail.iter().map(|(_, message)| with_lf(message)).collect();
    wanted.sort();
    for to in ["maildir", "mbox", "-"] {
        let (home, server) = (Home::new(to), Server::new(mail.clone()));
        let run = home.fetch(&server, &[&OPTIONS[..], &["--delete"]].concat());
        let run = run.ends(0);
        let stored = match to {
            "maildir" => maildir(&home.path("mail")),
            "mbox" => mbox(&fs::read(home.path("mail")).unwrap()),
            _ => mbox(run.stdout.as_bytes()),
        };
        let mut found: Vec<_> = stored.iter().map(|stored| without_fields(stored)).collect();
        found.sort();
        assert_eq!(found, wanted, "{to}");
        assert!(server.state.lock().unwrap().maildrop.is_empty());
    }
}

#[test]
fn commands_and_lmtp_servers_get_the_fields_too() {
    let (home, server) = (Home::new("-"), Server::new(messages(1)));
    let wanted = with_lf(&messages(1)[0].1);
    home.fetch_to(&server, "command:cat > file", &OPTIONS)
        .ends(0);
    let taken = fs::read(home.path("file")).unwrap();
    assert_eq!(without_fields(&taken), wanted);
    // The LMTP server keeps stuffed dots.
    let wanted = String::from_utf8(wanted).unwrap().replace("\n.", "\n..");
    let (home, lmtp) = (Home::new("-"), Lmtp::start());
    let options = [&OPTIONS[..], &["--recipient", "me"]].concat();
    home.fetch_to(&server, &lmtp.to, &options).ends(0);
    let taken = lmtp.taken.lock().unwrap().clone();
    assert_eq!(without_fields(taken[0].1.as_bytes()), wanted.as_bytes());
}

/// The size in LIST is that of the message alone, and so is the content by which a
/// message without a unique-id is recognized.
#[test]
fn a_message_is_the_same_with_and_without_the_fields() {
    let (home, mut mail) = (Home::new("maildir"), messages(3));
    mail[2].0 = "u".repeat(71);
    let server = Server::new(mail);
    let options = [&OPTIONS[..], &["--without-unique-id"]].concat();
    home.fetch(&server, &options).ends(0);
    home.fetch(&server, &options).ends(0);
    let run: Fetched = home.fetch(&server, &["--without-unique-id", "--delete"]);
    run.ends(0);
    assert_eq!(maildir(&home.path("mail")).len(), 3);
}

/// The fields end as lines of the message do.
#[test]
fn the_fields_have_the_line_ends_of_the_message() {
    let (home, server) = (Home::new("-"), Server::new(messages(1)));
    let options = ["--raw", "--line-ends", "received", "--delivered-to", "me"];
    let run = home.fetch(&server, &options).ends(0);
    let message = String::from_utf8(messages(1).remove(0).1).unwrap();
    assert_eq!(run.stdout, format!("Delivered-To: me\r\n{message}"));
    let run = home.fetch(&server, &["--delivered-to", "a\nb"]).ends(64);
    assert!(run.stderr.contains("an address such as"), "{run:?}");
}

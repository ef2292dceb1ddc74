//! A Maildir that other programs use at the same time.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use pop3_proto::{MessageNumber, server::Maildrop as _};
use pop3_tokio::server::{Maildir, MaildirStore, OpenError, Server};
use tempfile::TempDir;

use crate::drive::{Running, accounts};

struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        for name in ["new", "cur", "tmp"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        fs::write(self.path(name), octets).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn open(&self) -> Maildir {
        Maildir::open(self.0.path()).unwrap()
    }

    fn unique_ids(&self) -> Vec<String> {
        listed(&self.open())
            .into_iter()
            .map(|(unique_id, _)| unique_id)
            .collect()
    }

    fn octets(&self) -> Vec<u64> {
        listed(&self.open())
            .into_iter()
            .map(|(_, octets)| octets)
            .collect()
    }
}

fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

fn listed(maildir: &Maildir) -> Vec<(String, u64)> {
    let numbers = (1..=maildir.messages()).map(number);
    numbers
        .map(|number| {
            (
                maildir.unique_id(number).to_string(),
                maildir.octets(number),
            )
        })
        .collect()
}

fn read(maildir: &mut Maildir, message: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut file = maildir.open(number(message)).unwrap();
    std::io::Read::read_to_end(&mut file, &mut octets).unwrap();
    octets
}

fn commit(maildir: Maildir, deleted: &[u32]) -> std::io::Result<()> {
    maildir.commit(&mut deleted.iter().map(|&message| number(message)))
}

#[tokio::test]
async fn serves_a_maildir() {
    let directory = Directory::new();
    directory.write("new/3.c.host", "c\n.\n");
    directory.write("cur/1.a.host:2,S", "a");
    directory.write("cur/20.b.host:2,", b"b\r\n.\r\n");
    let path = directory.0.path();
    let store = MaildirStore::new(Some(path.to_owned()), Path::new("/nonexistent"));
    let server = Running::new(Server::new(store, accounts())).await;
    let mut client = server.logged_in().await;
    assert_eq!(
        client.block("UIDL").await,
        b"1 1.a.host\r\n2 3.c.host\r\n3 20.b.host\r\n"
    );
    assert_eq!(client.block("LIST").await, b"1 3\r\n2 6\r\n3 6\r\n");
    assert_eq!(client.block("RETR 2").await, b"c\r\n..\r\n");
    client.ask("DELE 1").await;
    client.ask("DELE 2").await;
    client.quit().await;
    let names = |name| fs::read_dir(directory.path(name)).unwrap().count();
    assert_eq!((names("new"), names("cur")), (0, 1));
    assert!(directory.path("cur/20.b.host:2,").exists());
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let directory = Directory::new();
    let first = directory.open();
    assert!(matches!(
        Maildir::open(directory.0.path()),
        Err(OpenError::InUse)
    ));
    drop(first);
    commit(directory.open(), &[]).unwrap();
    directory.open();
}

#[test]
fn sizes_count_octets_on_the_wire() {
    let directory = Directory::new();
    let messages: [(&[u8], u64); 12] = [
        (b"", 0),
        (b"a", 3),
        (b"a\n", 3),
        (b"a\r\n", 3),
        (b"a\r", 3),
        (b".", 3),
        (b"..\n", 4),
        (b"\r\n.\r\n", 5),
        (b"\n\n", 4),
        (b"\r\r\n\n", 6),
        (b"a\rb", 6),
        (b".\n.\n.", 9),
    ];
    for (index, (message, _)) in messages.iter().enumerate() {
        directory.write(&format!("cur/{index}.x:2,"), message);
    }
    let expected: Vec<u64> = messages.iter().map(|(_, octets)| *octets).collect();
    assert_eq!(directory.octets(), expected);
    // From the cache.
    assert_eq!(directory.octets(), expected);
    // Larger than one read.
    let long = b".\n".repeat(100_000);
    directory.write("cur/99.x:2,", &long);
    assert_eq!(directory.octets().last(), Some(&300_000));
    directory.write("cur/98.x:2,", [&[b'x'; 65_535][..], b"\r\n.y\r\n"].concat());
    assert_eq!(directory.octets()[12], 65_535 + 6);
}

/// Dovecot's LDA counts the octets that it stores: it adds no CRLF to the last
/// line, and counts a bare CR as one octet.
#[test]
fn does_not_trust_a_size_in_the_file_name() {
    let directory = Directory::new();
    directory.write("cur/1.x,S=1,W=1:2,S", "a");
    directory.write("cur/2.x,S=2,W=77:2,S", "a\n");
    directory.write("cur/3.x,S=3,W=3:2,", "a\rb");
    assert_eq!(directory.octets(), [3, 3, 6]);
}

#[test]
fn keeps_a_counted_size_while_the_file_is_the_same() {
    let directory = Directory::new();
    let path = directory.path("cur/1.x:2,");
    let write_at = |octets: &str, seconds: u64| {
        fs::write(&path, octets).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, 7);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    };
    write_at("a\nb\n", 1000);
    assert_eq!(directory.octets(), [6]);
    let kept = fs::read_to_string(directory.path("pop3.sizes")).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert_eq!(kept, format!("6 4 {inode} 1000000000007 1.x\n"));
    // The kept size is still used, because nothing tells the new file from the old
    // one.
    write_at("\n\n\n\n", 1000);
    assert_eq!(directory.octets(), [6]);
    // The size is found under another name and in another directory too.
    directory.rename("cur/1.x:2,", "new/1.x,S=4");
    assert_eq!(directory.octets(), [6]);
    directory.rename("new/1.x,S=4", "cur/1.x:2,");
    // A file with another time, length or inode is counted again.
    write_at("\n\n\n\n", 1001);
    assert_eq!(directory.octets(), [8]);
    write_at("abcde", 1001);
    assert_eq!(directory.octets(), [7]);
    fs::write(directory.path("tmp/1.x"), "\n\n\n\n\n").unwrap();
    directory.rename("tmp/1.x", "cur/1.x:2,");
    write_at("\n\n\n\n\n", 1001);
    assert_eq!(directory.octets(), [10]);
    // Half a line, an invalid line, and a line of an earlier version are ignored.
    for cache in [
        "7777 5",
        "7777 5 1.x\n",
        "x 5 1 1001000000000 1.x\n",
        "\n\n",
    ] {
        directory.write("pop3.sizes", cache);
        assert_eq!(directory.octets(), [10], "{cache}");
    }
    directory.rename("cur/1.x:2,", "cur/2.x:2,");
    assert_eq!(directory.octets(), [10]);
    let kept = fs::read_to_string(directory.path("pop3.sizes")).unwrap();
    assert!(
        kept.starts_with("10 5 ") && kept.ends_with(" 2.x\n"),
        "{kept}"
    );
}

#[test]
fn drops_the_size_of_a_message_that_is_gone() {
    let directory = Directory::new();
    for name in ["cur/1.x:2,", "cur/2.x:2,", "cur/3.x:2,"] {
        directory.write(name, "a");
        let file = fs::File::options().write(true).open(directory.path(name));
        file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    let kept = || {
        let kept = fs::read_to_string(directory.path("pop3.sizes")).unwrap();
        let mut lines: Vec<_> = kept
            .lines()
            .map(|line| line[line.len() - 3..].to_owned())
            .collect();
        lines.sort();
        lines
    };
    directory.open();
    assert_eq!(kept(), ["1.x", "2.x", "3.x"]);
    fs::remove_file(directory.path("cur/2.x:2,")).unwrap();
    directory.open();
    assert_eq!(kept(), ["1.x", "3.x"]);
}

/// Other users of the machine learn nothing about the mail.
#[test]
fn only_the_owner_may_read_the_size_file() {
    let directory = Directory::new();
    directory.write("cur/1.x:2,", "a");
    let file = fs::File::options()
        .write(true)
        .open(directory.path("cur/1.x:2,"));
    file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    directory.open();
    for name in ["pop3.lock", "pop3.sizes"] {
        let mode = fs::metadata(directory.path(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The leading digits are compared as a number, with any leading zeros.
#[test]
fn messages_are_in_the_order_of_their_delivery() {
    let directory = Directory::new();
    for name in ["cur/10.x:2,", "new/9.x", "cur/08.x:2,", "new/no.x"] {
        directory.write(name, "a");
    }
    assert_eq!(directory.unique_ids(), ["no.x", "08.x", "9.x", "10.x"]);
}

/// The file may change again without a new time stamp.
#[test]
fn does_not_keep_the_size_of_a_file_just_written() {
    let directory = Directory::new();
    let soon = SystemTime::now() + Duration::from_secs(60);
    directory.write("cur/1.x:2,", "a\nb\n");
    let file = fs::File::options()
        .write(true)
        .open(directory.path("cur/1.x:2,"))
        .unwrap();
    file.set_modified(soon).unwrap();
    assert_eq!(directory.octets(), [6]);
    assert!(!directory.path("pop3.sizes").exists());
}

#[test]
fn does_not_send_a_file_that_changed_since_login() {
    let directory = Directory::new();
    directory.write("cur/1.x:2,", "a");
    directory.write("cur/2.x:2,", "b");
    let mut maildir = directory.open();
    directory.write("cur/1.x:2,", "longer");
    directory.write("cur/2.x:2,", "longer");
    directory.rename("cur/2.x:2,", "cur/2.x:2,S");
    assert!(maildir.open(number(1)).is_err());
    assert!(maildir.open(number(2)).is_err());
    drop(maildir);
    assert_eq!(read(&mut directory.open(), 1), b"longer");
}

#[test]
fn a_unique_id_stays_when_flags_and_sizes_come_and_go() {
    let directory = Directory::new();
    directory.write("new/1.M2P3.host", "a");
    assert_eq!(directory.unique_ids(), ["1.M2P3.host"]);
    for (from, to) in [
        ("new/1.M2P3.host", "cur/1.M2P3.host:2,"),
        ("cur/1.M2P3.host:2,", "cur/1.M2P3.host:2,FS"),
        ("cur/1.M2P3.host:2,FS", "cur/1.M2P3.host,S=1,W=3:2,"),
    ] {
        directory.rename(from, to);
        assert_eq!(directory.unique_ids(), ["1.M2P3.host"]);
    }
}

#[test]
fn derives_a_unique_id_for_a_name_that_is_not_valid_as_one() {
    let directory = Directory::new();
    let long = format!("1.{}", "x".repeat(69));
    let names = [
        "cur/1 with spaces",
        "cur/1.é",
        "cur/1.sha256",
        "cur/sha256-x",
        "cur/1,a",
        "cur/1,b=2",
        "cur/1b=2",
    ];
    for name in names {
        directory.write(name, "a");
    }
    directory.write(&format!("cur/{long}"), "a");
    let unique_ids = directory.unique_ids();
    let distinct: std::collections::HashSet<_> = unique_ids.iter().collect();
    assert_eq!(distinct.len(), 8);
    assert!(
        unique_ids
            .iter()
            .all(|id| id.len() <= 70 && id.bytes().all(|o| o.is_ascii_graphic()))
    );
    assert_eq!(
        unique_ids
            .iter()
            .filter(|id| id.starts_with("sha256-"))
            .count(),
        4
    );
    assert!(!distinct.contains(&"sha256-x".to_owned()));
    assert_eq!(directory.unique_ids(), unique_ids);
}

#[test]
fn two_files_of_one_name_are_two_messages() {
    let directory = Directory::new();
    directory.write("new/1.x", "first");
    directory.write("cur/1.x:2,S", "second");
    let mut maildir = directory.open();
    let ids: Vec<_> = listed(&maildir).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(read(&mut maildir, 2), b"second");
    commit(maildir, &[1]).unwrap();
    assert!(directory.path("cur/1.x:2,S").exists() && !directory.path("new/1.x").exists());
}

#[test]
fn only_files_in_new_and_cur_are_messages() {
    let directory = Directory::new();
    let outside = directory.path("outside");
    fs::write(&outside, "secret").unwrap();
    symlink(&outside, directory.path("cur/1.link:2,")).unwrap();
    fs::create_dir_all(directory.path("cur/2.directory/cur")).unwrap();
    directory.write("cur/2.directory/cur/3.x:2,", "a");
    fs::create_dir_all(directory.path(".Sent/cur")).unwrap();
    directory.write(".Sent/cur/4.x:2,", "a");
    directory.write("tmp/5.x", "a");
    directory.write("cur/.hidden", "a");
    directory.write("cur/6.x:2,", "a");
    assert_eq!(directory.unique_ids(), ["6.x"]);
}

/// A link in the place of a message is not opened.
#[test]
fn does_not_follow_links() {
    let directory = Directory::new();
    let outside = directory.path("outside");
    fs::write(&outside, "secret").unwrap();
    directory.write("cur/1.x:2,", "a");
    let mut maildir = directory.open();
    fs::remove_file(directory.path("cur/1.x:2,")).unwrap();
    symlink(&outside, directory.path("cur/1.x:2,")).unwrap();
    assert!(maildir.open(number(1)).is_err());
    drop(maildir);

    // A link to the same file is refused too.
    fs::remove_file(directory.path("cur/1.x:2,")).unwrap();
    directory.write("cur/1.x:2,", "a");
    let mut maildir = directory.open();
    directory.rename("cur/1.x:2,", "elsewhere");
    symlink(directory.path("elsewhere"), directory.path("cur/1.x:2,")).unwrap();
    assert!(maildir.open(number(1)).is_err());
    drop(maildir);

    let linked = Directory::new();
    fs::remove_dir(linked.path("cur")).unwrap();
    symlink(directory.path("cur"), linked.path("cur")).unwrap();
    assert!(matches!(
        Maildir::open(linked.0.path()),
        Err(OpenError::Io(_))
    ));

    // Sizes are not written to another file through a link.
    symlink(&outside, directory.path("pop3.sizes.part")).unwrap();
    fs::remove_file(directory.path("cur/1.x:2,")).unwrap();
    directory.write("cur/2.x:2,", "a");
    let file = fs::File::options()
        .write(true)
        .open(directory.path("cur/2.x:2,"));
    file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(directory.octets(), [3]);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret");

    // Nor are sizes read through a link.
    fs::remove_file(directory.path("pop3.sizes.part")).unwrap();
    assert_eq!(directory.octets(), [3]);
    let kept = fs::read_to_string(directory.path("pop3.sizes")).unwrap();
    directory.write("sizes", kept.replacen('3', "7", 1));
    fs::remove_file(directory.path("pop3.sizes")).unwrap();
    symlink(directory.path("sizes"), directory.path("pop3.sizes")).unwrap();
    assert_eq!(directory.octets(), [3]);

    symlink(&outside, linked.path("pop3.lock")).unwrap();
    fs::remove_file(linked.path("cur")).unwrap();
    fs::create_dir(linked.path("cur")).unwrap();
    assert!(matches!(
        Maildir::open(linked.0.path()),
        Err(OpenError::Io(_))
    ));
}

/// Opening a pipe without a writer would block.
#[test]
fn does_not_wait_for_pipes() {
    let pipe = |directory: &Directory, name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(directory.path(name))
            .status();
        assert!(made.unwrap().success());
    };
    let directory = Directory::new();
    directory.write("cur/1.x:2,", "a");
    pipe(&directory, "pop3.sizes");
    let mut maildir = directory.open();
    assert_eq!(maildir.octets(number(1)), 3);
    fs::remove_file(directory.path("cur/1.x:2,")).unwrap();
    pipe(&directory, "cur/1.x:2,");
    assert!(maildir.open(number(1)).is_err());
    drop(maildir);
    for name in ["new", "cur"] {
        let directory = Directory::new();
        fs::remove_dir(directory.path(name)).unwrap();
        pipe(&directory, name);
        let opened = Maildir::open(directory.0.path());
        assert!(matches!(opened, Err(OpenError::Io(_))), "{name}");
    }
    let directory = Directory::new();
    pipe(&directory, "pipe");
    let opened = Maildir::open(&directory.path("pipe"));
    assert!(matches!(opened, Err(OpenError::Io(_))));
}

#[test]
fn an_error_says_why_the_maildrop_was_not_opened() {
    use std::error::Error as _;
    assert_eq!(
        OpenError::InUse.to_string(),
        "another session has locked the maildrop"
    );
    assert!(OpenError::InUse.source().is_none());
    let error = Maildir::open(Path::new("/nonexistent")).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    assert!(error.source().unwrap().is::<std::io::Error>());
}

#[tokio::test]
async fn reports_a_vanished_message_and_continues_the_session() {
    let directory = Directory::new();
    directory.write("cur/1.x:2,", "a");
    directory.write("cur/2.x:2,", "b");
    let store = MaildirStore::new(Some(directory.0.path().to_owned()), "");
    let server = Running::new(Server::new(store, accounts())).await;
    let mut client = server.logged_in().await;
    fs::remove_file(directory.path("cur/1.x:2,")).unwrap();
    for command in ["RETR 1", "TOP 1 0"] {
        let answer = client.ask(command).await;
        assert_eq!(answer, "-ERR [SYS/TEMP] the message cannot be read now");
    }
    assert_eq!(client.block("RETR 2").await, b"b\r\n");
    // The client can still delete the vanished message.
    client.ask("DELE 1").await;
    client.quit().await;
    assert!(directory.path("cur/2.x:2,").exists());
}

#[test]
fn finds_a_message_that_another_program_moved() {
    let directory = Directory::new();
    for name in ["new/1.x", "new/2.x", "cur/3.x:2,"] {
        directory.write(name, name);
    }
    let mut maildir = directory.open();
    directory.rename("new/1.x", "cur/1.x:2,S");
    directory.rename("new/2.x", "cur/2.x:2,");
    directory.rename("cur/3.x:2,", "cur/3.x:2,F");
    directory.write("new/4.x", "4");
    assert_eq!(read(&mut maildir, 1), b"new/1.x");
    assert_eq!(read(&mut maildir, 1), b"new/1.x");
    commit(maildir, &[1, 3]).unwrap();
    assert_eq!(directory.unique_ids(), ["2.x", "4.x"]);
}

#[test]
fn reports_a_message_that_cannot_be_removed_and_removes_the_others() {
    let directory = Directory::new();
    for name in ["cur/1.x:2,", "cur/2.x:2,", "cur/3.x:2,"] {
        directory.write(name, "a");
    }
    let maildir = directory.open();
    // Not even root can unlink a directory.
    fs::remove_file(directory.path("cur/2.x:2,")).unwrap();
    fs::create_dir(directory.path("cur/2.x:2,")).unwrap();
    assert!(commit(maildir, &[1, 2, 3]).is_err());
    assert_eq!(directory.unique_ids(), [""; 0]);
}

#[test]
fn refuses_to_open_what_is_not_a_maildir() {
    let directory = TempDir::new().unwrap();
    assert!(matches!(
        Maildir::open(directory.path()),
        Err(OpenError::Io(_))
    ));
    assert!(matches!(
        Maildir::open(Path::new("/nonexistent")),
        Err(OpenError::Io(_))
    ));
}

//! Runs that are interrupted.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use pop3_peers::make_maildir;

use super::{Home, Server, messages};

/// The server stops after `n` octets of a session, for many values of `n`. The
/// run is killed there, and the next run may finish.
#[test]
fn a_kill_at_any_point_neither_loses_nor_duplicates_mail() {
    for to in ["maildir", "mbox"] {
        for keep in ["--keep", "--delete"] {
            let mail = messages(9);
            let mut octets = 0;
            let mut was_cut = true;
            while was_cut {
                let (home, server) = (Home::new(to), Server::new(mail.clone()));
                server.stop_after(octets);
                let mut child = home.spawn(&server, &[keep]);
                was_cut = !server.end_or_kill(&mut child).success();
                server.go_on();
                home.fetch(&server, &[keep]).ends(0);
                home.has(&mail);
                if keep == "--delete" {
                    assert!(server.state.lock().unwrap().maildrop.is_empty());
                }
                octets += 61;
            }
            assert!(octets > 600, "only {octets} octets");
        }
    }
}

#[test]
fn a_second_run_on_the_same_account_does_nothing() {
    let (home, mail) = (Home::new("maildir"), messages(20));
    let server = Server::new(mail.clone());
    server.stop_after(700);
    let mut child = home.spawn(&server, &[]);
    server.wait_until_dead();
    // A second run on the same account while the first one waits.
    let second = home.fetch(&server, &[]).ends(75);
    assert!(second.stderr.contains("another run"), "{second:?}");
    assert_eq!(second.stderr.lines().count(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    server.go_on();
    home.fetch(&server, &[]).ends(0);
    home.has(&mail);
}

#[test]
fn a_dry_run_leaves_what_a_killed_run_began_to_the_next_run() {
    let (home, mut mail) = (Home::new("maildir"), messages(1));
    mail[0].1 = format!("{}\r\n", "x".repeat(70))
        .repeat(20_000)
        .into_bytes();
    let server = Server::new(mail.clone());
    server.stop_after(1_000_000);
    let mut child = home.spawn(&server, &[]);
    server.wait_until_dead();
    let in_tmp = || fs::read_dir(home.path("mail/tmp")).map_or(0, Iterator::count);
    while in_tmp() == 0 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    server.go_on();
    home.fetch(&server, &["--dry-run"]).ends(0);
    assert_eq!(in_tmp(), 1);
    home.fetch(&server, &[]).ends(0);
    home.has(&mail);
}

/// A limit on the size of files acts as a full disk.
#[test]
fn a_full_disk_loses_no_mail() {
    for to in ["maildir", "mbox"] {
        let (home, mut mail) = (Home::new(to), messages(3));
        mail[2].1 = format!("{}\r\n", "x".repeat(70))
            .repeat(40_000)
            .into_bytes();
        let server = Server::new(mail.clone());
        let run = Command::new("/bin/sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_pop3"))
            .args(["fetch", &server.url, "--delete", "--to"])
            .arg(format!("{to}:{}", home.path("mail").display()))
            .arg("--journal")
            .arg(home.path("state/journal.sqlite"))
            .env("POP3_PASSWORD", "secret")
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(74), "{run:?}");
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert!(stderr.contains("File too large"), "{stderr}");
        assert_eq!(server.state.lock().unwrap().maildrop.len(), 3);
        home.fetch(&server, &["--delete"]).ends(0);
        home.has(&mail);
    }
}

#[test]
fn a_read_only_directory_loses_no_mail() {
    let (home, mail) = (Home::new("maildir"), messages(2));
    let server = Server::new(mail.clone());
    make_maildir(&home.path("mail")).unwrap();
    let tmp = home.path("mail/tmp");
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o500)).unwrap();
    let run = home.fetch(&server, &["--delete"]);
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o700)).unwrap();
    // Root can write to a read-only directory.
    if run.status != Some(0) {
        let run = run.ends(73);
        assert!(run.stderr.contains("cannot create"), "{run:?}");
        home.fetch(&server, &["--delete"]).ends(0);
    }
    home.has(&mail);
}

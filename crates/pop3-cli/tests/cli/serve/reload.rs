//! SIGHUP: the files of users and of the certificate are read again.

use std::{fs, path::Path};

use pop3_peers::make_maildir;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;

use super::{maildir, systemd::Manager};
use crate::{Run, pop3, run};

const REJECTED: &str = "-ERR [AUTH] login failed\r\n";

/// A line for the file of users, with a Maildir in its directory.
fn line(directory: &Path, user: &str, password: &str) -> String {
    make_maildir(&directory.join(user)).unwrap();
    let line = run(["serve", "--hash", user], password.as_bytes()).stdout;
    let line = String::from_utf8(line).unwrap();
    format!("{}:{user}\n", line.trim_end())
}

#[test]
fn a_changed_password_is_in_force_at_once_and_sessions_continue() {
    let directory = maildir();
    let path = directory.path();
    let file = path.join("users");
    let other = line(path, "other", "secret");
    fs::write(&file, other.clone() + &line(path, "me", "old")).unwrap();
    for options in [&[][..], &["--remember-logins", "60"]] {
        fs::write(&file, other.clone() + &line(path, "me", "old")).unwrap();
        let manager = Manager::new();
        let always = ["--users", file.to_str().unwrap(), "--login-delay", "0"];
        let server = manager.start(&[&always[..], options].concat());
        let log_in = |name: &str, password: &str| {
            let mut client = server.client();
            let answer = client.try_to_log_in(name, password);
            client.ask("QUIT");
            answer
        };
        let mut session = server.client();
        session.log_in("other", "secret");
        for _ in 0..2 {
            assert!(log_in("me", "old").starts_with("+OK"));
            assert_eq!(log_in("me", "new"), REJECTED);
        }
        let new = line(path, "me", "new");
        fs::write(&file, other.clone() + &new).unwrap();
        manager.reload(&server);
        assert_eq!(log_in("me", "old"), REJECTED);
        assert!(log_in("me", "new").starts_with("+OK"));
        // One without users, and one user less.
        fs::write(&file, "").unwrap();
        manager.reload(&server);
        assert!(log_in("me", "new").starts_with("+OK"));
        fs::write(&file, new).unwrap();
        manager.reload(&server);
        assert_eq!(log_in("other", "secret"), REJECTED);
        assert_eq!(session.ask("STAT"), "+OK 0 0\r\n");
        assert_eq!(session.ask("QUIT"), "+OK goodbye\r\n");
        server.signal(Signal::TERM);
        let (status, log) = server.done();
        assert_eq!(status, Some(0), "{log}");
        assert!(
            log.contains("users changed=true") || log.contains("users=1 changed=true"),
            "{log}"
        );
    }
}

#[test]
fn a_faulty_file_of_users_changes_nothing() {
    let directory = maildir();
    let path = directory.path();
    let file = path.join("users");
    let good = line(path, "me", "secret");
    fs::write(&file, &good).unwrap();
    let manager = Manager::new();
    let server = manager.start(&["--users", file.to_str().unwrap()]);
    let without_maildir = line(path, "other", "secret").replace(":other\n", ":nowhere\n");
    for faulty in [
        format!("{good}other:hunter2\n"),
        format!("{good}{without_maildir}"),
    ] {
        fs::write(&file, faulty).unwrap();
        manager.reload(&server);
        let mut client = server.client();
        client.log_in("me", "secret");
        client.ask("QUIT");
    }
    fs::remove_file(&file).unwrap();
    manager.reload(&server);
    server.client().log_in("me", "secret");
    server.signal(Signal::TERM);
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    let errors = log.lines().filter(|line| line.contains("ERROR"));
    let errors: Vec<&str> = errors.collect();
    for (error, part) in errors
        .iter()
        .zip(["users, line 2: ", "nowhere", "cannot read "])
    {
        assert!(
            error.contains("stays in use") && error.contains(part),
            "{error}"
        );
    }
    assert_eq!(errors.len(), 3, "{log}");
    assert!(
        !log.contains("hunter2") && !log.contains("argon2id"),
        "{log}"
    );
}

#[test]
fn a_new_certificate_is_shown_to_new_connections() {
    let directory = maildir();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let certify = |name: &str| {
        let names = ["127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        fs::write(path(name), cert.pem()).unwrap();
        fs::write(path(&format!("{name}.key")), signing_key.serialize_pem()).unwrap();
    };
    let install = |certificate: &str, key: &str| {
        fs::copy(path(certificate), path("cert.pem")).unwrap();
        fs::copy(path(key), path("key.pem")).unwrap();
    };
    certify("first");
    certify("second");
    install("first", "first.key");
    let manager = Manager::new();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let mut server = manager.start(&[
        "--demo",
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ]);
    let address = server.0.line().unwrap();
    let url = format!("pop3s://demo@{address}");
    let list = |trusted: &str| {
        let mut command = pop3(["list", &url, "--ca-file", &path(trusted)]);
        let output = command.env("POP3_PASSWORD", "demo").output().unwrap();
        Run::from(output).status
    };
    let shown = || ["first", "second"].map(|trusted| list(trusted) == Some(0));
    assert_eq!(shown(), [true, false]);
    // A key of another certificate: the old pair stays.
    install("second", "first.key");
    manager.reload(&server);
    assert_eq!(shown(), [true, false]);
    install("second", "second.key");
    manager.reload(&server);
    assert_eq!(shown(), [false, true]);
    server.signal(Signal::TERM);
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("cannot read the certificate again"), "{log}");
}

/// As when a terminal is closed.
#[test]
fn ends_the_server_if_there_is_no_file_to_read() {
    let server = super::Server::new(&["--demo"]);
    server.signal(Signal::HUP);
    assert_eq!(server.done().0, None);
}

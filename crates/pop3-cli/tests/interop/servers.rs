//! Our client against other servers: list, fetch 300 messages, octet for octet,
//! delete, and find nothing new.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use pop3_testkit::peer::{self, Identity, PASSWORD, Server, USER, messages, with_crlf};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::clients::{assert_stored, run};

const COUNT: usize = 300;

fn pop3(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command.env("POP3_PASSWORD", PASSWORD);
    command.env("XDG_STATE_HOME", folder.join("state"));
    command
}

/// All of it, from a server at that URL which announces such a size.
fn all(
    server: &Server,
    url: &str,
    messages: Vec<Vec<u8>>,
    size: fn(&[u8]) -> usize,
    options: &[&str],
) {
    let folder = TempDir::new().unwrap();
    let maildir = folder.path().join("Maildir");

    let listed = run(pop3(folder.path())
        .args(["list", "--json", url])
        .args(options));
    let listed = String::from_utf8(listed.stdout).unwrap();
    for message in &messages {
        let octets = format!("\"octets\":{}", size(message));
        assert!(listed.contains(&octets), "{octets} is not in {listed}");
    }

    let fetch = || {
        let mut command = pop3(folder.path());
        command
            .args(["fetch", "--delete", "--json", url])
            .args(options);
        command
            .arg("--to")
            .arg(format!("maildir:{}", maildir.display()));
        String::from_utf8(run(&mut command).stdout).unwrap()
    };
    let first = fetch();
    let count = messages.len();
    assert!(first.contains(&format!("\"delivered\":{count}")), "{first}");
    assert!(first.contains(&format!("\"deleted\":{count}")), "{first}");
    assert_stored(&maildir, messages);
    assert_becomes_empty(server);

    let second = fetch();
    assert!(second.contains("\"delivered\":0"), "{second}");
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), count);
}

/// mpopd says that it has deleted, and then does.
fn assert_becomes_empty(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.messages().unwrap() > 0 {
        assert!(Instant::now() < deadline, "messages are left");
        thread::sleep(Duration::from_millis(10));
    }
}

fn exact(message: &[u8]) -> usize {
    with_crlf(message).len()
}

fn url(scheme: &str, port: u16) -> String {
    format!("{scheme}://{USER}@127.0.0.1:{port}")
}

#[test]
fn dovecot() {
    let messages = messages(COUNT);
    if let Some(server) = peer::dovecot(&messages, None).unwrap() {
        let url = url("pop3", server.address.port());
        all(&server, &url, messages, exact, &["--insecure-plaintext"]);
    }
}

#[test]
fn dovecot_under_tls() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = cert.pem();
    let folder = TempDir::new().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, &certificate).unwrap();
    let options = ["--ca-file", ca_file.to_str().unwrap()];
    for scheme in ["pop3", "pop3s"] {
        let messages = messages(COUNT);
        let identity = Identity {
            certificate: &certificate,
            key: &signing_key.serialize_pem(),
        };
        let Some(server) = peer::dovecot(&messages, Some(identity)).unwrap() else {
            return;
        };
        let port = match scheme {
            "pop3" => server.address.port(),
            _ => server.tls_address.unwrap().port(),
        };
        all(&server, &url(scheme, port), messages, exact, &options);
    }
}

#[test]
fn mpopd() {
    let messages = messages(COUNT);
    if let Some(server) = peer::mpopd(&messages).unwrap() {
        let url = url("pop3", server.address.port());
        // It counts LF, not CRLF.
        all(
            &server,
            &url,
            messages,
            <[u8]>::len,
            &["--insecure-plaintext"],
        );
    }
}

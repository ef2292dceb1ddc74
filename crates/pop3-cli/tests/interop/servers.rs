//! Our client against other servers: it lists, fetches 300 messages octet for
//! octet, deletes them, and then finds nothing new.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use pop3_peers::{
    COURIER, CYRUS, DAEMONS, DOVECOT, Daemon, Identity, MPOPD, PASSWORD, SOLID, Server, USER,
    messages, with_crlf,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::clients::{assert_stored, run};

const COUNT: usize = 300;

fn pop3(directory: &Path) -> Command {
    pop3_peers::limit_children(crate::CHILD_LIMIT);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command.env("POP3_PASSWORD", PASSWORD);
    command.env("XDG_STATE_HOME", directory.join("state"));
    command
}

/// Runs all steps against a server at that URL that announces such sizes.
fn all(
    server: &Server,
    url: &str,
    messages: Vec<Vec<u8>>,
    size: fn(&[u8]) -> usize,
    options: &[impl AsRef<OsStr>],
) {
    let directory = TempDir::new().unwrap();
    let maildir = directory.path().join("Maildir");

    let listed = run(pop3(directory.path())
        .args(["list", "--json", url])
        .args(options));
    let listed = String::from_utf8(listed.stdout).unwrap();
    for message in &messages {
        let octets = format!("\"octets\":{}", size(message));
        assert!(listed.contains(&octets), "{octets} is not in {listed}");
    }

    let fetch = || {
        let mut command = pop3(directory.path());
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

/// mpopd and Courier report the deletion before they do it.
fn assert_becomes_empty(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(300);
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

/// Runs all steps against a server that serves its messages unchanged.
fn all_from(daemon: &Daemon) {
    let messages = messages(COUNT);
    if let Some(server) = daemon.start(&messages, None).unwrap() {
        let url = url("pop3", server.address.port());
        all(&server, &url, messages, exact, &["--insecure-plaintext"]);
    }
}

#[test]
fn dovecot() {
    all_from(&DOVECOT);
}

#[test]
fn courier() {
    all_from(&COURIER);
}

#[test]
fn cyrus() {
    all_from(&CYRUS);
}

#[test]
fn solid() {
    all_from(&SOLID);
}

/// Neither stuffs a dot that is the first octet of a message.
#[test]
fn an_unstuffed_first_dot_loses_no_mail() {
    for (daemon, options) in [
        (&DOVECOT, &["--delete"][..]),
        (&DOVECOT, &["--delete", "--no-pipelining"]),
        (&COURIER, &["--delete"]),
    ] {
        let sound = [
            &b"Subject: one\n\nsound\n"[..],
            b"Subject: last\n\nsound, too\n",
        ];
        let dotted = [
            &b".\nSubject: a dot alone\n\nall of it is cut off\n"[..],
            b"..two\nSubject: two dots\n\none of them is lost\n",
            b".\n",
        ];
        let messages = [&sound[..1], &dotted, &sound[1..]].concat();
        let messages: Vec<Vec<u8>> = messages.iter().map(|message| message.to_vec()).collect();
        let Some(server) = daemon.start(&messages, None).unwrap() else {
            continue;
        };
        let directory = TempDir::new().unwrap();
        let maildir = directory.path().join("Maildir");
        for _ in 0..3 {
            let mut command = pop3(directory.path());
            command.args(["fetch", "--insecure-plaintext", "--to"]);
            command.arg(format!("maildir:{}", maildir.display()));
            command
                .arg(url("pop3", server.address.port()))
                .args(options);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(76), "{said}");
            assert!(said.contains("3 messages stay on the server"), "{said}");
        }
        assert_stored(&maildir, sound.map(<[u8]>::to_vec).to_vec());
        assert_eq!(server.messages().unwrap(), dotted.len());
    }
}

#[test]
fn dovecot_under_tls() {
    let tls = Tls::new();
    for scheme in ["pop3", "pop3s"] {
        let messages = messages(COUNT);
        let Some(server) = DOVECOT.start(&messages, Some(tls.identity())).unwrap() else {
            return;
        };
        let port = match scheme {
            "pop3" => server.address.port(),
            _ => server.tls_address.unwrap().port(),
        };
        all(&server, &url(scheme, port), messages, exact, &tls.options());
    }
}

#[test]
fn every_server_with_stls() {
    let tls = Tls::new();
    for daemon in DAEMONS.into_iter().filter(|daemon| daemon.stls) {
        let Some(server) = daemon.start(messages(3), Some(tls.identity())).unwrap() else {
            continue;
        };
        let mut urls = vec![url("pop3", server.address.port())];
        urls.extend(
            server
                .tls_address
                .map(|address| url("pop3s", address.port())),
        );
        for url in urls {
            let directory = TempDir::new().unwrap();
            let mut list = pop3(directory.path());
            let listed = run(list.args(["list", "--json", &url]).args(tls.options()));
            let listed = String::from_utf8(listed.stdout).unwrap();
            assert_eq!(
                listed.matches("\"unique-id\":").count(),
                3,
                "{url}: {listed}"
            );
        }
    }
}

#[test]
fn mpopd() {
    let messages = messages(COUNT);
    if let Some(server) = MPOPD.start(&messages, None).unwrap() {
        let url = url("pop3", server.address.port());
        // mpopd counts LF, not CRLF.
        all(
            &server,
            &url,
            messages,
            <[u8]>::len,
            &["--insecure-plaintext"],
        );
    }
}

/// A server certificate with its key, and the directory that holds them.
struct Tls {
    certificate: String,
    key: String,
    directory: TempDir,
}

impl Tls {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("ca.pem"), cert.pem()).unwrap();
        Self {
            certificate: cert.pem(),
            key: signing_key.serialize_pem(),
            directory,
        }
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    fn options(&self) -> [String; 2] {
        let ca_file = self.directory.path().join("ca.pem");
        ["--ca-file".to_owned(), ca_file.display().to_string()]
    }
}

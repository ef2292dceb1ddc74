//! `pop3 check` against `pop3 serve`: every row passes. Also the report forms,
//! the choice of rows, and runs that give no report.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
};

use pop3_peers::{Listening, make_maildir};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Run, pop3};

mod echoes;
mod options;

const USER: &str = "mrose";
const PASSWORD: &str = "tanstaaf";

/// Messages for every row: dots at the start of a message and of lines, and
/// enough lines for TOP.
const MESSAGES: [&str; 4] = [
    ".first: a dot\nSubject: 1\n\none line\nand another\n",
    "Subject: 2\n\n.dot\n..two\n.\nand an end\n",
    "Subject: 3\n\none\ntwo\n",
    "Subject: 4\nX-Long: a header of some length, with words in it\n\n1\n2\n3\n",
];

/// A running server over a Maildir with those messages.
struct Server {
    _process: Listening,
    directory: TempDir,
    /// Its addresses: first the one in the clear, then the one under TLS.
    addresses: Vec<String>,
}

impl Server {
    fn new(options: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        make_maildir(directory.path()).unwrap();
        for (number, message) in MESSAGES.iter().enumerate() {
            fs::write(directory.path().join(format!("new/{number}.x")), message).unwrap();
        }
        let mut command = pop3(["serve", "--listen", "127.0.0.1:0", "--user", USER]);
        command
            .args(["--login-delay", "0", "--maildir"])
            .arg(directory.path())
            .args(options)
            .env("POP3_PASSWORD", PASSWORD)
            .stderr(Stdio::null());
        let mut process = Listening::start(&mut command).unwrap();
        let mut addresses = vec![process.address.clone()];
        if options.contains(&"--tls-listen") {
            addresses.push(process.line().unwrap());
        }
        Self {
            _process: process,
            directory,
            addresses,
        }
    }

    fn with_tls(certificate: &Path) -> Self {
        Self::new(&[
            "--tls-self-signed",
            "--tls-listen",
            "127.0.0.1:0",
            "--write-cert",
            certificate.to_str().unwrap(),
        ])
    }

    fn url(&self) -> String {
        format!("pop3://{USER}@{}", self.addresses[0])
    }

    fn messages(&self) -> usize {
        let parts = ["new", "cur"].map(|part| self.directory.path().join(part));
        parts
            .map(|part| fs::read_dir(part).unwrap().count())
            .iter()
            .sum()
    }
}

fn check(url: &str, options: &[&str], password: &str) -> Run {
    let output = command(url, options, password).output().unwrap();
    Run::from(output)
}

fn command(url: &str, options: &[&str], password: &str) -> Command {
    let mut command = pop3(["check", url]);
    command.args(options).env("POP3_PASSWORD", password);
    command
}

fn json(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr))
}

/// The ids of the rows with this verdict.
fn rows(report: &Value, verdict: &str) -> BTreeSet<String> {
    let rows = report["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["verdict"] == verdict)
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn our_server_passes_every_row_by_stls() {
    let certificate = TempDir::new().unwrap();
    let certificate = certificate.path().join("certificate.pem");
    let server = Server::with_tls(&certificate);
    let ca_file = ["--ca-file", certificate.to_str().unwrap()];
    let options = [&["--format", "json", "--destructive"], &ca_file[..]].concat();
    let run = check(&server.url(), &options, PASSWORD);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let report = json(&run);
    for verdict in ["fail", "warn", "not testable here"] {
        assert_eq!(rows(&report, verdict), ids(&[]), "{report:#}");
    }
    assert!(rows(&report, "pass").len() > 40);
    assert_eq!(server.messages(), MESSAGES.len() - 1);
    assert!(!String::from_utf8_lossy(&run.stdout).contains(PASSWORD));
}

#[test]
fn stls_is_not_testable_over_implicit_tls() {
    let certificate = TempDir::new().unwrap();
    let certificate = certificate.path().join("certificate.pem");
    let server = Server::with_tls(&certificate);
    let url = format!("pop3s://{USER}@{}", server.addresses[1]);
    let options = [
        "--format",
        "json",
        "--ca-file",
        certificate.to_str().unwrap(),
    ];
    let run = check(&url, &options, PASSWORD);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let not_testable = ids(&[
        "rfc1939-dropped-connection",
        "rfc1939-update",
        "rfc1939-unique-id-reuse",
        "rfc2595-stls",
        "rfc2595-stls-discards",
    ]);
    assert_eq!(rows(&json(&run), "not testable here"), not_testable);
    assert_eq!(rows(&json(&run), "fail"), ids(&[]));
    assert_eq!(server.messages(), MESSAGES.len());
}

/// The option only allows going without TLS; it does not turn STLS off.
#[test]
fn insecure_plaintext_uses_stls_where_it_is_announced() {
    let certificate = TempDir::new().unwrap();
    let certificate = certificate.path().join("certificate.pem");
    let server = Server::with_tls(&certificate);
    let trusting = ["--ca-file", certificate.to_str().unwrap()];
    let options = ["--insecure-plaintext", "--format", "json"];
    let run = check(&server.url(), &[&options, &trusting[..]].concat(), PASSWORD);
    let report = json(&run);
    assert_eq!(run.status, Some(0), "{report:#}");
    assert!(rows(&report, "pass").contains("rfc2595-stls"), "{report:#}");

    let run = check(&server.url(), &options, PASSWORD);
    assert_eq!((run.status, &run.stdout[..]), (Some(69), &b""[..]));
    assert!(run.stderr.contains("certificate"), "{}", run.stderr);
}

#[test]
fn require_tls_sends_nothing_secret_in_the_clear_to_loopback() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    let (tell, sent) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(b"+OK\r\n").unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let Ok(line) = line else { break };
                let _ = stream.write_all(match &*line {
                    "CAPA" => b"+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n",
                    _ => b"+OK\r\n",
                });
                tell.send(line).unwrap();
            }
        }
    });
    let run = check(&url, &["--require-tls", "--only", "C0002"], PASSWORD);
    assert_eq!((run.status, &run.stdout[..]), (Some(69), &b""[..]));
    assert!(
        run.stderr.contains("does not announce STLS"),
        "{}",
        run.stderr
    );
    let advice = "--insecure-plaintext";
    assert!(!run.stderr.contains(advice), "{}", run.stderr);
    let sent: BTreeSet<String> = sent.try_iter().collect();
    assert_eq!(sent, ids(&["CAPA"]));
}

#[test]
fn a_self_signed_certificate_ends_the_run_without_a_report() {
    let certificate = TempDir::new().unwrap();
    let server = Server::with_tls(&certificate.path().join("certificate.pem"));
    let run = check(&server.url(), &[], PASSWORD);
    assert_eq!((run.status, &run.stdout[..]), (Some(69), &b""[..]));
    assert!(run.stderr.contains("certificate"), "{}", run.stderr);
}

#[test]
fn each_form_can_be_read() {
    let server = Server::new(&[]);
    let form = |form| {
        let options = ["--only", "c0002,C0017", "--format", form];
        let run = check(&server.url(), &options, PASSWORD);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
        String::from_utf8(run.stdout).unwrap()
    };
    let text = form("text");
    assert!(text.contains("C0017  pass  STAT"), "{text}");
    assert!(text.ends_with("\n2 pass\n"), "{text}");
    let xml = quick_junit::Report::deserialize_from_str(&form("junit")).unwrap();
    assert_eq!((xml.tests, xml.failures, xml.errors), (2, 0, 0));
    let json: Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(rows(&json, "pass"), ids(&["C0002", "C0017"]));
    let html = form("html");
    assert!(
        html.starts_with("<!DOCTYPE html>") && html.contains("id=\"C0017\""),
        "{html}"
    );
}

#[test]
fn rows_can_be_left_out() {
    let server = Server::new(&[]);
    let options = ["--format", "json", "--skip", "C0002,rfc1939-quit"];
    let run = check(&server.url(), &options, PASSWORD);
    let report = json(&run);
    let all = report["rows"].as_array().unwrap();
    assert!(all.len() > 40 && all.iter().all(|row| row["id"] != "C0002"));
}

#[test]
fn exits_with_64_on_wrong_usage() {
    for arguments in [
        &["pop3://127.0.0.1"][..],
        &["imap://me@127.0.0.1"],
        &["pop3://me@127.0.0.1", "--only", "C9999"],
        &["pop3://me@127.0.0.1", "--skip", "C0017,bogus"],
        &["pop3://me@127.0.0.1", "--format", "yaml"],
        &["pop3://me@127.0.0.1", "--timeout", "0"],
        &["pop3://me@127.0.0.1", "--profile", "outlook-97"],
        &["pop3://me@127.0.0.1", "--auth", "APOP"],
    ] {
        let run = check(arguments[0], &arguments[1..], PASSWORD);
        assert_eq!(run.status, Some(64), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, b"", "{arguments:?}");
    }
}

#[test]
fn a_refused_login_ends_the_run_without_a_report() {
    let server = Server::new(&[]);
    let run = check(&server.url(), &[], "wrong");
    assert_eq!((run.status, &run.stdout[..]), (Some(77), &b""[..]));
    assert!(run.stderr.contains("PASS ***"), "{}", run.stderr);

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let run = check(&format!("pop3://me@{address}"), &[], PASSWORD);
    assert_eq!(
        (run.status, &run.stdout[..]),
        (Some(69), &b""[..]),
        "{}",
        run.stderr
    );
}

/// A server that answers no command gets a report that fails.
#[test]
fn fails_a_server_without_a_greeting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"+OK, and no line end");
            let _ = stream.read(&mut [0; 64]);
        }
    });
    let options = ["--timeout", "1", "--format", "json"];
    let run = check(&url, &options, PASSWORD);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "pop3 check: the server violates a MUST: C0005\n"
    );
    assert_eq!(rows(&json(&run), "fail"), ids(&["C0005"]));
}

/// A row that was not tried has not passed.
#[test]
fn a_server_that_vanishes_does_not_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // The server accepts no further connection.
        drop(listener);
        let mut commands = BufReader::new(stream.try_clone().unwrap()).lines();
        (&stream).write_all(b"+OK\r\n").unwrap();
        while let Some(Ok(command)) = commands.next() {
            let reply: &[u8] = match command.as_str() {
                "QUIT" => b"+OK\r\n",
                _ => b"-ERR\r\n",
            };
            (&stream).write_all(reply).unwrap();
            if command == "QUIT" {
                break;
            }
        }
    });
    let run = check(&url, &["--format", "json"], PASSWORD);
    server.join().unwrap();
    assert_eq!(run.status, Some(75), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("not all rows were tried: (no connection"),
        "{}",
        run.stderr
    );
    let report = json(&run);
    assert!(report["cut_short"].is_string(), "{report}");
}

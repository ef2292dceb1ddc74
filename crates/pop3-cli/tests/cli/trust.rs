//! `--ca-file` and `--fingerprint` of `pop3 list`, `check` and `fetch`, against
//! `pop3 serve` with a certificate made by `openssl req -x509`.

use std::{
    fs,
    process::{Command, Stdio},
};

use pop3_peers::{Listening, make_maildir};
use tempfile::TempDir;

use crate::{Run, pop3};

/// A server with a certificate for `name`.
struct Server {
    process: Listening,
    directory: TempDir,
}

impl Server {
    /// Returns `None` without openssl.
    fn new(name: &str) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=x",
                "-addext",
                &format!("subjectAltName={name}"),
            ])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&directory)
            .output()
            .ok()?;
        assert!(made.status.success(), "{made:?}");
        make_maildir(&directory.path().join("Mail")).unwrap();
        fs::write(directory.path().join("Mail/new/1.x"), "Subject: 1\n\n.\n").unwrap();
        let mut command = pop3(["serve", "--tls-listen", "127.0.0.1:0", "--user", "me"]);
        command
            .args(["--login-delay", "0", "--maildir", "Mail"])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .current_dir(&directory)
            .env("POP3_PASSWORD", "tanstaaf")
            .stderr(Stdio::null());
        Some(Self {
            process: Listening::start(&mut command).unwrap(),
            directory,
        })
    }

    fn fingerprint(&self) -> String {
        let output = Command::new("openssl")
            .args([
                "x509",
                "-noout",
                "-fingerprint",
                "-sha256",
                "-in",
                "cert.pem",
            ])
            .current_dir(&self.directory)
            .output()
            .unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        line.trim_end().split_once('=').unwrap().1.to_owned()
    }

    fn run(&self, command: &str, options: &[&str]) -> Run {
        let output = pop3([command, &format!("pop3s://me@{}", self.process.address)])
            .args(options)
            .current_dir(&self.directory)
            .env("POP3_PASSWORD", "tanstaaf")
            .output()
            .unwrap();
        Run::from(output)
    }

    /// Each command that connects.
    fn each(&self, options: &[&str]) -> [Run; 3] {
        let fetch = ["--to", "maildir:Fetched", "--journal", "journal"];
        [
            self.run("list", options),
            self.run("check", options),
            self.run("fetch", &[options, &fetch].concat()),
        ]
    }
}

#[test]
fn trusts_the_certificate_of_openssl_req_that_ca_file_names() {
    let Some(server) = Server::new("IP:127.0.0.1") else {
        return;
    };
    for run in server.each(&["--ca-file", "cert.pem"]) {
        assert_eq!(run.status, Some(0), "{}", run.stderr);
    }
    for run in server.each(&[]) {
        assert_eq!(run.status, Some(69), "{}", run.stderr);
    }
}

#[test]
fn trusts_a_fingerprint_and_shows_the_found_one_if_it_differs() {
    let Some(server) = Server::new("DNS:elsewhere.example.org") else {
        return;
    };
    let fingerprint = server.fingerprint();
    let plain = fingerprint.replace(':', "").to_lowercase();
    for text in [&fingerprint, &plain] {
        for run in server.each(&["--fingerprint", text]) {
            assert_eq!(run.status, Some(0), "{}", run.stderr);
        }
    }
    for run in server.each(&["--fingerprint", &"0".repeat(64), "--ca-file", "cert.pem"]) {
        assert_eq!(run.status, Some(69), "{}", run.stderr);
        let pin = format!("--fingerprint {fingerprint}");
        assert!(run.stderr.contains(&pin), "{}", run.stderr);
    }
    for options in [
        &["--fingerprint", "abc"][..],
        &["--fingerprint", &plain, "--insecure-plaintext"],
        &["--fingerprint", &plain, "--dangerous-accept-invalid-certs"],
    ] {
        for run in server.each(options) {
            assert_eq!(run.status, Some(64), "{}", run.stderr);
        }
    }
}

//! `--ca-file` and `--fingerprint` of `pop3 list`, `check` and `fetch`, against
//! `pop3 serve` with a certificate made by `openssl req -x509`.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{Run, pop3};

/// A server with a certificate for `name`, and its address.
struct Server {
    child: Child,
    directory: TempDir,
    address: String,
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
        for part in ["Mail", "Mail/tmp", "Mail/cur", "Mail/new"] {
            fs::create_dir(directory.path().join(part)).unwrap();
        }
        fs::write(directory.path().join("Mail/new/1.x"), "Subject: 1\n\n.\n").unwrap();
        let mut child = pop3(["serve", "--tls-listen", "127.0.0.1:0", "--user", "me"])
            .args(["--login-delay", "0", "--maildir", "Mail"])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .current_dir(&directory)
            .env("POP3_PASSWORD", "tanstaaf")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut address).unwrap();
        let address = address.trim_end().to_owned();
        Some(Self {
            child,
            directory,
            address,
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
        let output = pop3([command, &format!("pop3s://me@{}", self.address)])
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

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

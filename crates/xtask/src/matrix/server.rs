//! Servers, over a maildrop with the messages that the checks need.

use std::{fs, io, net::SocketAddr, path::Path, process::Stdio};

use anyhow::{Context as _, bail};
use pop3_peers::{DAEMONS, Daemon, Identity, LIBRARIES, Listening, PASSWORD, USER, make_maildir};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use super::subject::{Kind, Subject};
use crate::shell::command;

/// The name of our server.
pub(super) const OURS: &str = "pop3 serve";

/// All servers, ours first.
pub(super) fn names() -> Vec<&'static str> {
    let peers = peers().map(|daemon| daemon.name);
    [OURS].into_iter().chain(peers).collect()
}

fn peers() -> impl Iterator<Item = &'static Daemon> {
    DAEMONS.into_iter().chain(LIBRARIES)
}

/// Checks a server with STLS; a server on this machine that lacks STLS is checked without.
pub(super) fn check(name: &str, minutes: u64) -> anyhow::Result<Subject> {
    let directory = TempDir::with_prefix("pop3-matrix-")?;
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
    let trusted = directory.path().join("certificate.pem");
    fs::write(&trusted, &certificate)?;
    fs::write(directory.path().join("key.pem"), &key)?;

    let ask = |version, address: SocketAddr| {
        Subject::of(Kind::Server, name, version, minutes, |pop3| {
            pop3.args(["check", "--destructive", "--format", "json", "--ca-file"])
                .arg(&trusted)
                .arg(format!("pop3://{USER}@{address}"))
                .env("POP3_PASSWORD", PASSWORD);
        })
    };
    let Some(daemon) = peers().find(|daemon| daemon.name == name) else {
        let ours = start(directory.path())?;
        let version = format!("pop3-rs {}", env!("CARGO_PKG_VERSION"));
        return ask(version, ours.address.parse()?);
    };
    if let Some(obstacle) = daemon.obstacle() {
        bail!("{obstacle}");
    }
    let identity = Identity {
        certificate: &certificate,
        key: &key,
    };
    let server = daemon.start(messages(), Some(identity))?;
    let server = server.context("it cannot run")?;
    let registry = if daemon.is_of_npm() { "npm" } else { "Debian" };
    let version = daemon.version().unwrap_or_default();
    let version = format!("{registry} {} {version}", daemon.package);
    ask(version, server.address)
}

/// Starts `pop3 serve` over a Maildir in a directory that contains a certificate.
fn start(directory: &Path) -> io::Result<Listening> {
    let maildir = directory.join("Maildir");
    make_maildir(&maildir)?;
    for (number, message) in messages().iter().enumerate() {
        let name = format!("new/{}.{number}.example", 1_600_000_000 + number);
        fs::write(maildir.join(name), message)?;
    }
    let serve = format!("target/release/pop3 serve --listen 127.0.0.1:0 --user {USER} --maildir");
    let mut serve = command(&serve);
    serve
        .arg(maildir)
        .arg("--tls-cert")
        .arg(directory.join("certificate.pem"))
        .arg("--tls-key")
        .arg(directory.join("key.pem"))
        .env("POP3_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    Listening::start(&mut serve)
}

/// The messages that the checks need, with LF line ends.
fn messages() -> Vec<Vec<u8>> {
    let lines = "A line of some length.\n".repeat(700);
    let long = format!("{}\n{lines}", "x".repeat(998));
    let texts = include_str!("maildrop.txt").split("%\n");
    texts
        .map(|text| text.replace("LONG", &long).into_bytes())
        .collect()
}

//! Servers, over a maildrop that has what the checks ask for.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use pop3_peers::{DAEMONS, Daemon, Identity, LIBRARIES, PASSWORD, USER};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use super::{
    client::program,
    material,
    subject::{Kind, Subject},
    timed,
};

/// Our own.
pub(super) const OURS: &str = "pop3 serve";

/// All of them, ours first.
pub(super) fn names() -> Vec<&'static str> {
    let peers = peers().map(|daemon| daemon.name);
    [OURS].into_iter().chain(peers).collect()
}

fn peers() -> impl Iterator<Item = &'static Daemon> {
    DAEMONS.into_iter().chain(LIBRARIES)
}

/// Checks one.
pub(super) fn check(name: &str, limit: Duration) -> anyhow::Result<Subject> {
    let directory = TempDir::with_prefix("pop3-matrix-")?;
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let certificate = directory.path().join("certificate.pem");
    let key = directory.path().join("key.pem");
    fs::write(&certificate, cert.pem())?;
    fs::write(&key, signing_key.serialize_pem())?;

    let Some(daemon) = peers().find(|daemon| daemon.name == name) else {
        let version = format!("pop3-rs {}", env!("CARGO_PKG_VERSION"));
        let ours = Ours::start(&directory)?;
        return ask(name, version, ours.address, &certificate, limit);
    };
    let version = daemon.version().unwrap_or_default();
    let registry = if daemon.is_of_npm() { "npm" } else { "Debian" };
    let version = format!("{registry} {} {version}", daemon.package);
    if let Some(obstacle) = daemon.obstacle() {
        let why = obstacle.to_string();
        return Ok(Subject::not_run(Kind::Server, name, version, why));
    }
    let identity = Identity {
        certificate: &cert.pem(),
        key: &signing_key.serialize_pem(),
    };
    match daemon.start(material::messages(), Some(identity)) {
        Ok(Some(server)) => ask(name, version, server.address, &certificate, limit),
        Ok(None) => Ok(Subject::not_run(
            Kind::Server,
            name,
            version,
            "it cannot run".to_owned(),
        )),
        Err(error) => Ok(Subject::not_run(
            Kind::Server,
            name,
            version,
            error.to_string(),
        )),
    }
}

/// Asks with STLS; a server on this machine that does not have it is asked
/// without.
fn ask(
    name: &str,
    version: String,
    address: SocketAddr,
    trusted: &Path,
    limit: Duration,
) -> anyhow::Result<Subject> {
    let mut command = Command::new(program()?);
    command
        .args(["check", "--destructive", "--format", "json", "--ca-file"])
        .arg(trusted)
        .arg(format!("pop3://{USER}@{address}"))
        .env("POP3_PASSWORD", PASSWORD);
    let ended = timed::run(&mut command, limit)?;
    Subject::read(Kind::Server, name, version, &ended)
}

/// `pop3 serve`, until dropped.
struct Ours {
    address: SocketAddr,
    process: Child,
}

impl Ours {
    /// Over a Maildir in a directory that has a certificate.
    fn start(directory: &TempDir) -> anyhow::Result<Self> {
        let maildir = directory.path().join("Maildir");
        write_maildir(&maildir)?;
        let mut process = Command::new(program()?)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--user",
                USER,
                "--maildir",
            ])
            .arg(maildir)
            .arg("--tls-cert")
            .arg(directory.path().join("certificate.pem"))
            .arg("--tls-key")
            .arg(directory.path().join("key.pem"))
            .env("POP3_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.split_whitespace().find_map(|word| {
            let word = word.rsplit('/').next().unwrap_or(word);
            word.parse().ok()
        });
        let mut ours = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            process,
        };
        ours.address = address.with_context(|| format!("no address in {line:?}"))?;
        Ok(ours)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_maildir(maildir: &Path) -> anyhow::Result<()> {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    for (number, message) in material::messages().iter().enumerate() {
        let name = format!("new/{}.{number}.example", 1_600_000_000 + number);
        fs::write(maildir.join(name), message)?;
    }
    Ok(())
}

//! `pop3 demo`: fetches a sample from our own server and compares every octet.

use std::{
    fmt, fs,
    future::pending,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, Parser};
use pop3_proto::{Counted, Profile};
use pop3_tokio::server::{Accounts, Listener, MemoryStore, Server};
use tokio::runtime::Runtime;

use crate::{
    exit::{Exit, Failure},
    fetch::Fetch,
    sample,
    serve::self_signed,
};

pub(crate) const NAME: &str = "demo";

const USER: &str = "demo";
const PASSWORD: &str = "demo";
const PROFILE: Profile = Profile::OUTLOOK_2024;

/// Serve sample mail on this machine, fetch it as Outlook 2024 does, and compare
/// every octet
///
/// The server listens on a free port of 127.0.0.1 with TLS and a certificate made
/// for this run. The sample contains every edge case of byte-stuffing. It is
/// fetched into a Maildir in a new temporary directory, which is kept so that you
/// can look at it. The exit status is 1 if anything differs.
#[derive(Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut served: Vec<_> = sample::messages()
            .into_iter()
            .map(|(name, message)| (canonical(&message), name))
            .collect();
        let directory = tempfile::Builder::new()
            .prefix("pop3-demo-")
            .tempdir()
            .map_err(|error| {
                Failure::new(
                    Exit::CannotCreate,
                    format_args!("cannot create a temporary directory: {error}"),
                )
            })?
            .keep();
        let runtime = Runtime::new().map_err(Failure::of_runtime)?;
        let port = runtime.block_on(serve(&directory))?;
        let start = Instant::now();
        fetch(port, &directory)?;
        let time = start.elapsed();
        runtime.shutdown_timeout(Duration::from_secs(1));

        let maildir = directory.join("Maildir");
        let mut stored = stored(&maildir)?;
        served.sort();
        stored.sort();
        let difference = difference(&served, &stored);
        let report = Report {
            messages: served.len(),
            octets: served.iter().map(|(message, _)| message.len()).sum(),
            stuffed: served.iter().map(|(message, _)| dots(message)).sum(),
            time,
            port,
            maildir,
        };
        match difference {
            None => {
                print!("{report}");
                Ok(())
            }
            Some(difference) => Err(Failure::new(
                Exit::Differs,
                format_args!("{difference}; see {}", report.maildir.display()),
            )),
        }
    }
}

/// Serves the sample until the runtime ends. Returns the port.
async fn serve(directory: &Path) -> Result<u16, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Unavailable,
            format_args!("cannot serve the sample on 127.0.0.1: {error}"),
        )
    };
    let store = MemoryStore::new().map_err(failed)?;
    for (_, message) in sample::messages() {
        store.deliver(message);
    }
    let accounts = Accounts::single(USER, PASSWORD).map_err(failed)?;
    let address = ([127, 0, 0, 1], 0).into();
    let listener = Listener::bind_tls(address).await.map_err(failed)?;
    let port = listener.address().port();
    let tls = self_signed([address].iter(), Some(&directory.join("certificate.pem")))?;
    let server = Arc::new(Server::new(store, accounts).tls(tls));
    tokio::spawn(server.serve(vec![listener], pending(), pending()));
    Ok(port)
}

/// The command that a user would type to fetch the sample.
#[derive(Parser)]
#[command(name = "pop3 fetch")]
struct Typed {
    #[command(flatten)]
    fetch: Fetch,
}

fn fetch(port: u16, directory: &Path) -> Result<(), Failure> {
    let in_directory = |name: &str| directory.join(name).display().to_string();
    let typed = Typed::try_parse_from([
        "pop3 fetch",
        &format!("pop3s://{USER}@127.0.0.1:{port}"),
        "--to",
        &format!("maildir:{}", in_directory("Maildir")),
        "--profile",
        PROFILE.name,
        "--ca-file",
        &in_directory("certificate.pem"),
        "--password-command",
        &format!("echo {PASSWORD}"),
        "--journal",
        &in_directory("journal.sqlite"),
        "--line-ends",
        "received",
        "--quiet",
    ]);
    let typed = typed.map_err(|error| Failure::new(Exit::Usage, error))?;
    typed.fetch.run()
}

/// The message as it travels: CRLF ends each line, also the last one, where CR or
/// LF alone ended it. This does not use the encoder, which is tested here.
fn canonical(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 2);
    let mut rest = message;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\r', [b'\n', after @ ..]) | (b'\r' | b'\n', after) => {
                octets.extend_from_slice(b"\r\n");
                after
            }
            (octet, after) => {
                octets.push(*octet);
                after
            }
        };
    }
    if !octets.is_empty() && !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

/// The number of lines in a canonical message that begin with a dot.
fn dots(message: &[u8]) -> usize {
    let lines = message.split_inclusive(|octet| *octet == b'\n');
    lines.filter(|line| line.starts_with(b".")).count()
}

/// The messages of a Maildir.
fn stored(maildir: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let read = || -> io::Result<_> {
        let files = fs::read_dir(maildir.join("new"))?;
        files.map(|file| fs::read(file?.path())).collect()
    };
    read().map_err(|error| {
        Failure::new(
            Exit::Io,
            format_args!("cannot read {}: {error}", maildir.display()),
        )
    })
}

/// The first difference between two sorted lists of messages.
fn difference(served: &[(Vec<u8>, &str)], stored: &[Vec<u8>]) -> Option<String> {
    for ((served, name), stored) in served.iter().zip(stored) {
        if served != stored {
            let octet = served
                .iter()
                .zip(stored)
                .take_while(|(a, b)| a == b)
                .count();
            return Some(format!(
                "the message \"{name}\" was not stored, or its stored copy differs at octet {octet}"
            ));
        }
    }
    (served.len() != stored.len()).then(|| {
        format!(
            "{} served and {} stored",
            Counted(served.len(), "message"),
            stored.len()
        )
    })
}

struct Report {
    messages: usize,
    octets: usize,
    stuffed: usize,
    time: Duration,
    port: u16,
    maildir: PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        let rate = self.octets as f64 / seconds / 1e6;
        let port = self.port;
        let release = PROFILE.title;
        writeln!(
            f,
            "Fetched over TLS from 127.0.0.1:{port} as {release} does."
        )?;
        writeln!(f)?;
        for (what, how) in [
            (
                "messages",
                format!(
                    "{}, each identical to the one served, octet by octet",
                    self.messages
                ),
            ),
            ("octets", self.octets.to_string()),
            (
                "stuffed dots",
                format!("{} added and removed", self.stuffed),
            ),
            ("time", format!("{seconds:.2} s, {rate:.0} MB/s, on disk")),
            ("mail", self.maildir.display().to_string()),
        ] {
            writeln!(f, "  {what:<12}  {how}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::{Report, canonical, difference, dots};

    #[test]
    fn ends_every_line_with_crlf() {
        assert_eq!(canonical(b""), b"");
        assert_eq!(canonical(b"a"), b"a\r\n");
        assert_eq!(canonical(b"a\r\n"), b"a\r\n");
        assert_eq!(canonical(b".\n\r\r\n\r"), b".\r\n\r\n\r\n\r\n");
        assert_eq!(dots(&canonical(b".\na.\n..\n\n.b")), 3);
        assert_eq!(dots(b"a.b\r\n"), 0);
    }

    #[test]
    fn reports_megabytes_per_second() {
        let report = Report {
            messages: 3,
            octets: 30_000_000,
            stuffed: 7,
            time: Duration::from_secs(2),
            port: 995,
            maildir: PathBuf::from("/somewhere/Maildir"),
        };
        let said = report.to_string();
        for part in [
            "127.0.0.1:995",
            " 3,",
            "30000000",
            " 7 ",
            "2.00 s, 15 MB/s",
            "/somewhere/Maildir",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    /// Each of these makes the command exit with 1.
    #[test]
    fn finds_any_difference() {
        let served = [(b"a\r\n".to_vec(), "a"), (b"b\r\n".to_vec(), "b")];
        let stored = [b"a\r\n".to_vec(), b"b\r\n".to_vec()];
        assert_eq!(difference(&served, &stored), None);
        let other = [b"a\r\n".to_vec(), b"b\n".to_vec()];
        let said = difference(&served, &other).unwrap();
        assert!(said.contains("\"b\"") && said.contains("octet 1"), "{said}");
        assert!(difference(&served, &stored[..1]).is_some());
        assert!(difference(&served[..1], &stored).is_some());
    }
}

//! What may be sent without TLS: each command that connects, each option that
//! affects it, and servers with and without STLS, on this host and on others.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    process::Stdio,
    sync::mpsc::{Receiver, channel},
    thread,
};

use tempfile::TempDir;

use crate::{Run, pop3};

const COMMANDS: [&str; 3] = ["list", "check", "fetch"];

const NO_FINGERPRINT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const OPTIONS: [&[&str]; 5] = [
    &[],
    &["--insecure-plaintext"],
    &["--require-tls"],
    &["--fingerprint", NO_FINGERPRINT],
    &["--dangerous-accept-invalid-certs"],
];

/// Commands of a login.
const SECRETS: [&str; 3] = ["PASS", "AUTH", "APOP"];

/// How a server handles STLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stls {
    Absent,
    Refused,
    /// It accepts the command, and no TLS follows.
    Broken,
}

/// A server that records what it receives.
struct Server {
    port: u16,
    sent: Receiver<String>,
}

impl Server {
    fn new(ip: IpAddr, stls: Stls) -> Self {
        Self::bind(ip, stls).unwrap()
    }

    fn bind(ip: IpAddr, stls: Stls) -> std::io::Result<Self> {
        let listener = TcpListener::bind((ip, 0))?;
        let port = listener.local_addr()?.port();
        let (tell, sent) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tell = tell.clone();
                let mut tell = move |line: &str| drop(tell.send(line.to_owned()));
                thread::spawn(move || converse(stream.unwrap(), stls, &mut tell));
            }
        });
        Ok(Self { port, sent })
    }

    /// Whether any part of a login came.
    fn was_sent_a_secret(&self) -> bool {
        let is_secret = |line: String| {
            let word = line.split(' ').next().unwrap_or_default();
            SECRETS.contains(&word)
        };
        self.sent.try_iter().any(is_secret)
    }
}

fn converse(mut stream: TcpStream, stls: Stls, tell: &mut dyn FnMut(&str)) -> Option<()> {
    stream.write_all(b"+OK <1.2@example.org>\r\n").ok()?;
    for line in BufReader::new(stream.try_clone().ok()?).lines() {
        // A TLS handshake is not text.
        let line = line.ok()?;
        tell(&line);
        let reply = match (&*line, stls) {
            ("CAPA", Stls::Absent) => "+OK\r\nUSER\r\nUIDL\r\nSASL XOAUTH2\r\n.\r\n",
            ("CAPA", _) => "+OK\r\nUSER\r\nUIDL\r\nSASL XOAUTH2\r\nSTLS\r\n.\r\n",
            ("STLS", Stls::Broken) => "+OK\r\n",
            ("STLS", _) => "-ERR no\r\n",
            ("STAT", _) => "+OK 0 0\r\n",
            ("LIST" | "UIDL", _) => "+OK\r\n.\r\n",
            ("NOOP" | "RSET" | "QUIT", _) => "+OK\r\n",
            (line, _) if SECRETS.iter().any(|word| line.starts_with(word)) => "+OK\r\n",
            (line, _) if line.starts_with("USER ") => "+OK\r\n",
            // The next line is the token.
            (line, _) if line.len() > 20 => "+OK\r\n",
            _ => "-ERR what?\r\n",
        };
        stream.write_all(reply.as_bytes()).ok()?;
        if line == "QUIT" || line == "STLS" && stls == Stls::Broken {
            break;
        }
    }
    Some(())
}

/// Runs the command against a server on this host.
fn run(command: &str, (host, server): (&str, &Server), options: &[&str]) -> Run {
    let home = TempDir::new().unwrap();
    let url = format!("pop3://me@{host}:{}", server.port);
    let mut command_line = pop3([command, &url]);
    match command {
        "fetch" => command_line.args(["--to", "maildir:mail", "--journal", "journal"]),
        "check" => command_line.args(["--only", "C0017"]),
        _ => &mut command_line,
    };
    let output = command_line
        .args(options)
        .current_dir(&home)
        .env("POP3_PASSWORD", "tanstaaf")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run::from(output)
}

/// An address of this machine that is not a loopback address, if it has one.
/// Finding it sends no octet.
fn far() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// Every command, option and kind of server: the password is sent where
/// `allows` says so, and everywhere else the command fails.
fn only_where(ip: IpAddr, allows: fn(&[&str], Stls) -> bool) {
    let each = |command| {
        for options in OPTIONS {
            for stls in [Stls::Absent, Stls::Refused, Stls::Broken] {
                let server = Server::new(ip, stls);
                let run = run(command, (&ip.to_string(), &server), options);
                let case = format!("{command} {options:?} {stls:?}: {run:?}");
                let allowed = allows(options, stls);
                assert_eq!(server.was_sent_a_secret(), allowed, "{case}");
                assert_eq!(run.status == Some(0), allowed, "{case}");
                if !allowed {
                    // The error names the option only where the option would
                    // help.
                    let requires_tls = ["--require-tls", "--fingerprint"];
                    let requires_tls = requires_tls.iter().any(|tls| options.contains(tls));
                    let is_way_out = !ip.is_loopback() && !requires_tls;
                    let is_named = run.stderr.contains("--insecure-plaintext");
                    assert!(!is_named || is_way_out, "{case}");
                }
            }
        }
    };
    thread::scope(|scope| {
        for command in COMMANDS {
            scope.spawn(move || each(command));
        }
    });
}

#[test]
fn sends_a_password_in_the_clear_to_loopback_only_where_no_stls_is_announced() {
    only_where(Ipv4Addr::LOCALHOST.into(), |options, stls| {
        matches!(
            (options, stls),
            (["--insecure-plaintext"], Stls::Absent | Stls::Refused)
                | ([] | ["--dangerous-accept-invalid-certs"], Stls::Absent)
        )
    });
}

#[test]
fn sends_no_password_in_the_clear_to_another_host_unless_told_to() {
    let Some(ip) = far() else { return };
    only_where(ip, |options, stls| {
        options == ["--insecure-plaintext"] && stls != Stls::Broken
    });
    for command in COMMANDS {
        let server = Server::new(ip, Stls::Absent);
        let run = run(command, (&ip.to_string(), &server), &[]);
        assert_eq!(run.status, Some(69), "{command}: {run:?}");
        let is_named = run.stderr.contains("--insecure-plaintext");
        assert_eq!(is_named, command == "check", "{command}: {run:?}");
    }
}

#[test]
fn recognizes_every_form_of_a_loopback_address() {
    for (host, ip) in [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("LocalHost", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
    ] {
        let has_v6 = TcpListener::bind("[::1]:0").is_ok();
        if host.starts_with('[') && !has_v6 {
            continue;
        }
        for command in COMMANDS {
            let server = Server::new(ip.parse().unwrap(), Stls::Absent);
            let run = run(command, (host, &server), &[]);
            assert_eq!(run.status, Some(0), "{command} {host}: {run:?}");
            assert!(server.was_sent_a_secret(), "{command} {host}");
        }
    }
}

#[test]
fn sends_a_token_in_the_clear_only_to_loopback_and_only_when_told_to() {
    let dangerous = "--dangerous-token-in-cleartext";
    for (ip, option, allowed) in [
        (Some(Ipv4Addr::LOCALHOST.into()), None, false),
        (
            Some(Ipv4Addr::LOCALHOST.into()),
            Some("--insecure-plaintext"),
            false,
        ),
        (Some(Ipv4Addr::LOCALHOST.into()), Some(dangerous), true),
        (far(), None, false),
        (far(), Some("--insecure-plaintext"), false),
        (far(), Some(dangerous), false),
    ] {
        let Some(ip) = ip else { continue };
        for command in ["list", "fetch"] {
            let server = Server::new(ip, Stls::Absent);
            let options: Vec<&str> = ["--auth", "XOAUTH2"].into_iter().chain(option).collect();
            let run = run(command, (&ip.to_string(), &server), &options);
            let case = format!("{command} {options:?} {ip}: {run:?}");
            assert_eq!(server.was_sent_a_secret(), allowed, "{case}");
            assert_eq!(run.status == Some(0), allowed, "{case}");
        }
    }
}

#[test]
fn sends_a_digest_in_the_clear_only_when_told_to() {
    for command in ["list", "fetch"] {
        for (option, allowed) in [(None, false), (Some("--insecure-plaintext"), true)] {
            let ip = Ipv4Addr::LOCALHOST.into();
            let server = Server::new(ip, Stls::Absent);
            let options: Vec<&str> = ["--profile", "rfc1939", "--auth", "APOP"]
                .into_iter()
                .chain(option)
                .collect();
            let run = run(command, ("127.0.0.1", &server), &options);
            let case = format!("{command} {options:?}: {run:?}");
            assert_eq!(server.was_sent_a_secret(), allowed, "{case}");
            assert_eq!(run.status == Some(0), allowed, "{case}");
        }
    }
}

/// What either the configuration file or the command line forbids is forbidden,
/// even if the other allows it.
#[test]
fn uses_tls_when_it_is_required() {
    let pin = format!("fingerprint = '{NO_FINGERPRINT}'");
    let both = "insecure-plaintext = true\nrequire-tls = true";
    let allowed = "insecure-plaintext = true";
    for (keys, options) in [
        (allowed, &["--require-tls"][..]),
        (allowed, &["--fingerprint", NO_FINGERPRINT]),
        ("require-tls = true", &["--insecure-plaintext"]),
        (&*pin, &["--insecure-plaintext"]),
        (both, &[]),
        (&*format!("{allowed}\n{pin}"), &[]),
    ] {
        for stls in [Stls::Absent, Stls::Refused] {
            let server = Server::new(Ipv4Addr::LOCALHOST.into(), stls);
            let run = fetch_configured(&server, keys, options);
            let case = format!("{keys} {options:?} {stls:?}: {run:?}");
            assert!(!server.was_sent_a_secret(), "{case}");
            assert_eq!(run.status, Some(69), "{case}");
        }
    }
    // The same server gets the password when nothing forbids it.
    let server = Server::new(Ipv4Addr::LOCALHOST.into(), Stls::Refused);
    let run = fetch_configured(&server, allowed, &[]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(server.was_sent_a_secret());
}

fn fetch_configured(server: &Server, keys: &str, options: &[&str]) -> Run {
    let home = TempDir::new().unwrap();
    let url = format!("pop3://me@127.0.0.1:{}", server.port);
    let entry = format!("[accounts.a]\nurl = '{url}'\nto = 'maildir:mail'\n{keys}\n");
    fs::write(home.path().join("config.toml"), entry).unwrap();
    let output = pop3(["fetch", "a", "--config", "config.toml"])
        .args(["--journal", "journal"])
        .args(options)
        .current_dir(&home)
        .env("POP3_PASSWORD", "tanstaaf")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run::from(output)
}

//! `pop3 serve`: its first lines, signals, users and log.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Command,
};

use pop3_peers::{Listening, make_maildir};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{pop3, run};

#[cfg(target_os = "linux")]
mod floods;
#[cfg(target_os = "linux")]
mod memory;
mod metrics;
mod options;
mod reload;
mod systemd;

/// A running server on its own port.
struct Server(Listening);

impl Server {
    fn new(arguments: &[&str]) -> Self {
        let mut command = pop3(["serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).env("POP3_PASSWORD", "tanstaaf");
        Self::start(command)
    }

    /// Starts a server and reads the first address that it prints.
    fn start(mut command: Command) -> Self {
        Self(Listening::start(&mut command).unwrap())
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.0.address).unwrap();
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.line(), "+OK POP3 ready\r\n");
        client
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.0.child);
        kill_process(pid, signal).unwrap();
    }

    /// The exit status and the log.
    fn done(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.0
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.0.child.wait().unwrap().code(), log)
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, command: &str) -> String {
        self.0
            .get_mut()
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        self.line()
    }

    fn log_in(&mut self, name: &str, password: &str) {
        let answer = self.try_to_log_in(name, password);
        assert_eq!(answer, "+OK maildrop locked and ready\r\n");
    }

    fn try_to_log_in(&mut self, name: &str, password: &str) -> String {
        assert_eq!(self.ask(&format!("USER {name}")), "+OK\r\n");
        self.ask(&format!("PASS {password}"))
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        // A connection that is cut off may be reset.
        let _ = self.0.read_to_string(&mut rest);
        rest
    }
}

fn maildir() -> TempDir {
    let directory = TempDir::new().unwrap();
    make_maildir(directory.path()).unwrap();
    fs::write(directory.path().join("new/1.x"), ".\n").unwrap();
    directory
}

#[test]
fn a_signal_lets_sessions_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let directory = maildir();
        let path = directory.path().to_str().unwrap();
        let server = Server::new(&["--maildir", path, "--user", "me"]);
        let mut client = server.client();
        client.log_in("me", "tanstaaf");
        server.signal(signal);
        // The server has seen the signal once it accepts no connection.
        while TcpStream::connect(&server.0.address).is_ok() {}
        assert_eq!(client.ask("RETR 1"), "+OK 3 octets\r\n");
        assert_eq!(
            (client.line(), client.line()),
            ("..\r\n".into(), ".\r\n".into())
        );
        assert_eq!(client.ask("DELE 1"), "+OK message 1 deleted\r\n");
        assert_eq!(client.ask("QUIT"), "+OK goodbye\r\n");
        assert_eq!(client.rest(), "");
        let (status, log) = server.done();
        assert_eq!(status, Some(0), "{log}");
        assert!(!directory.path().join("new/1.x").exists());
        let lines = [
            "+OK POP3 ready",
            "+OK",
            "+OK maildrop locked and ready",
            "+OK 3 octets",
            "..",
            ".",
            "+OK message 1 deleted",
            "+OK goodbye",
        ];
        let sent = lines.map(|line| line.len() + 2).iter().sum::<usize>();
        let closed = format!("closed ended=QUIT opened=1 deleted=1 octets_sent={sent}");
        for said in ["user=\"me\"", "connection{number=1 ", &closed] {
            assert!(log.contains(said), "{said}: {log}");
        }
        assert!(!log.contains("tanstaaf"), "{log}");
    }
}

/// The log says in words why a handshake failed, so that a reader can distinguish a
/// scanner from a client that trusts another certificate.
#[test]
fn the_log_says_why_a_connection_ended() {
    let mut server = Server::new(&["--demo", "--tls-listen", "127.0.0.1:0"]);
    let tls = server.0.line().unwrap();
    let mut scanner = TcpStream::connect(tls).unwrap();
    scanner.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let _ = scanner.read_to_end(&mut Vec::new());
    drop(server.client());
    let mut client = server.client();
    assert_eq!(client.ask("QUIT"), "+OK goodbye\r\n");
    assert_eq!(client.rest(), "");
    server.signal(Signal::TERM);
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    for ended in [
        "ended=the TLS handshake failed: ",
        "ended=the client left without QUIT ",
        "ended=QUIT before a login ",
    ] {
        assert!(log.contains(ended), "{ended}: {log}");
    }
}

#[test]
fn a_second_signal_ends_all_sessions_and_deletes_nothing() {
    let directory = maildir();
    let path = directory.path().to_str().unwrap();
    let server = Server::new(&["--maildir", path, "--user", "me", "--grace", "3600"]);
    let mut client = server.client();
    client.log_in("me", "tanstaaf");
    client.ask("DELE 1");
    server.signal(Signal::TERM);
    while TcpStream::connect(&server.0.address).is_ok() {}
    server.signal(Signal::TERM);
    assert_eq!(client.rest(), "");
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    assert!(directory.path().join("new/1.x").exists());
}

#[test]
fn the_demo_serves_its_messages_with_the_sizes_that_it_prints() {
    let certificate = TempDir::new().unwrap();
    let certificate = certificate.path().join("cert.pem");
    let path = certificate.to_str().unwrap();
    let mut server = Server::new(&[
        "--demo",
        "--tls-listen",
        "127.0.0.1:0",
        "--write-cert",
        path,
    ]);
    let second = server.0.line().unwrap();
    assert!(second.starts_with("127.0.0.1:") && second != server.0.address);
    assert!(
        fs::read_to_string(&certificate)
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE")
    );

    let mut client = server.client();
    client.log_in("demo", "demo");
    let stat = client.ask("STAT");
    let messages: usize = stat.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(messages > 20, "{stat}");
    for message in 1..=messages {
        let status = client.ask(&format!("RETR {message}"));
        let octets: usize = status.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut line, mut received) = (Vec::new(), 0);
        loop {
            line.clear();
            client.0.read_until(b'\n', &mut line).unwrap();
            // Every line ends with CRLF, whatever the message contains.
            assert!(line.ends_with(b"\r\n"), "message {message}");
            if line == b".\r\n" {
                break;
            }
            received += line.len() - usize::from(line.starts_with(b"."));
        }
        assert_eq!(received, octets, "message {message}");
    }
    server.signal(Signal::TERM);
    drop(client);
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("log in as demo with password demo"), "{log}");
}

#[test]
fn hashes_let_users_in() {
    let directory = maildir();
    let mut users = String::new();
    for (arguments, begin) in [
        (&["serve", "--hash", "argon"][..], "argon:$argon2id$v=19$"),
        (
            &["serve", "--hash", "scram", "--scram"],
            "scram:SCRAM-SHA-256$4096:",
        ),
    ] {
        let line = run(arguments, b"pass word \r\nignored\n");
        assert_eq!((line.status, line.stderr.as_str()), (Some(0), ""));
        let line = String::from_utf8(line.stdout).unwrap();
        assert!(line.starts_with(begin) && line.ends_with('\n'), "{line}");
        // A Maildir in the file is relative to the file's directory.
        users += &match begin.starts_with("argon") {
            true => line,
            false => line.replace('\n', ":.\n"),
        };
    }
    let file = directory.path().join("users");
    fs::write(&file, &users).unwrap();
    let (path, file) = (directory.path().to_str().unwrap(), file.to_str().unwrap());
    let server = Server::new(&["--maildir", path, "--users", file]);
    for name in ["argon", "scram"] {
        let mut client = server.client();
        client.log_in(name, "pass word ");
        assert_eq!(client.ask("STAT"), "+OK 1 3\r\n");
        assert_eq!(client.ask("QUIT"), "+OK goodbye\r\n");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.done().0, Some(0));
    // Without --maildir, one user has no Maildir.
    let run = run(["serve", "--users", file], b"");
    assert_eq!(run.status, Some(64), "{}", run.stderr);
    assert!(
        run.stderr.contains("argon has no Maildir"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_log_shows_no_control_characters_and_no_secrets() {
    for format in ["text", "json"] {
        let debug = ["--log-level", "debug", "--login-delay", "0"];
        let server = Server::new(&[&["--demo", "--log", format][..], &debug].concat());
        let mut client = server.client();
        assert_eq!(client.ask("USER a"), "+OK\r\n");
        let answer = client.ask("PASS hunter2");
        assert_eq!(answer, "-ERR [AUTH] login failed\r\n");
        // "\0x\u{202e}", two hundred times "y", and "\0hunter2": too long for one line.
        assert_eq!(client.ask("AUTH PLAIN"), "+ \r\n");
        let name = format!("AHjigK55{}", "eXl5".repeat(66));
        let answer = client.ask(&format!("{name}eQBodW50ZXIy"));
        assert_eq!(answer, "-ERR [AUTH] login failed\r\n");
        // "\0a\r\nforged\0hunter2"
        let answer = client.ask("AUTH PLAIN AGENCmZvcmdlZABodW50ZXIy");
        assert_eq!(answer, "-ERR [AUTH] login failed\r\n");
        client.ask("QUIT");
        drop(client);
        server.signal(Signal::TERM);
        let (_, log) = server.done();
        assert_eq!(log.matches("login rejected").count(), 3, "{log}");
        assert!(
            !log.contains("hunter2") && !log.contains("aHVudGVy"),
            "{log}"
        );
        assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
        assert!(
            !log.contains('\u{202e}') && !log.contains(&"y".repeat(100)),
            "{log}"
        );
        if format == "json" {
            assert!(
                log.lines().skip(1).all(|line| line.starts_with('{')),
                "{log}"
            );
        }
    }
}

#[test]
fn announces_expire_on_request() {
    let directory = maildir();
    let path = directory.path().to_str().unwrap();
    for (options, announced) in [
        (&[][..], None),
        (&["--expire", "30"], Some("EXPIRE 30\r\n")),
        (&["--expire", "never"], Some("EXPIRE NEVER\r\n")),
    ] {
        let server = Server::new(&[&["--maildir", path, "--user", "me"], options].concat());
        let mut client = server.client();
        assert_eq!(client.ask("CAPA"), "+OK\r\n");
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != ".\r\n") {
            lines.push(client.line());
        }
        let expire = lines.iter().find(|line| line.starts_with("EXPIRE"));
        assert_eq!(expire.map(String::as_str), announced);
        drop(client);
        server.signal(Signal::TERM);
        assert_eq!(server.done().0, Some(0));
    }
}

#[test]
fn reports_what_cannot_be_served() {
    let directory = maildir();
    let path = directory.path().to_str().unwrap();
    let file = directory.path().join("users");
    fs::write(&file, "me:secret\n").unwrap();
    let file = file.to_str().unwrap();
    let bad = directory.path().join("cur");
    let bad = bad.to_str().unwrap();
    let taken = Server::new(&["--demo"]);
    for (arguments, status, part) in [
        (&[][..], 64, "nothing to serve"),
        (&["--maildir", path], 64, "no user could log in"),
        (&["--demo", "--listen", "0.0.0.0:0"], 64, "--user NAME"),
        (&["--demo", "--hash", "a:b"], 64, "colon"),
        (
            &[
                "--maildir",
                path,
                "--user",
                "me",
                "--tls-listen",
                "127.0.0.1:0",
            ],
            64,
            "--tls-cert",
        ),
        (&["--maildir", path, "--users", file], 65, "users, line 1: "),
        (
            &["--maildir", path, "--users", "/nonexistent"],
            66,
            "/nonexistent",
        ),
        (&["--maildir", bad, "--user", "me"], 66, "is not a Maildir"),
        (
            &["--demo", "--tls-cert", file, "--tls-key", file],
            66,
            "no certificate",
        ),
        (
            &["--demo", "--listen", &taken.0.address],
            69,
            "port 0 picks a free port",
        ),
        (
            &["--demo", "--write-cert", "/nonexistent/cert"],
            73,
            "/nonexistent/cert",
        ),
    ] {
        let mut all = vec!["serve"];
        all.extend(arguments);
        let run = run(&all, b"password\n");
        assert_eq!(run.status, Some(status), "{arguments:?}: {}", run.stderr);
        let last = run.stderr.lines().last().unwrap();
        assert!(
            last.starts_with("pop3 serve: ") && last.contains(part),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
        assert_eq!(run.stdout, b"");
    }
    taken.signal(Signal::TERM);
    taken.done();
    // Only an Argon2 hash, on an address other than loopback, without TLS.
    let line = run(["serve", "--hash", "me"], b"x\n").stdout;
    fs::write(file, line).unwrap();
    let done = run(
        [
            "serve",
            "--maildir",
            path,
            "--users",
            file,
            "--listen",
            "0.0.0.0:0",
        ],
        b"",
    );
    assert_eq!(done.status, Some(64), "{}", done.stderr);
}

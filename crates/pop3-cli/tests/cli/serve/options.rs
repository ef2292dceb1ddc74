//! The options of `pop3 serve`, seen by a client and in the log.

use std::{
    fs,
    io::{BufReader, Read as _},
    net::{IpAddr, TcpStream, UdpSocket},
};

use rustix::process::Signal;

use super::{Client, Server, maildir};
use crate::run;

fn connect(address: &str) -> Client {
    Client(BufReader::new(TcpStream::connect(address).unwrap()))
}

/// An address of this machine that is not a loopback address, if it has one.
/// Finding it sends no octet.
fn far() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[test]
fn tells_connections_beyond_the_limits_to_come_again() {
    for option in ["--max-connections", "--max-connections-per-address"] {
        let server = Server::new(&["--demo", option, "2"]);
        let first = server.client();
        let _second = server.client();
        let mut third = connect(&server.0.address);
        assert!(third.line().starts_with("-ERR [SYS/TEMP] "), "{option}");
        assert_eq!(third.rest(), "");
        drop(first);
        // A connection that has ended makes room.
        while !connect(&server.0.address).line().starts_with("+OK") {}
        server.signal(Signal::TERM);
        server.signal(Signal::TERM);
    }
}

#[test]
fn closes_a_connection_after_too_many_rejected_logins() {
    for attempts in [1, 2] {
        let count = attempts.to_string();
        let options = ["--demo", "--login-delay", "0", "--login-attempts"];
        let server = Server::new(&[&options[..], &[&count]].concat());
        let mut client = server.client();
        for _ in 0..attempts {
            assert_eq!(client.ask("USER demo"), "+OK\r\n");
            assert!(client.ask("PASS x").starts_with("-ERR [AUTH]"));
        }
        assert_eq!(client.rest(), "");
        server.signal(Signal::TERM);
        assert_eq!(server.done().0, Some(0));
    }
}

#[test]
fn closes_a_connection_that_is_late_with_login_or_handshake() {
    let options = ["--demo", "--tls-listen", "127.0.0.1:0"];
    let times = ["--login-timeout", "0.2", "--handshake-timeout", "0.2"];
    let mut server = Server::new(&[&options[..], &times].concat());
    let tls = server.0.line().unwrap();
    server.client().rest();
    let mut stream = TcpStream::connect(tls).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    server.signal(Signal::TERM);
    assert_eq!(server.done().0, Some(0));
}

#[test]
fn without_grace_the_first_signal_ends_sessions() {
    let server = Server::new(&["--demo", "--grace", "0"]);
    let mut client = server.client();
    client.log_in("demo", "demo");
    client.ask("DELE 1");
    server.signal(Signal::TERM);
    client.rest();
    let (status, log) = server.done();
    assert_eq!(status, Some(0), "{log}");
    assert!(!log.contains("deleted=1"), "{log}");
}

#[test]
fn the_log_follows_its_level() {
    let (debug, info, warn) = ("DEBUG", "INFO", "WARN");
    for (level, shown) in [
        ("off", &[][..]),
        ("error", &[]),
        ("warn", &[warn]),
        ("info", &[info, warn]),
        ("debug", &[debug, info, warn]),
    ] {
        let options = ["--demo", "--login-delay", "0", "--log-level", level];
        let server = Server::new(&options);
        let mut client = server.client();
        client.ask("USER demo");
        client.ask("PASS wrong");
        client.ask("QUIT");
        assert_eq!(client.rest(), "");
        server.signal(Signal::TERM);
        let (_, log) = server.done();
        for word in [debug, info, warn] {
            let is_shown = log.contains(word);
            assert_eq!(is_shown, shown.contains(&word), "{level}: {log}");
        }
    }
}

#[test]
fn accepts_passwords_in_the_clear_from_other_hosts_only_when_allowed() {
    let Some(ip) = far() else { return };
    let directory = maildir();
    let path = directory.path().to_str().unwrap();
    let listen = format!("{ip}:0");
    let options = ["--maildir", path, "--user", "me", "--listen", &listen];
    for (more, taken) in [
        (&["--tls-self-signed"][..], false),
        (&["--insecure-plaintext"], true),
        (&["--tls-self-signed", "--insecure-plaintext"], true),
    ] {
        let mut server = Server::new(&[&options[..], more].concat());
        let second = server.0.line().unwrap();
        let mut client = connect(&second);
        assert_eq!(client.line(), "+OK POP3 ready\r\n");
        let user = client.ask("USER me");
        let pass = client.ask("PASS tanstaaf");
        assert_eq!(pass.starts_with("+OK"), taken, "{more:?}: {user}{pass}");
        if !taken {
            assert!(user.starts_with("-ERR"), "{user}");
        }
        // QUIT unlocks the maildrop before its reply.
        client.ask("QUIT");
        client.rest();
        // Passwords from this machine are always accepted.
        server.client().log_in("me", "tanstaaf");
        server.signal(Signal::TERM);
        server.signal(Signal::TERM);
    }
    // `--demo` with a user on the command line is not the demo.
    let listen = ["--listen", &listen];
    let demo = Server::new(&[&["--demo", "--user", "me"][..], &listen].concat());
    demo.signal(Signal::TERM);
    let (status, log) = demo.done();
    assert_eq!(status, Some(0));
    assert!(!log.contains("log in as demo"), "{log}");
}

/// `--listen` accepts names and addresses and refuses anything else.
#[test]
fn the_certificate_names_the_addresses_of_the_listeners() {
    let Some(ip) = far() else { return };
    let directory = maildir();
    let certificate = directory.path().join("cert.pem").display().to_string();
    let listen = format!("{ip}:0");
    let options = ["--demo", "--user", "me", "--write-cert", &certificate];
    let mut server = Server::new(&[&options[..], &["--tls-listen", &listen]].concat());
    let address = server.0.line().unwrap();
    let url = format!("pop3s://me@{address}");
    let output = crate::pop3(["list", &url, "--ca-file", &certificate])
        .env("POP3_PASSWORD", "tanstaaf")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    server.signal(Signal::TERM);
    server.done();
}

#[test]
fn does_not_offer_scram_unless_every_user_has_it_and_logs_why() {
    // With TLS, other hosts can log in without SCRAM.
    let tls = ["--tls-self-signed", "--listen", "0.0.0.0:0"];
    let directory = maildir();
    let file = directory.path().join("users");
    let line = |user: &str, options: &[&str]| {
        let run = run([&["serve", "--hash", user], options].concat(), b"secret\n");
        String::from_utf8(run.stdout).unwrap()
    };
    let (scram, argon) = (line("a", &["--scram"]), line("b", &[]));
    let both = line("b", &["--scram"]);
    for (users, is_offered, is_said) in [
        (scram.clone(), true, false),
        (argon.clone(), false, false),
        (format!("{scram}{argon}"), false, true),
        (format!("{scram}{argon}{both}"), true, false),
    ] {
        fs::write(&file, users).unwrap();
        let path = directory.path().to_str().unwrap();
        let options = ["--maildir", path, "--users", file.to_str().unwrap()];
        let server = Server::new(&[&options[..], &tls].concat());
        let mut client = server.client();
        assert_eq!(client.ask("CAPA"), "+OK\r\n");
        let mut sasl = String::new();
        loop {
            match client.line() {
                line if line == ".\r\n" => break,
                line if line.starts_with("SASL") => sasl = line,
                _ => {}
            }
        }
        assert_eq!(sasl.contains("SCRAM-SHA-256"), is_offered, "{sasl}");
        drop(client);
        server.signal(Signal::TERM);
        let (_, log) = server.done();
        assert_eq!(log.contains("SCRAM-SHA-256"), is_said, "{log}");
    }
    fs::write(&file, "# none\n").unwrap();
    let users = ["serve", "--maildir", ".", "--users", file.to_str().unwrap()];
    let run = run(users, b"");
    assert_eq!(run.status, Some(65), "{run:?}");
    assert!(run.stderr.contains("--hash"), "{run:?}");
}

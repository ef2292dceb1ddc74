//! The exit status of each command that connects, for each kind of failure.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use tempfile::TempDir;

use crate::{Run, pop3, server::Server};

const COMMANDS: [&str; 3] = ["list", "check", "fetch"];

fn command(name: &str, url: &str, options: &[&str], home: &TempDir) -> Command {
    let mut command = pop3([name, url]);
    match name {
        "fetch" => command.args(["--to", "-", "--journal", "journal"]),
        "check" => command.args(["--only", "C0017"]),
        _ => &mut command,
    };
    command
        .args(options)
        .current_dir(home)
        .env("POP3_PASSWORD", "tanstaaf")
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run::from(output)
}

/// Every command ends with `status` and one line that contains `part`.
#[track_caller]
fn each_ends(commands: &[&str], status: i32, part: &str, url: &str, options: &[&str]) {
    for name in commands {
        let run = run(&mut command(name, url, options, &TempDir::new().unwrap()));
        let case = format!("{name} {url} {options:?}: {run:?}");
        assert_eq!(run.status, Some(status), "{case}");
        assert!(run.stderr.contains(part), "{part}: {case}");
        assert_eq!(run.stderr.lines().count(), 1, "{case}");
    }
}

/// A server that sends this greeting and answers each command with `reply`.
fn serve(greeting: &'static str, reply: fn(&str) -> &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || converse(stream.unwrap(), greeting, reply));
        }
    });
    address.to_string()
}

fn converse(mut stream: TcpStream, greeting: &str, reply: fn(&str) -> &str) -> Option<()> {
    stream.write_all(greeting.as_bytes()).ok()?;
    // A TLS handshake is not text.
    for line in BufReader::new(stream.try_clone().ok()?).split(b'\n') {
        let line = String::from_utf8_lossy(&line.ok()?).into_owned();
        let word = line.trim_end().split(' ').next()?;
        stream.write_all(reply(word).as_bytes()).ok()?;
        if word == "QUIT" {
            break;
        }
    }
    Some(())
}

fn plain(word: &str) -> &'static str {
    match word {
        "CAPA" => "+OK\r\nUSER\r\nUIDL\r\n.\r\n",
        "STAT" => "+OK 0 0\r\n",
        "LIST" | "UIDL" => "+OK\r\n.\r\n",
        "USER" | "PASS" | "NOOP" | "RSET" | "QUIT" => "+OK\r\n",
        _ => "-ERR what?\r\n",
    }
}

/// An address that refuses connections.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn exits_with_64_on_wrong_usage() {
    for (part, url, options) in [
        ("URL", "imap://me@127.0.0.1", &[][..]),
        ("USER@", "pop3://127.0.0.1", &[]),
        ("%3A", "pop3://me:secret@127.0.0.1", &[]),
        ("[", "pop3://me@::1", &[]),
    ] {
        // `fetch` takes anything that is not a URL for an account name.
        each_ends(&COMMANDS, 64, part, url, options);
    }
    for options in [
        &["--timeout", "0"][..],
        &["--session-timeout", "0"],
        &["--profile", "outlook-97"],
        &["--auth", "MD4"],
        &["--fingerprint", "ab"],
        &["--require-tls", "--insecure-plaintext"],
        &["--require-tls", "--dangerous-token-in-cleartext"],
        &["--password-file", "a", "--password-command", "b"],
    ] {
        for name in COMMANDS {
            let url = "pop3://me@127.0.0.1:1";
            let run = run(&mut command(name, url, options, &TempDir::new().unwrap()));
            assert_eq!(run.status, Some(64), "{name} {options:?}: {run:?}");
        }
    }
}

#[test]
fn exits_with_64_on_a_method_that_the_profile_never_uses() {
    let url = format!("pop3://me@{}", serve("+OK <1.2@example.org>\r\n", plain));
    let options = ["--auth", "APOP", "--insecure-plaintext"];
    each_ends(&["list", "fetch"], 64, "APOP", &url, &options);
}

#[test]
fn exits_with_64_without_a_password_and_66_with_an_unreadable_one() {
    let url = format!("pop3://me@{}", nobody());
    for name in COMMANDS {
        let home = TempDir::new().unwrap();
        let mut command = command(name, &url, &[], &home);
        let run = run(command.env_remove("POP3_PASSWORD"));
        assert_eq!(run.status, Some(64), "{name}: {run:?}");
        assert!(run.stderr.contains("--password-file"), "{name}: {run:?}");
    }
    each_ends(
        &COMMANDS,
        66,
        "/nonexistent",
        &url,
        &["--password-file", "/nonexistent"],
    );
    each_ends(
        &COMMANDS,
        66,
        "/dev/null",
        &url,
        &["--password-file", "/dev/null"],
    );
    for shell in ["exit 3", "echo secret; exit 1", "true"] {
        each_ends(
            &COMMANDS,
            66,
            "--password-command",
            &url,
            &["--password-command", shell],
        );
    }
}

#[test]
fn exits_with_69_and_advice_if_the_server_is_unreachable() {
    for (scheme, part) in [("pop3", "995"), ("pop3s", "995")] {
        let url = format!("{scheme}://me@{}", nobody());
        each_ends(&COMMANDS, 69, part, &url, &[]);
    }
}

#[test]
fn exits_with_76_if_the_server_lacks_implicit_tls() {
    let url = format!("pop3s://me@{}", serve("+OK ready\r\n", plain));
    each_ends(&COMMANDS, 76, "use pop3://me@", &url, &[]);
}

#[test]
fn exits_with_75_if_the_server_is_busy() {
    let url = format!("pop3://me@{}", serve("-ERR [SYS/TEMP] later\r\n", plain));
    each_ends(&COMMANDS, 75, "later", &url, &[]);
}

#[test]
fn exits_with_77_if_the_login_is_refused() {
    let refuses = |word: &str| match word {
        "PASS" => "-ERR [AUTH] who?\r\n",
        _ => plain(word),
    };
    let url = format!("pop3://me@{}", serve("+OK\r\n", refuses));
    each_ends(&COMMANDS, 77, "who?", &url, &[]);
}

#[test]
fn exits_with_76_on_an_invalid_reply() {
    let garbles = |word: &str| match word {
        "STAT" => "+OK none\r\n",
        _ => plain(word),
    };
    let url = format!("pop3://me@{}", serve("+OK\r\n", garbles));
    each_ends(&["list"], 76, "STAT", &url, &[]);
    // `check` reports the same failure in a row.
    each_ends(&["check"], 1, "C0017", &url, &[]);
    let garbles = |word: &str| match word {
        "UIDL" => "what?\r\n",
        _ => plain(word),
    };
    let url = format!("pop3://me@{}", serve("+OK\r\n", garbles));
    let strictly = ["--profile", "rfc1939"];
    each_ends(&["list", "fetch"], 76, "--no-pipelining", &url, &strictly);
    // The error does not suggest an option that is already given, or another
    // port, as this one is right.
    let strictly = [&strictly[..], &["--no-pipelining"]].concat();
    for name in ["list", "fetch"] {
        let home = TempDir::new().unwrap();
        let run = run(&mut command(name, &url, &strictly, &home));
        assert_eq!(run.status, Some(76), "{run:?}");
        assert!(run.stderr.contains("UIDL"), "{run:?}");
        for advice in ["--no-pipelining", "995"] {
            assert!(!run.stderr.contains(advice), "{run:?}");
        }
    }
}

/// `pop3` waits at each step and gives up at the time limit.
#[test]
fn exits_with_75_if_the_server_falls_silent() {
    let greets = |word: &str| match word {
        "CAPA" => "+OK\r\nSTLS\r\n.\r\n",
        "STLS" => "+OK\r\n",
        _ => "",
    };
    let silent = serve("", |_| "");
    thread::scope(|scope| {
        for (url, part) in [
            (format!("pop3://me@{silent}"), "greeting"),
            (format!("pop3s://me@{silent}"), "TLS"),
            (format!("pop3://me@{}", serve("+OK\r\n", greets)), "TLS"),
            (format!("pop3://me@{}", serve("+OK\r\n", |_| "")), "CAPA"),
        ] {
            scope.spawn(move || each_ends(&["list"], 75, part, &url, &["--timeout", "1"]));
        }
        let url = format!("pop3://me@{silent}");
        scope.spawn(move || {
            let options = ["--session-timeout", "1"];
            each_ends(&["list"], 75, "--session-timeout", &url, &options);
        });
    });
}

#[test]
fn exits_with_141_if_the_reader_is_gone() {
    let server = Server::new(vec![(String::from("a"), b"x\r\n".to_vec())]);
    for (name, options) in [
        ("list", &[][..]),
        ("list", &["--json"]),
        ("check", &["--format", "text"]),
        ("check", &["--format", "junit"]),
        ("fetch", &[]),
    ] {
        let home = TempDir::new().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(name, &server.url, options, &home);
        let run = run(command.stdout(writer));
        assert_eq!(run.status, Some(141), "{name} {options:?}: {run:?}");
        assert_eq!(run.stderr, "", "{name} {options:?}");
    }
    for arguments in [&["audit", "--list"][..], &["man"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = pop3(arguments);
        let run = run(command.stdout(writer));
        assert_eq!(run.status, Some(141), "{arguments:?}: {run:?}");
    }
}

/// Checks which runs send a command before the previous reply arrives.
#[test]
fn no_pipelining_waits_for_each_answer() {
    let mail = |number| (format!("id{number}"), b"Subject: x\r\n\r\nx\r\n".to_vec());
    for (name, options, is_pipelined) in [
        ("fetch", &[][..], true),
        ("fetch", &["--no-pipelining"], false),
        ("list", &["--no-pipelining"], false),
        ("check", &["--no-pipelining"], false),
        ("check", &["--only", "rfc2449-pipelining"], true),
    ] {
        let server = Server::new((0..8).map(mail).collect());
        let home = TempDir::new().unwrap();
        let run = run(&mut command(name, &server.url, options, &home));
        assert!(run.status < Some(2), "{name} {options:?}: {run:?}");
        let state = server.state.lock().unwrap();
        assert_eq!(state.is_pipelined, is_pipelined, "{name} {options:?}");
    }
}

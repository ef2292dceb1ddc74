//! `pop3 list`: one table, or one object.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Run, pop3, server::Server};

fn list(server: &Server, options: &[&str]) -> Run {
    let mut command = pop3(["list", &server.url]);
    let output = command
        .args(options)
        .env("POP3_PASSWORD", "secret")
        .output()
        .unwrap();
    Run::from(output)
}

fn server() -> Server {
    Server::new(vec![
        (String::from("whqtswO00WBw418f9t5JxYwZ"), vec![b'x'; 120]),
        (String::from("QhdPYR:00WBw1Ph7x7"), vec![b'x'; 200]),
    ])
}

#[test]
fn prints_a_table_for_people() {
    list(&server(), &[]).gives(
        b"USER
UIDL
PIPELINING
RESP-CODES

2 messages, 320 octets

  number       octets  unique-id
       1          120  whqtswO00WBw418f9t5JxYwZ
       2          200  QhdPYR:00WBw1Ph7x7
",
    );
}

#[test]
fn writes_one_message_in_the_singular() {
    let server = Server::new(vec![(String::from("a"), vec![b'x'])]);
    let text = String::from_utf8(list(&server, &[]).stdout).unwrap();
    assert!(text.contains("\n1 message, 1 octet\n"), "{text}");
}

#[test]
fn prints_an_object_for_programs() {
    let server = server();
    let run = list(&server, &["--json"]);
    let listing: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(listing["account"], server.url["pop3://".len()..]);
    assert_eq!(listing["capabilities"][2], "PIPELINING");
    assert_eq!(listing["messages"], 2);
    assert_eq!(
        listing["list"]["2"],
        json!({ "octets": 200, "unique-id": "QhdPYR:00WBw1Ph7x7" })
    );
}

/// RFC 1939 §7: UIDL is optional.
#[test]
fn shows_the_rest_without_unique_ids() {
    let server = server();
    server.state.lock().unwrap().has_no_uidl = true;
    let run = list(&server, &[]);
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.ends_with("       2          200  -\n"), "{text}");
}

#[test]
fn an_unreachable_server() {
    let run = crate::run(["list", "pop3://me@127.0.0.1:1"], b"");
    assert_eq!(run.status, Some(64), "a password is asked for first");
    let mut command = pop3(["list", "pop3://me@127.0.0.1:1"]);
    let output = command.env("POP3_PASSWORD", "secret").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{stderr}");
    assert!(
        stderr.starts_with("pop3 list: me@127.0.0.1:1: "),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
}

/// A server that repeats a command that it does not know.
#[test]
fn a_password_is_not_shown_in_base64_either() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"+OK\r\n").unwrap();
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|octets| octets > 0) {
            let answer = match &*line {
                "CAPA\r\n" => "+OK\r\nSASL PLAIN\r\n.\r\n".to_owned(),
                _ => format!("-ERR unknown command: {line}"),
            };
            stream.write_all(answer.as_bytes()).unwrap();
            line.clear();
        }
    });
    let mut command = pop3(["list", &url]);
    let output = command.env("POP3_PASSWORD", "tanstaaf").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(77), "{stderr}");
    let wanted = "login with PLAIN: the server refuses AUTH: (not shown: it repeats what was sent";
    assert!(stderr.contains(wanted), "{stderr}");
    assert!(!stderr.contains("AG1l"), "{stderr}");
    server.join().unwrap();
}

#[test]
fn counts_malformed_lines() {
    let server = server();
    let answers = [
        ("LIST", "+OK\r\n1 120\r\nx\r\n2 y\r\n.\r\n".to_owned()),
        ("UIDL", "+OK\r\n1 a\r\nz\r\n.\r\n".to_owned()),
    ];
    let total = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap()["malformed"].clone();
    server.state.lock().unwrap().answers = answers[..1].to_vec();
    assert_eq!(total(&list(&server, &["--json"]).stdout), 2);
    server.state.lock().unwrap().answers = answers[1..].to_vec();
    assert_eq!(total(&list(&server, &["--json"]).stdout), 1);
    server.state.lock().unwrap().answers = answers.to_vec();
    assert_eq!(total(&list(&server, &["--json"]).stdout), 3);
    let text = String::from_utf8(list(&server, &[]).stdout).unwrap();
    assert!(text.contains("\n3 malformed lines\n"), "{text}");
}

/// The password of the user at the host, from a file that only the user can read.
#[test]
fn takes_the_password_from_netrc() {
    let server = Server::new(Vec::new());
    let home = TempDir::new().unwrap();
    let netrc = home.path().join(".netrc");
    let list = || {
        let mut list = pop3(["list", &server.url]);
        list.env("HOME", home.path()).env_remove("POP3_PASSWORD");
        Run::from(list.output().unwrap())
    };
    let run = list();
    assert_eq!(run.status, Some(64), "{run:?}");
    assert!(run.stderr.contains("or ~/.netrc"), "{run:?}");
    fs::write(&netrc, "machine 127.0.0.1 login me password of-netrc\n").unwrap();
    for (mode, status) in [(0o644, 66), (0o600, 0)] {
        fs::set_permissions(&netrc, fs::Permissions::from_mode(mode)).unwrap();
        let run = list();
        assert_eq!(run.status, Some(status), "{run:?}");
    }
    assert_eq!(server.state.lock().unwrap().passwords, ["of-netrc"]);
    fs::remove_file(&netrc).unwrap();
    fs::create_dir(&netrc).unwrap();
    let run = list();
    assert_eq!(run.status, Some(66), "{run:?}");
    assert!(run.stderr.contains("cannot use "), "{run:?}");
}

#[test]
fn connects_through_the_proxy_of_the_environment() {
    // A proxy that closes at once.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("socks5h://me:hush@{}", listener.local_addr().unwrap());
    let accepting = thread::spawn(move || drop(listener.accept().unwrap()));
    let mut list = pop3(["list", "pop3s://me@mail.invalid"]);
    list.env("ALL_PROXY", proxy).env("POP3_PASSWORD", "secret");
    let run = Run::from(list.output().unwrap());
    accepting.join().unwrap();
    assert_eq!(run.status, Some(69), "{run:?}");
    assert!(
        run.stderr
            .contains("cannot connect to mail.invalid:995: the proxy socks5://"),
        "{run:?}"
    );
    assert!(!run.stderr.contains("hush"), "{run:?}");

    let mut list = pop3(["list", "pop3s://me@mail.invalid"]);
    list.env("ALL_PROXY", "socks5://me:hush")
        .env("POP3_PASSWORD", "secret");
    let run = Run::from(list.output().unwrap());
    assert_eq!(run.status, Some(64), "{run:?}");
    assert!(!run.stderr.contains("hush"), "{run:?}");
}

#[test]
fn shows_who_wrote_what_and_when() {
    let server = server();
    let top = "+OK\r\nFrom: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\n\
               Subject: =?utf-8?Q?=1B[2J?= hello\r\nDate: Sat, 1 Feb 2025 10:00:00 +0100\r\n\r\n.\r\n";
    server.state.lock().unwrap().answers = vec![("TOP", top.to_owned())];
    let run = list(&server, &["--headers"]);
    let text = String::from_utf8(run.stdout).unwrap();
    let lines = "       1          120  whqtswO00WBw418f9t5JxYwZ
         2025-02-01T10:00:00+01:00  Zoë <zoe@example.org>  \\u{1b}[2J hello
       2          200  QhdPYR:00WBw1Ph7x7
         2025-02-01T10:00:00+01:00  Zoë <zoe@example.org>  \\u{1b}[2J hello
";
    assert!(text.ends_with(lines), "{text}");
    assert!(server.state.lock().unwrap().is_pipelined);
    let run = list(&server, &["--headers", "--json"]);
    let listing: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(listing["list"]["2"]["from"], "Zoë <zoe@example.org>");
    assert_eq!(listing["list"]["2"]["octets"], 200);
}

#[test]
fn shows_the_rest_without_headers() {
    // The server has no TOP.
    let run = list(&server(), &["--headers"]);
    assert_eq!(run.status, Some(0));
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(
        text.ends_with("       2          200  QhdPYR:00WBw1Ph7x7\n"),
        "{text}"
    );
}

#[test]
fn keeps_the_first_64_kib_of_a_header() {
    let server = server();
    let trace = "Received: from a by b\r\n";
    for (lines, is_shown) in [(1000, true), (4000, false)] {
        let top = format!("+OK\r\n{}Subject: hello\r\n\r\n.\r\n", trace.repeat(lines));
        server.state.lock().unwrap().answers = vec![("TOP", top)];
        let run = list(&server, &["--headers"]);
        let text = String::from_utf8(run.stdout).unwrap();
        assert_eq!(text.matches("hello").count(), if is_shown { 2 } else { 0 });
    }
}

#[test]
fn a_password_in_a_header_is_not_shown() {
    let server = server();
    let top = "+OK\r\nFrom: me@example.org\r\nSubject: it is secret\r\n\r\n.\r\n";
    server.state.lock().unwrap().answers = vec![("TOP", top.to_owned())];
    let text = String::from_utf8(list(&server, &["--headers"]).stdout).unwrap();
    assert!(!text.contains("it is secret"), "{text}");
    assert!(
        text.contains("me@example.org  (not shown: it repeats"),
        "{text}"
    );
}

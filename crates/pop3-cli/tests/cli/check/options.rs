//! The effect of each option of `pop3 check`, and servers that keep it waiting.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use super::{PASSWORD, Server, check, ids, json, rows};

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://me@{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn leaves_out_the_pipelining_row_without_pipelining() {
    let server = Server::new(&[]);
    let rows_of = |options: &[&str]| {
        let only = ["--format", "json", "--only", "C0002,rfc2449-pipelining"];
        let run = check(&server.url(), &[&only, options].concat(), PASSWORD);
        assert_eq!(run.status, Some(0), "{run:?}");
        rows(&json(&run), "pass")
    };
    assert_eq!(rows_of(&[]), ids(&["C0002", "rfc2449-pipelining"]));
    assert_eq!(rows_of(&["--no-pipelining"]), ids(&["C0002"]));
}

/// Each reply is in time, but the whole session is not.
#[test]
fn the_session_timeout_ends_a_long_run() {
    let (listener, url) = listener();
    let options = ["--timeout", "60", "--session-timeout", "1"];
    let run = check(&url, &options, PASSWORD);
    drop(listener);
    assert_eq!(run.status, Some(75), "{run:?}");
    assert!(run.stderr.contains("not all rows were tried"), "{run:?}");
}

#[test]
fn an_untrusted_certificate_names_the_options_that_help() {
    let directory = tempfile::TempDir::new().unwrap();
    let server = Server::with_tls(&directory.path().join("certificate.pem"));
    let from_the_first_octet = server.url().replace("pop3:", "pop3s:");
    let from_the_first_octet =
        from_the_first_octet.replace(&server.addresses[0], &server.addresses[1]);
    for url in [server.url(), from_the_first_octet] {
        let run = check(&url, &[], PASSWORD);
        assert_eq!(run.status, Some(69), "{run:?}");
        for option in ["--ca-file", "--fingerprint"] {
            assert!(run.stderr.contains(option), "{run:?}");
        }
    }
}

/// The server has not ended the previous session yet, or a mail program has one
/// open.
#[test]
fn waits_while_the_maildrop_is_locked() {
    let (listener, url) = listener();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let _ = converse(stream.unwrap(), number == 0);
        }
    });
    let options = ["--format", "json", "--only", "C0017"];
    let run = check(&url, &options, PASSWORD);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(rows(&json(&run), "pass"), ids(&["C0017"]));
}

fn converse(mut stream: TcpStream, is_locked: bool) -> std::io::Result<()> {
    stream.write_all(b"+OK\r\n")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        let reply = match line.split(' ').next() {
            Some("CAPA") => "+OK\r\nUSER\r\n.\r\n",
            Some("PASS") if is_locked => "-ERR [IN-USE] locked\r\n",
            Some("STAT") => "+OK 0 0\r\n",
            Some("LIST" | "UIDL") => "+OK\r\n.\r\n",
            Some("USER" | "PASS" | "NOOP" | "RSET" | "QUIT") => "+OK\r\n",
            _ => "-ERR what?\r\n",
        };
        stream.write_all(reply.as_bytes())?;
        if line == "QUIT" {
            break;
        }
    }
    Ok(())
}

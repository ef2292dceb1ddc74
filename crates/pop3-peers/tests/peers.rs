//! The peers start, serve their messages, and stop. Where a peer changes what
//! it serves, a test here states how.

#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use pop3_peers::{
    COURIER, CYRUS, DAEMONS, DOVECOT, Daemon, MAILUTILS, MPOPD, Obstacle, PASSWORD, POPA3D, SOLID,
    Server, USER, messages, with_crlf,
};

const COUNT: usize = 30;

/// A session with a peer.
struct Session {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Session {
    fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        let replies = BufReader::new(stream.try_clone().unwrap());
        let mut session = Self { stream, replies };
        let greeting = session.line();
        assert!(greeting.starts_with(b"+OK"));
        session
    }

    fn logged_in(server: &Server) -> Self {
        let mut session = Self::open(server);
        session.ask(&format!("USER {USER}"));
        session.ask(&format!("PASS {PASSWORD}"));
        session
    }

    /// Sends a command and returns its status, which must be positive.
    fn ask(&mut self, command: &str) -> String {
        let reply = self.try_ask(command);
        assert!(reply.starts_with("+OK"), "{command}: {reply}");
        reply
    }

    fn try_ask(&mut self, command: &str) -> String {
        // One write, so that no command waits for the acknowledgement of the
        // previous one.
        let line = format!("{command}\r\n");
        self.stream.write_all(line.as_bytes()).unwrap();
        String::from_utf8(self.line()).unwrap()
    }

    /// Sends a command and returns the lines of its block.
    fn block(&mut self, command: &str) -> Vec<Vec<u8>> {
        self.ask(command);
        let mut lines = Vec::new();
        loop {
            let mut line = self.line();
            if line == b".\r\n" {
                return lines;
            }
            if line.starts_with(b".") {
                line.remove(0);
            }
            lines.push(line);
        }
    }

    /// The second word of each line of a listing.
    fn listing(&mut self, command: &str) -> Vec<String> {
        let lines = self.block(command);
        let words = lines.iter().map(|line| {
            let line = String::from_utf8_lossy(line);
            line.split_whitespace().nth(1).unwrap().to_owned()
        });
        words.collect()
    }

    fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.replies.read_until(b'\n', &mut line).unwrap();
        assert!(line.ends_with(b"\r\n"), "cut off: {line:?}");
        line
    }
}

/// What a server returns for such messages.
struct Served {
    messages: Vec<Vec<u8>>,
    sizes: Vec<String>,
    ids: Vec<String>,
}

/// Starts a server, logs in, retrieves everything, and deletes the first
/// message.
fn served(daemon: &Daemon, messages: &[Vec<u8>]) -> Option<Served> {
    let server = daemon.start(messages, None).unwrap()?;
    let mut session = Session::logged_in(&server);
    let stat = session.ask("STAT");
    assert!(
        stat.starts_with(&format!("+OK {} ", messages.len())),
        "{stat}"
    );
    let served = Served {
        sizes: session.listing("LIST"),
        ids: session.listing("UIDL"),
        messages: (1..=messages.len())
            .map(|number| session.block(&format!("RETR {number}")).concat())
            .collect(),
    };
    session.ask("DELE 1");
    session.ask("QUIT");
    assert_is_deleted(&server, messages.len() - 1);
    Some(served)
}

/// mpopd and Courier report the deletion before they do it.
fn assert_is_deleted(server: &Server, left: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.messages().unwrap() != left {
        assert!(Instant::now() < deadline, "the message is still there");
        thread::sleep(Duration::from_millis(10));
    }
}

fn sizes_of(messages: &[Vec<u8>]) -> Vec<String> {
    messages
        .iter()
        .map(|message| message.len().to_string())
        .collect()
}

/// Octet for octet, with exact sizes and a unique-id for each message.
fn serves_all(daemon: &Daemon) {
    let messages = messages(COUNT);
    let Some(served) = served(daemon, &messages) else {
        return;
    };
    let expected: Vec<_> = messages.iter().map(|message| with_crlf(message)).collect();
    assert_eq!(served.sizes, sizes_of(&expected));
    assert!(served.messages == expected);
    assert_are_unique(served.ids);
}

fn assert_are_unique(mut ids: Vec<String>) {
    assert_eq!(ids.len(), COUNT);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), COUNT);
}

#[test]
fn dovecot_serves() {
    serves_all(&DOVECOT);
}

#[test]
fn courier_serves() {
    serves_all(&COURIER);
}

#[test]
fn cyrus_serves() {
    serves_all(&CYRUS);
}

#[test]
fn solid_serves() {
    serves_all(&SOLID);
}

#[test]
fn mpopd_serves_and_counts_an_lf_as_one_octet() {
    let messages = messages(COUNT);
    if let Some(served) = served(&MPOPD, &messages) {
        assert_eq!(served.sizes, sizes_of(&messages));
        let expected: Vec<_> = messages.iter().map(|message| with_crlf(message)).collect();
        assert!(served.messages == expected);
        assert_are_unique(served.ids);
    }
}

#[test]
fn popa3d_serves_what_the_mbox_holds() {
    let messages = messages(COUNT);
    if let Some(served) = served(&POPA3D, &messages) {
        let quoted = messages.iter().map(|message| {
            let text = String::from_utf8(message.clone()).unwrap();
            with_crlf(text.replace("\nFrom ", "\n>From ").as_bytes())
        });
        let expected: Vec<_> = quoted.collect();
        assert_eq!(served.sizes, sizes_of(&expected));
        assert!(served.messages == expected);
        assert_are_unique(served.ids);
    }
}

#[test]
fn popa3d_has_one_unique_id_for_two_messages() {
    let messages = [
        "Subject: 1\n\none\n".as_bytes().to_vec(),
        "Subject: 2\n\nanother\n".as_bytes().to_vec(),
    ];
    if let Some(served) = served(&POPA3D, &messages) {
        assert_eq!(served.ids[0], served.ids[1]);
    }
}

#[test]
fn mailutils_adds_a_field_that_it_does_not_count() {
    let messages = messages(COUNT);
    if let Some(served) = served(&MAILUTILS, &messages) {
        let expected: Vec<_> = messages.iter().map(|message| with_crlf(message)).collect();
        assert_eq!(served.sizes, sizes_of(&expected));
        for ((got, expected), id) in served.messages.iter().zip(&expected).zip(&served.ids) {
            let field = format!("X-UIDL: {id}\r\n");
            let got = String::from_utf8(got.clone()).unwrap();
            assert!(got.contains(&field), "{got}");
            assert_eq!(got.replacen(&field, "", 1).as_bytes(), expected);
        }
        assert_are_unique(served.ids);
    }
}

#[test]
fn solid_refuses_the_maildir_if_one_message_lacks_a_last_line_end() {
    let Some(server) = SOLID
        .start(["Subject: 1\n\none\n", "Subject: 2\n\ntwo"], None)
        .unwrap()
    else {
        return;
    };
    let mut session = Session::open(&server);
    session.ask(&format!("USER {USER}"));
    let reply = session.try_ask(&format!("PASS {PASSWORD}"));
    assert!(reply.starts_with("-ERR message is damaged"), "{reply}");
}

#[test]
fn every_installed_server_has_a_version() {
    for daemon in DAEMONS {
        let absent = matches!(daemon.obstacle(), Some(Obstacle::NotInstalled { .. }));
        assert_eq!(daemon.version().is_none(), absent, "{}", daemon.name);
    }
}

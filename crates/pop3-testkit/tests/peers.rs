//! The peers start, serve what they were given, and stop.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use pop3_testkit::peer::{self, PASSWORD, Server, USER};

const MESSAGES: [&str; 3] = [
    "Subject: 1\n\none\n",
    "Subject: 2\n\n.two\n",
    "Subject: 3\n\n",
];

/// The answers to a login, STAT and QUIT.
fn stat(server: &Server) -> Vec<String> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    assert!(greeting.starts_with("+OK"), "{greeting}");
    let commands = [
        &format!("USER {USER}"),
        &format!("PASS {PASSWORD}"),
        "STAT",
        "QUIT",
    ];
    commands
        .map(|command| {
            write!(stream, "{command}\r\n").unwrap();
            lines.next().unwrap().unwrap()
        })
        .to_vec()
}

#[test]
fn dovecot_serves() {
    if let Some(server) = peer::dovecot(MESSAGES, None).unwrap() {
        assert!(stat(&server)[2].starts_with("+OK 3 "));
        assert_eq!(server.messages().unwrap(), 3);
    }
}

#[test]
fn mpopd_serves() {
    if let Some(server) = peer::mpopd(MESSAGES).unwrap() {
        assert!(stat(&server)[2].starts_with("+OK 3 "));
        assert_eq!(server.messages().unwrap(), 3);
    }
}

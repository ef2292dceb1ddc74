//! What our server does with the commands of a client.

use std::{io, time::Instant};

use pop3_proto::{
    MessageNumber, UniqueId,
    server::{Closed, Config, Event, Login, Maildrop, Session, Verdict},
};

pub(crate) const MESSAGES: [&[u8]; 3] = [
    b"Subject: first\r\n\r\none\r\n",
    b"Subject: second\r\n\r\n.two\r\n",
    b"Subject: third\r\n\r\nthree\r\n",
];

pub(crate) struct Three;

impl Maildrop for Three {
    type Message = &'static [u8];

    fn messages(&self) -> u32 {
        3
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        MESSAGES[number.index()].len() as u64
    }

    fn unique_id(&self, number: MessageNumber) -> UniqueId<'_> {
        const IDS: [&[u8]; 3] = [b"a", b"b", b"c"];
        UniqueId::new(IDS[number.index()]).expect("a unique-id")
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<&'static [u8]> {
        Ok(MESSAGES[number.index()])
    }

    fn commit(self, _: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        Ok(())
    }
}

struct Server {
    session: Session<Three>,
    now: Instant,
    closed: Option<Closed>,
}

impl Server {
    fn connected() -> Self {
        let now = Instant::now();
        let config = Config::new().dangerous_plaintext_without_tls(true);
        let mut server = Self {
            session: Session::new(config, now),
            now,
            closed: None,
        };
        assert!(server.ask("").starts_with("+OK"), "a greeting");
        server
    }

    fn logged_in() -> Self {
        let mut server = Self::connected();
        assert!(server.ask("USER mrose\r\n").starts_with("+OK"));
        assert!(server.ask("PASS right\r\n").starts_with("+OK"));
        assert!(server.session.is_transaction());
        server
    }

    /// What the server sends for these octets. `right` is the password.
    fn ask(&mut self, input: &str) -> String {
        let mut input = input.as_bytes();
        let mut sent = Vec::new();
        loop {
            while let Some(octets) = self.session.poll_transmit() {
                sent.extend_from_slice(octets);
                let octets = octets.len();
                self.session.handle_transmitted(self.now, octets);
            }
            match self.session.poll_event() {
                Some(Event::Login(login)) => {
                    let verdict = match is_right(&login) {
                        true => Verdict::Accept(Three),
                        false => Verdict::Reject,
                    };
                    self.session.answer(self.now, verdict);
                }
                Some(Event::Closed(closed)) => self.closed = Some(closed),
                Some(_) => panic!("an event that nobody asked for"),
                None if input.is_empty() => break,
                None => {
                    let consumed = self.session.handle_input(self.now, input);
                    input = &input[consumed..];
                }
            }
        }
        String::from_utf8(sent).expect("ASCII")
    }
}

fn is_right(login: &Login) -> bool {
    matches!(login, Login::Password { password, .. } if password.expose() == "right")
}

#[test]
fn c0009_the_server_offers_a_way_to_log_in() {
    let capabilities = Server::connected().ask("CAPA\r\n");
    assert!(capabilities.contains("\r\nUSER\r\n"), "{capabilities}");
    Server::logged_in();
}

#[test]
fn c0010_after_a_failed_login_the_client_may_try_again() {
    let mut server = Server::connected();
    assert!(server.ask("USER mrose\r\n").starts_with("+OK"));
    assert!(server.ask("PASS wrong\r\n").starts_with("-ERR"));
    assert_eq!(server.closed, None);
    assert!(server.ask("USER mrose\r\n").starts_with("+OK"));
    assert!(server.ask("PASS right\r\n").starts_with("+OK"));
    assert!(server.session.is_transaction());
}

#[test]
fn c0010_after_a_failed_login_the_client_may_quit() {
    let mut server = Server::connected();
    server.ask("USER mrose\r\nPASS wrong\r\n");
    assert!(server.ask("QUIT\r\n").starts_with("+OK"));
    assert_eq!(server.closed, Some(Closed::Quit));
}

#[test]
fn c0013_commands_may_be_repeated() {
    let mut server = Server::logged_in();
    for command in [
        "STAT\r\n",
        "LIST\r\n",
        "RETR 1\r\n",
        "NOOP\r\n",
        "UIDL\r\n",
        "TOP 1 0\r\n",
    ] {
        let first = server.ask(command);
        assert!(first.starts_with("+OK"), "{command}: {first}");
        assert_eq!(server.ask(command), first);
    }
}

#[test]
fn c0023_retr_gives_the_message_of_that_number() {
    let mut server = Server::logged_in();
    assert!(
        server
            .ask("RETR 2\r\n")
            .ends_with("\r\nSubject: second\r\n\r\n..two\r\n.\r\n")
    );
    assert!(
        server
            .ask("RETR 3\r\n")
            .ends_with("\r\nSubject: third\r\n\r\nthree\r\n.\r\n")
    );
    assert!(server.ask("RETR 4\r\n").starts_with("-ERR"));
}

#[test]
fn c0026_a_deleted_message_is_refused_from_then_on() {
    let mut server = Server::logged_in();
    assert!(server.ask("DELE 2\r\n").starts_with("+OK"));
    for command in [
        "RETR 2\r\n",
        "DELE 2\r\n",
        "LIST 2\r\n",
        "UIDL 2\r\n",
        "TOP 2 0\r\n",
    ] {
        let reply = server.ask(command);
        assert!(reply.starts_with("-ERR"), "{command}: {reply}");
    }
    let listing = server.ask("LIST\r\n");
    assert!(
        listing.contains("\r\n1 ") && listing.contains("\r\n3 "),
        "{listing}"
    );
    assert!(!listing.contains("\r\n2 "), "{listing}");
}

#[test]
fn c0029_noop_is_answered_with_yes() {
    assert!(Server::logged_in().ask("NOOP\r\n").starts_with("+OK"));
}

#[test]
fn c0031_the_server_has_every_required_command() {
    let mut server = Server::logged_in();
    for command in [
        "STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET", "QUIT",
    ] {
        let reply = server.ask(&format!("{command}\r\n"));
        assert!(reply.starts_with("+OK"), "{command}: {reply}");
    }
    assert_eq!(server.closed, Some(Closed::Updated));
}

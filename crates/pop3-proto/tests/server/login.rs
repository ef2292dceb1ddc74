//! The AUTHORIZATION state (RFC 1939 §§4 and 7, RFC 2449 §5, RFC 5034 §4).

use pop3_proto::{
    Mechanism,
    server::{Config, State, Tls},
};
use pop3_testkit::store::Store;

use crate::drive::{PASSWORD, Server, store};

fn one() -> Store {
    store(&[b"A: b\r\n\r\nc\r\n"])
}

#[test]
fn a_configuration_cannot_break_a_line() {
    for text in ["", "a\r\nb", "[IN-USE] x", "<1@2>", &"x".repeat(201)] {
        assert!(Config::new().greeting(text).is_err(), "{text}");
    }
    for text in [
        "",
        "1@2",
        "<12>",
        "<1@2> x",
        "<1\n@2>",
        &format!("<1@{}>", "x".repeat(250)),
    ] {
        assert!(Config::new().apop(text).is_err(), "{text}");
    }
    assert!(Config::new().implementation("a\nb").is_err());
    assert!(
        Config::new()
            .mechanisms(&[Mechanism::new("X").unwrap(); 21])
            .is_err()
    );
}

#[test]
fn the_longest_lines_keep_to_512_octets() {
    let text = "x".repeat(200);
    let timestamp = format!("<1@{}>", "x".repeat(246));
    let mechanisms: Vec<String> = (10..30).map(|n| format!("MECHANISM-NUMBER-0{n}")).collect();
    let mechanisms: Vec<_> = mechanisms
        .iter()
        .map(|name| Mechanism::new(name).unwrap())
        .collect();
    let config = Config::new()
        .greeting(&text)
        .unwrap()
        .apop(&timestamp)
        .unwrap();
    let config = config
        .implementation(&text)
        .unwrap()
        .mechanisms(&mechanisms)
        .unwrap();
    let answer = Server::new(config, &one()).ask("CAPA\r\n");
    let longest = answer.lines().map(str::len).max().unwrap() + 2;
    assert!((450..=512).contains(&longest), "{longest}");
}

#[test]
fn accepts_pass_only_directly_after_user() {
    for between in ["NOOP", "CAPA", "XYZZY", "PASS", "UTF8", &"x".repeat(300)] {
        let mut server = Server::plain(&one());
        server.run(format!("USER me\r\n{between}\r\n").as_bytes());
        server.refuses(&[&format!("PASS {PASSWORD}")]);
        assert!(server.events.is_empty(), "{between}");
    }
    let mut server = Server::plain(&one());
    server.run(b"USER me\r\nPASS wrong\r\n");
    server.refuses(&[&format!("PASS {PASSWORD}")]);
}

#[test]
fn a_locked_maildrop_is_in_use() {
    let store = one();
    let lock = store.lock();
    let mut server = Server::plain(&store);
    let login = format!("USER me\r\nPASS {PASSWORD}\r\n");
    assert!(server.ask(&login).contains("\r\n-ERR [IN-USE] "));
    assert_ne!(server.session.state(), State::Transaction);
    assert_eq!(server.session.failed_logins(), 0);
    drop(lock);
    server.run(login.as_bytes());
    assert_eq!(server.session.state(), State::Transaction);
}

#[test]
fn capabilities() {
    let config = Config::new()
        .tls(Tls::Unavailable)
        .dangerous_plaintext_without_tls(true)
        .implementation("x 1")
        .unwrap();
    let mut server = Server::new(config, &one());
    server.run(b"");
    let answer = server.ask("CAPA\r\n");
    let expected = "+OK\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n\
                    LANG\r\nIMPLEMENTATION x 1\r\n.\r\n";
    assert_eq!(answer, expected);
    server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
    assert_eq!(server.ask("CAPA\r\n"), expected);
    let mut server = Server::new(Config::new().utf8(true), &one());
    assert!(server.ask("CAPA\r\n").contains("\r\nUTF8\r\n"));
}

#[test]
fn accepts_utf8_if_it_is_offered() {
    let mut server = Server::new(Config::new().utf8(true), &one());
    assert!(!server.session.is_utf8());
    assert!(server.ask("UTF8\r\n").ends_with("\r\n+OK\r\n"));
    assert!(server.session.is_utf8());
}

/// A driver that logs its users depends on this.
#[test]
fn a_session_shows_its_state() {
    let mut server = Server::plain(&one());
    let login = format!("USER me\r\nPASS wrong\r\nUSER me\r\nPASS {PASSWORD}\r\n");
    let states = ["", &login, "QUIT\r\n"].map(|input| {
        server.run(input.as_bytes());
        format!("{:?}", server.session)
    });
    assert_eq!(
        states,
        [
            (State::Authorization, 0),
            (State::Transaction, 1),
            (State::Closed, 1)
        ]
        .map(|(state, failed)| format!(
            "Session {{ state: {state:?}, tls: Unavailable, failed_logins: {failed}, .. }}"
        ))
    );
}

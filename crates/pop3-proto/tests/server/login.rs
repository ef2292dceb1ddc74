//! The AUTHORIZATION state (RFC 1939 §§4 and 7, RFC 2449 §5, RFC 5034 §4).

use pop3_proto::{
    IndicatorRule, Mechanism, StatusLine,
    server::{Closed, Config, HiddenText, State, Tls},
};

use crate::drive::{PASSWORD, Server, Store};

fn one() -> Store {
    Store::new(&[b"A: b\r\n\r\nc\r\n"])
}

/// MS-STANOPOP3 C0002.
#[test]
fn the_greeting_comes_first() {
    let config = Config::new().greeting("host ready").unwrap();
    let mut server = Server::new(config.clone(), &one());
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 0);
    assert_eq!(server.ask("QUIT\r\n"), "+OK host ready\r\n+OK goodbye\r\n");
    let mut server = Server::new(config.apop("<1.2@host>").unwrap(), &one());
    assert_eq!(
        server.ask("APOP me digest\r\n").lines().next(),
        Some("+OK host ready <1.2@host>")
    );
    assert_eq!(server.session.state(), State::Transaction);
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
fn user_and_pass() {
    let mut server = Server::plain(&one());
    server.run(b"");
    assert_eq!(server.ask("user me\r\n"), "+OK\r\n");
    // Spaces belong to the password, one at its end too.
    assert!(
        server
            .ask(&format!("pass {PASSWORD}\r\n"))
            .starts_with("+OK ")
    );
    assert_eq!(server.session.state(), State::Transaction);
    assert_eq!(server.session.failed_logins(), 0);
}

#[test]
fn the_second_of_two_names_counts() {
    let mut server = Server::plain(&one());
    server.run(b"USER other\r\nUSER me\r\n");
    assert!(
        server
            .ask(&format!("PASS {PASSWORD}\r\n"))
            .starts_with("+OK")
    );
}

#[test]
fn pass_comes_right_after_user() {
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
fn failed_logins_are_counted_and_say_nothing_of_why() {
    let mut server = Server::plain(&one());
    server.run(b"");
    let mut answers = ["USER me\r\nPASS wrong\r\n", "USER nobody\r\nPASS wrong\r\n"]
        .map(|login| server.ask(login));
    assert!(
        answers[0].starts_with("+OK\r\n-ERR [AUTH] "),
        "{}",
        answers[0]
    );
    answers.sort();
    assert_eq!(answers[0], answers[1]);
    assert_eq!(server.session.failed_logins(), 2);
    server.temporary = true;
    let answer = server.ask(&format!("USER me\r\nPASS {PASSWORD}\r\n"));
    assert!(answer.contains("-ERR [SYS/TEMP] "), "{answer}");
    assert_eq!(server.session.failed_logins(), 2);
    server.temporary = false;
    server.run(format!("USER me\r\nPASS {PASSWORD}\r\n").as_bytes());
    assert_eq!(server.session.state(), State::Transaction);
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
fn commands_of_transaction_are_refused() {
    let mut server = Server::plain(&one());
    server.run(b"");
    server.refuses(&["STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET"]);
    server.refuses(&[
        "TOP 1 0",
        "UIDL",
        "UIDL 1",
        "LANG de",
        "APOP me digest",
        "AUTH PLAIN",
        "UTF8",
    ]);
}

#[test]
fn quit_without_login_touches_nothing() {
    let store = one();
    let mut server = Server::plain(&store);
    server.run(b"USER me\r\nDELE 1\r\nQUIT\r\n");
    assert_eq!(server.closed, Some(Closed::Quit));
    assert_eq!((store.0.borrow().commits, store.messages().len()), (0, 1));
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
fn utf8_where_it_is_offered() {
    let mut server = Server::new(Config::new().utf8(true), &one());
    assert!(!server.session.is_utf8());
    assert!(server.ask("UTF8\r\n").ends_with("\r\n+OK\r\n"));
    assert!(server.session.is_utf8());
}

/// A driver that writes to a log whom it serves relies on it.
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

#[test]
fn secrets_are_not_shown() {
    let mut server = Server::plain(&one());
    server.run(b"USER me\r\nPASS hush");
    let mut shown = format!("{:?}", server.session);
    server.run(b"\r\n");
    server.run(b"AUTH PLAIN aHVzaA==\r\nAPOP me hush\r\n");
    shown += &format!(
        "{:?} {:?} {:?}",
        server.events,
        server.session,
        HiddenText::from("hush")
    );
    assert!(
        shown.contains("me") && !shown.contains("hush") && !shown.contains("aHVz"),
        "{shown}"
    );
}

#[test]
fn a_strict_client_reads_every_first_line() {
    let mut server = Server::plain(&one());
    let refused = "USER\r\nPASS x\r\nTOP 1\r\nRETR 0\r\nAPOP me\r\nSTLS\r\nUSER \u{1}\r\n\r\n";
    let sent = server.ask(&format!("{refused}USER me\r\nPASS x\r\n"));
    let lines: Vec<_> = sent
        .lines()
        .map(|line| StatusLine::parse(line.as_bytes(), IndicatorRule::Exact).unwrap())
        .collect();
    let positive: Vec<_> = (0..lines.len())
        .filter(|&at| lines[at].is_positive())
        .collect();
    assert_eq!((lines.len(), positive), (11, vec![0, 9]));
    // Only the last has a response code (RFC 2449 §8, RFC 3206 §4).
    let codes: Vec<_> = lines.iter().filter_map(StatusLine::code).collect();
    assert_eq!(codes.len(), 1);
    assert!(codes[0].is_within("AUTH"));
}

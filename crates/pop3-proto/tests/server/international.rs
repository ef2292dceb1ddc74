//! UTF8 and LANG (RFC 6856).

use pop3_proto::server::{Config, Tls};

use crate::drive::{PASSWORD, Server, Store};

fn server(config: Config, store: &Store) -> Server {
    let mut server = Server::new(config.dangerous_plaintext_without_tls(true), store);
    server.run(b"");
    server
}

fn login() -> String {
    format!("USER me\r\nPASS {PASSWORD}\r\n")
}

#[test]
fn capa_says_whether_names_may_be_utf8() {
    for (config, announced) in [
        (Config::new(), None),
        (Config::new().utf8_names(true), None),
        (Config::new().utf8(true), Some("UTF8")),
        (Config::new().utf8(true).utf8_names(true), Some("UTF8 USER")),
    ] {
        let mut server = server(config, &Store::new(&[]));
        for input in ["CAPA\r\n".to_owned(), login() + "CAPA\r\n"] {
            let answer = server.ask(&input);
            let lines: Vec<_> = answer
                .lines()
                .filter(|line| line.contains("UTF8"))
                .collect();
            assert_eq!(lines, Vec::from_iter(announced), "{answer}");
        }
    }
}

#[test]
fn names_and_passwords_beyond_ascii_only_where_announced() {
    let timestamp = "<1.2@host>";
    for config in [
        Config::new(),
        Config::new().utf8(true),
        Config::new().utf8_names(true),
    ] {
        let mut server = server(config.apop(timestamp).unwrap(), &Store::new(&[]));
        for refused in ["USER m\u{e9}\r\n", "APOP m\u{e9} digest\r\n"] {
            let answer = server.ask(refused);
            assert!(answer.starts_with("-ERR [AUTH] "), "{answer}");
        }
        let answer = server.ask("USER me\r\nPASS \u{e9}\r\n");
        assert!(answer.starts_with("+OK\r\n-ERR [AUTH] "), "{answer}");
        let answer = server.ask("PASS \u{e9}\r\n");
        assert_eq!(answer, "-ERR PASS comes right after USER\r\n");
        server.refuses(&[&format!("PASS {PASSWORD}")]);
        assert!(server.events.is_empty());
        assert!(
            server
                .ask(&login())
                .ends_with("+OK maildrop locked and ready\r\n")
        );
    }
    // Also before UTF8 is sent.
    let config = Config::new().utf8(true).utf8_names(true);
    let mut server = server(config.apop(timestamp).unwrap(), &Store::new(&[]));
    server.run("USER m\u{e9}\r\nPASS \u{e8}\r\nAPOP m\u{e9} digest\r\n".as_bytes());
    assert!(server.events[0].contains("m\u{e9}") && server.events.len() == 2);
    // What is no UTF-8 is refused everywhere.
    let mut server = self::server(Config::new().utf8(true).utf8_names(true), &Store::new(&[]));
    server.run(b"USER m\xe9\r\n");
    assert!(server.sent.ends_with(b"-ERR bad argument at octet 6\r\n"));
}

#[test]
fn a_message_that_needs_utf8_is_refused_to_others() {
    let store = Store::new(&["Subject: \u{e9}\r\n\r\n".as_bytes(), b"Subject: e\r\n\r\n"]);
    for (surrogates, utf8) in [(true, false), (false, true), (true, true)] {
        store.0.borrow_mut().needs_utf8 = !surrogates;
        let mut server = server(Config::new().utf8(true), &store);
        if utf8 {
            server.run(b"UTF8\r\n");
        }
        server.run(login().as_bytes());
        let answer = server.ask("RETR 1\r\n");
        assert!(
            answer.starts_with("+OK 15 octets\r\nSubject: \u{e9}"),
            "{answer}"
        );
    }
    store.0.borrow_mut().needs_utf8 = true;
    let mut server = server(Config::new().utf8(true), &store);
    server.run(login().as_bytes());
    for command in ["RETR 1\r\n", "TOP 1 0\r\n"] {
        let answer = server.ask(command);
        assert!(
            answer.starts_with("-ERR [UTF8] ") && answer.lines().count() == 1,
            "{answer}"
        );
    }
    assert!(
        server
            .ask("RETR 2\r\nLIST 1\r\n")
            .ends_with(".\r\n+OK 1 15\r\n")
    );
    // A number that is none is no such message, not one in UTF-8.
    assert_eq!(
        server.ask("DELE 1\r\nRETR 1\r\n").lines().nth(1),
        Some("-ERR no such message")
    );
}

#[test]
fn the_only_language_is_listed_and_chosen_in_both_states() {
    let mut server = server(Config::new(), &Store::new(&[]));
    for before in [String::new(), login()] {
        server.run(before.as_bytes());
        assert!(server.ask("CAPA\r\n").contains("\r\nLANG\r\n"));
        assert_eq!(server.ask("LANG\r\n"), "+OK\r\nen English\r\n.\r\n");
        for range in ["en", "EN", "*", "en-GB", "en-boont"] {
            let answer = server.ask(&format!("LANG {range}\r\n"));
            assert_eq!(answer, "+OK en English it is\r\n", "{range}");
        }
        server.refuses(&[
            "LANG MUL",
            "LANG eng",
            "LANG e",
            "LANG *-en",
            "LANG -",
            "LANG en de",
        ]);
    }
}

/// It is a command like others between USER and PASS, and under STLS.
#[test]
fn lang_comes_between_user_and_pass_as_others_do() {
    let mut server = server(Config::new().tls(Tls::Offered), &Store::new(&[]));
    server.run(b"USER me\r\nLANG en\r\n");
    server.refuses(&[&format!("PASS {PASSWORD}")]);
    assert!(server.ask("STLS\r\n").starts_with("+OK"));
}

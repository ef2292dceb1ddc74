//! What a client receives, piece by piece.

use super::*;

/// A scenario of a server that announces STLS.
fn scenario(text: &str) -> Scenario {
    let text = format!("why = 'a test'\ntransport = 'stls'\n{text}");
    Scenario::parse("test", &text).unwrap().remove(0)
}

/// What the server does until it waits for the client. Its pauses are skipped.
fn served(server: &mut Server<'_>) -> String {
    let mut now = Duration::ZERO;
    let mut done = String::new();
    loop {
        match server.poll(now) {
            Action::Send(octets) => done += str::from_utf8(&octets).unwrap(),
            Action::StartTls => {
                done += "[TLS]";
                server.handle_tls(true);
            }
            Action::Close => done += "[close]",
            Action::Wait(due) => {
                assert!(due > now);
                now = due;
            }
            Action::Read => return done,
        }
    }
}

/// What a server does after the greeting, once these pieces have arrived.
#[track_caller]
fn answers(scenario: &Scenario, pieces: &[&str], wanted: &str) {
    let mut server = Server::new(scenario);
    let mut done = served(&mut server);
    for piece in pieces {
        server.handle_input(piece.as_bytes());
        done += &served(&mut server);
    }
    assert_eq!(done, format!("+OK ready\r\n{wanted}"), "{pieces:?}");
}

const LOGIN: &str = "USER a\r\nPASS b\r\n";

/// RFC 1939, RFC 2449 §5, RFC 2595 §4.
#[test]
fn a_correct_server_answers_by_its_state() {
    let mail = &scenario("[[message]]\nbare = true\nwire = '''\nSubject: a\n\none\ntwo'''");
    let later = "-ERR not now\r\n";
    let empty = scenario("empty = true\ncapabilities = []");
    let wanted = format!("{later}+OK\r\n+OK\r\n+OK 0 0\r\n");
    answers(&empty, &["STLS\r\n", LOGIN, "STAT\r\n"], &wanted);
    answers(mail, &["STAT\r\nPASS b\r\n"], &later.repeat(2));
    let again = "USER a\r\nUSER b\r\nSTAT\r\nPASS b\r\nUSER a\r\nNOOP\r\nPASS b\r\nUSER a\r\n";
    let wanted = [
        "+OK\r\n",
        "+OK\r\n",
        later,
        later,
        "+OK\r\n",
        "+OK nothing done\r\n",
    ];
    let wanted = [&wanted.concat(), "+OK\r\n", later].concat();
    answers(mail, &[again], &wanted);
    let capabilities = "+OK\r\nUSER\r\nTOP\r\nUIDL\r\n";
    let stls =
        format!("{capabilities}STLS\r\n.\r\n+OK begin TLS\r\n[TLS]{capabilities}.\r\n{later}");
    // What precedes the handshake is not TLS, and is not read.
    let pieces = ["CAPA\r\nSTLS\r\nNOOP\r\n", "CAPA\r\nSTLS\r\n"];
    answers(mail, &pieces, &stls);
    answers(
        mail,
        &[LOGIN, "STLS\r\n"],
        &format!("+OK\r\n+OK\r\n{later}"),
    );
    let none = "-ERR no such message\r\n";
    let head = "+OK it comes\r\nSubject: a\r\n\r\n";
    for (lines, wanted) in [
        ("TOP 1 0", &format!("{head}.\r\n")[..]),
        ("TOP 1 1", &format!("{head}one\r\n.\r\n")),
        ("TOP 1 2", &format!("{head}one\r\ntwo\r\n.\r\n")),
        ("TOP 1 9", &format!("{head}one\r\ntwo\r\n.\r\n")),
        ("TOP 2 0", none),
        ("TOP 1 x", none),
        ("LIST 1", "+OK 1 24\r\n"),
        ("DELE 1\r\nLIST 1", &format!("+OK marked\r\n{none}")),
        (
            "DELE 1\r\nRSET\r\nLIST 1",
            "+OK marked\r\n+OK unmarked\r\n+OK 1 24\r\n",
        ),
        ("QUIT\r\nNOOP", "+OK bye\r\n[close]"),
    ] {
        let lines = format!("{lines}\r\n");
        answers(mail, &[LOGIN, &lines], &format!("+OK\r\n+OK\r\n{wanted}"));
    }
}

#[test]
fn a_rule_applies_a_number_of_times_and_to_its_transport() {
    let scenario = &scenario(
        "[[reply]]\nto = 'NOOP'\ntimes = 2\nsend = '+OK mine'\n\
         [[reply]]\nto = 'CAPA'\nwhen = 'tls'\nsend = '-ERR no'\n\
         [[reply]]\nto = 'STAT'\nwhen = 'clear'\nsend = '+OK 0 0'",
    );
    let pieces = [
        "NOOP\r\nNOOP\r\nNOOP\r\nSTAT\r\nSTLS\r\n",
        "CAPA\r\nSTAT\r\n",
    ];
    let wanted = "+OK mine\r\n+OK mine\r\n+OK nothing done\r\n+OK 0 0\r\n+OK begin TLS\r\n[TLS]\
        -ERR no\r\n-ERR not now\r\n";
    answers(scenario, &pieces, wanted);
}

#[test]
fn the_answer_of_a_rule_decides_the_state() {
    let rule = |to: &str, send: &str| scenario(&format!("[[reply]]\nto = '{to}'\nsend = '{send}'"));
    let stat = ["USER a\r\nPASS b\r\nSTAT\r\n"];
    let wanted = "+OK mine\r\n+OK\r\n+OK 1 183\r\n";
    answers(&rule("USER", "+OK mine"), &stat, wanted);
    let wanted = "-ERR no\r\n-ERR not now\r\n-ERR not now\r\n";
    answers(&rule("USER", "-ERR no"), &stat, wanted);
    let greeting = rule("CONNECT", "* hello");
    let mut server = Server::new(&greeting);
    assert_eq!(served(&mut server), "* hello\r\n");
    server.handle_input(LOGIN.as_bytes());
    assert_eq!(served(&mut server), "+OK\r\n+OK\r\n");
    let deletion = rule("DELE", "+OK mine");
    let mut server = Server::new(&deletion);
    server.handle_input(LOGIN.as_bytes());
    // There is no message 2, whatever the rule says.
    server.handle_input(b"DELE 2\r\nDELE 1\r\nQUIT\r\n");
    assert_eq!(server.removed(), [1]);
}

/// A client that begins TLS although the server goes on without it gets an answer, and
/// nothing after that.
#[test]
fn a_handshake_that_the_server_does_not_expect_ends_the_session() {
    let rule = |to: &str, rest: &str| scenario(&format!("[[reply]]\nto = '{to}'\n{rest}"));
    let stls = rule("STLS", "send = '+OK go'");
    let hello = "\x16\x03NOOP\r\n";
    let what = "+OK go\r\n-ERR what is this?\r\n[close]";
    answers(&stls, &["STLS\r\n", hello, "NOOP\r\n"], what);
    let noop = "+OK go\r\n+OK nothing done\r\n";
    answers(&stls, &["STLS\r\n", "NOOP\r\n"], noop);
    answers(
        &stls,
        &["STLS\r\n", "A\x16\r\n"],
        "+OK go\r\n-ERR not now\r\n",
    );
    answers(&stls, &[hello], "-ERR not now\r\n");
    let refused = rule("STLS", "send = '-ERR no'");
    answers(
        &refused,
        &["STLS\r\n", hello],
        "-ERR no\r\n-ERR not now\r\n",
    );
    let other = rule("NOOP", "send = '+OK go'");
    answers(&other, &["NOOP\r\n", hello], "+OK go\r\n-ERR not now\r\n");
    let done = rule("STLS", "send = '+OK go'\nthen = 'tls'");
    answers(
        &done,
        &["STLS\r\n", hello],
        "+OK go\r\n[TLS]-ERR not now\r\n",
    );
}

#[test]
fn a_client_that_sends_too_much_is_cut_off() {
    let plain = scenario("");
    let too_much = |lines: usize, line: &str| {
        let mut server = Server::new(&plain);
        for _ in 0..lines {
            served(&mut server);
            server.handle_input(line.as_bytes());
        }
        let last = served(&mut server);
        assert_eq!(server.log().too_much, last == "[close]", "{lines}");
        (server.log().too_much, server.log().commands().count())
    };
    assert_eq!(too_much(MAX_COMMANDS, "NOOP\r\n"), (false, MAX_COMMANDS));
    assert_eq!(too_much(MAX_COMMANDS + 1, "NOOP\r\n"), (true, MAX_COMMANDS));
    for (octets, is_too_long) in [(MAX_LINE, false), (MAX_LINE + 1, true)] {
        let mut server = Server::new(&plain);
        server.handle_input(&vec![b'a'; octets]);
        server.handle_input(b"\n");
        assert_eq!(server.log().too_much, is_too_long);
        let command = server.log().commands().next().unwrap();
        assert_eq!(command.line.len(), OCTETS_KEPT);
    }
    // Each answer has a mebibyte. None is read, so 16 may wait for the 17th command.
    let large = scenario("[[message]]\nbare = true\nwire = '\\{1048557 a}'");
    let mut server = Server::new(&large);
    server.handle_input(LOGIN.as_bytes());
    served(&mut server);
    for number in 1..=18 {
        assert!(!server.log().too_much, "{number}");
        server.handle_input(b"RETR 1\r\n");
    }
    assert!(server.log().too_much);
    assert_eq!(server.poll(Duration::ZERO), Action::Close);
}

#[test]
fn pauses_between_the_pieces_of_an_answer() {
    let pieces = |text: &str| {
        let scenario = scenario(text);
        let mut server = Server::new(&scenario);
        let mut now = Duration::ZERO;
        let mut pieces = Vec::new();
        loop {
            match server.poll(now) {
                Action::Send(octets) => pieces.push(String::from_utf8(octets).unwrap()),
                Action::Wait(due) => {
                    pieces.push(format!("{}", (due - now).as_millis()));
                    now = due;
                }
                _ => return pieces,
            }
        }
    };
    let greeting = "[[reply]]\nto = 'CONNECT'\nsend = '+OK'\n";
    let with = |more: &str| pieces(&format!("{greeting}{more}"));
    assert_eq!(with(""), ["+OK\r\n"]);
    assert_eq!(with("cuts = [1, 3, 9]"), ["+", "15", "OK", "15", "\r\n"]);
    assert_eq!(with("delay-ms = 70"), ["70", "+OK\r\n"]);
    let octets = pieces(&format!("octet-by-octet = true\n{greeting}"));
    assert_eq!(octets, ["+", "1", "O", "1", "K", "1", "\r", "1", "\n"]);
}

fn then(word: &str) -> Scenario {
    scenario(&format!(
        "[[reply]]\nto = 'CONNECT'\nsend = '+OK'\nthen = '{word}'"
    ))
}

/// A server after its greeting.
fn greeted(scenario: &Scenario) -> Server<'_> {
    let mut server = Server::new(scenario);
    let greeting = Action::Send(b"+OK\r\n".to_vec());
    assert_eq!(server.poll(Duration::ZERO), greeting);
    assert!(!server.owes());
    server
}

#[test]
fn a_server_that_stops_in_the_middle_owes_the_rest() {
    let now = Duration::ZERO;
    for (word, next, owes) in [
        ("go-on", Action::Read, false),
        ("owe", Action::Read, true),
        ("silence", Action::Read, true),
        ("drip", Action::Send(b"a".to_vec()), true),
        ("flood", Action::Send(vec![b'a'; FLOOD_PIECE]), true),
        ("close", Action::Close, false),
    ] {
        let scenario = then(word);
        let mut server = greeted(&scenario);
        assert_eq!(server.poll(now), next, "{word}");
        assert_eq!(server.owes(), owes, "{word}");
        server.handle_input(b"NOOP\r\n");
        let answers = matches!(server.poll(now), Action::Send(octets) if octets.starts_with(b"+"));
        assert_eq!(answers, ["go-on", "owe"].contains(&word), "{word}");
    }
}

#[test]
fn an_endless_line_drips_or_ends_after_the_flood() {
    let drip = then("drip");
    let mut server = greeted(&drip);
    for piece in 0..3 {
        let now = DRIP * piece;
        assert_eq!(server.poll(now), Action::Send(b"a".to_vec()));
        assert_eq!(server.poll(now), Action::Wait(now + DRIP));
    }
    let flood = then("flood");
    let mut server = greeted(&flood);
    for _ in 0..MAX_FLOOD / FLOOD_PIECE {
        let sent = server.poll(Duration::ZERO);
        assert!(matches!(sent, Action::Send(octets) if octets.len() == FLOOD_PIECE));
        assert!(!server.log().took_the_flood);
    }
    assert_eq!(server.poll(Duration::ZERO), Action::Read);
    assert!(server.log().took_the_flood);
    assert!(server.owes());
}

#[test]
fn logs_the_exchange() {
    let plain = scenario("");
    let mut server = Server::new(&plain);
    served(&mut server);
    server.handle_input(b"CAPA\r\nNOOP\n");
    served(&mut server);
    server.handle_input(b"STLS\r\n");
    served(&mut server);
    server.handle_input(b"PASS secret\r\nQUIT\r\n");
    served(&mut server);
    server.handle_input(b"NOOP\r\nthe rest");
    server.handle_end();
    let log = server.into_log();
    let wanted = [
        r"S: +OK ready\r\n",
        "C: CAPA",
        r"C: NOOP\n",
        r"S: +OK\r\nUSER\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n+OK nothing done\r\n",
        "C: STLS",
        r"S: +OK begin TLS\r\n",
        "TLS begins",
        "C: PASS ***",
        "C: QUIT",
        r"S: -ERR not now\r\n+OK bye\r\n",
        "the server closes",
        "C: NOOP",
        "the client closes",
        r"C: the rest\n",
    ];
    assert_eq!(log.lines(), wanted);
    let facts = |command: &super::super::log::Command| (command.early, command.tls, command.closed);
    let (first, ahead) = ((false, false, false), (true, false, false));
    let (tls, tls_ahead, late) = (
        (false, true, false),
        (true, true, false),
        (false, true, true),
    );
    let facts: Vec<_> = log.commands().map(facts).collect();
    assert_eq!(facts, [first, ahead, first, tls, tls_ahead, late, late]);
}

#[test]
fn a_session_ends_with_a_failed_handshake_or_a_broken_connection() {
    let plain = scenario("");
    let mut server = Server::new(&plain);
    served(&mut server);
    server.handle_tls(false);
    assert_eq!(served(&mut server), "[close]");
    assert_eq!(
        server.log().lines()[1..],
        ["the TLS handshake fails", "the server closes"]
    );
    let mut server = Server::new(&plain);
    server.handle_input(b"NOOP\r\n");
    server.handle_broken();
    assert_eq!(served(&mut server), "");
    server.handle_input(b"NOOP\r\n");
    assert_eq!(served(&mut server), "");
}

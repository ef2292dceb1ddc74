//! The TRANSACTION and UPDATE states (RFC 1939 §§5 to 7).

use std::io;

use pop3_proto::server::{Closed, MESSAGE_PIECE, State};

use crate::drive::{Server, Store};

fn three() -> Store {
    Store::new(&[
        b"A: 1\r\n\r\none\r\n",
        b".first\n\nx\ny\n.z",
        b"No: body\r\n",
    ])
}

#[test]
fn listings() {
    let mut server = Server::logged_in(&three());
    assert_eq!(server.ask("STAT\r\n"), "+OK 3 43\r\n");
    assert_eq!(
        server.ask("LIST\r\n"),
        "+OK 3 messages (43 octets)\r\n1 13\r\n2 20\r\n3 10\r\n.\r\n"
    );
    assert_eq!(server.ask("LIST 2\r\n"), "+OK 2 20\r\n");
    assert_eq!(
        server.ask("UIDL\r\n"),
        "+OK\r\n1 <uid.1\r\n2 <uid.2\r\n3 <uid.3\r\n.\r\n"
    );
    assert_eq!(server.ask("UIDL 3\r\n"), "+OK 3 <uid.3\r\n");
    assert_eq!(server.ask("NOOP\r\n"), "+OK\r\n");
}

#[test]
fn an_empty_maildrop() {
    let mut server = Server::logged_in(&Store::new(&[]));
    assert_eq!(server.ask("STAT\r\n"), "+OK 0 0\r\n");
    assert_eq!(server.ask("LIST\r\n"), "+OK 0 messages (0 octets)\r\n.\r\n");
    assert_eq!(server.ask("UIDL\r\n"), "+OK\r\n.\r\n");
    server.refuses(&["RETR 1", "LIST 1", "DELE 1"]);
}

#[test]
fn message_numbers_are_1_to_the_last() {
    let mut server = Server::logged_in(&three());
    for number in [
        "0",
        "4",
        "4294967295",
        "4294967296",
        "4294967297",
        "-1",
        "+1",
        "x",
        "",
    ] {
        for command in ["RETR", "DELE", "LIST", "UIDL"] {
            server.refuses(&[&format!("{command} {number}")]);
        }
        server.refuses(&[&format!("TOP {number} 0")]);
    }
    server.refuses(&[
        "RETR",
        "DELE",
        "TOP",
        "TOP 1",
        "TOP 1 -1",
        "TOP 1 4294967296",
        "RETR 1 2",
    ]);
    assert!(server.ask("RETR 3\r\n").starts_with("+OK"));
}

#[test]
fn a_dot_is_stuffed_as_first_octet_and_after_a_bare_lf() {
    let mut server = Server::logged_in(&three());
    assert_eq!(
        server.ask("RETR 2\r\n"),
        "+OK 20 octets\r\n..first\r\n\r\nx\r\ny\r\n..z\r\n.\r\n"
    );
}

#[test]
fn an_empty_message() {
    let mut server = Server::logged_in(&Store::new(&[b""]));
    assert_eq!(server.ask("RETR 1\r\n"), "+OK 0 octets\r\n.\r\n");
    assert_eq!(server.ask("TOP 1 3\r\n"), "+OK\r\n.\r\n");
}

#[test]
fn top_sends_the_header_the_blank_line_and_lines_of_the_body() {
    let mut server = Server::logged_in(&three());
    assert_eq!(server.ask("TOP 1 0\r\n"), "+OK\r\nA: 1\r\n\r\n.\r\n");
    assert_eq!(server.ask("TOP 2 0\r\n"), "+OK\r\n..first\r\n\r\n.\r\n");
    assert_eq!(
        server.ask("TOP 2 1\r\n"),
        "+OK\r\n..first\r\n\r\nx\r\n.\r\n"
    );
    assert_eq!(
        server.ask("TOP 2 4294967295\r\n"),
        "+OK\r\n..first\r\n\r\nx\r\ny\r\n..z\r\n.\r\n"
    );
    assert_eq!(server.ask("TOP 3 0\r\n"), "+OK\r\nNo: body\r\n.\r\n");
}

/// MS-STANOPOP3 C0026.
#[test]
fn deleted_messages_are_refused_everywhere() {
    let mut server = Server::logged_in(&three());
    assert!(server.ask("DELE 2\r\n").starts_with("+OK"));
    server.refuses(&["DELE 2", "RETR 2", "TOP 2 0", "LIST 2", "UIDL 2"]);
    assert_eq!(server.ask("STAT\r\n"), "+OK 2 23\r\n");
    assert_eq!(
        server.ask("LIST\r\n"),
        "+OK 2 messages (23 octets)\r\n1 13\r\n3 10\r\n.\r\n"
    );
    assert_eq!(
        server.ask("UIDL\r\n"),
        "+OK\r\n1 <uid.1\r\n3 <uid.3\r\n.\r\n"
    );
    assert!(server.ask("RETR 3\r\n").contains("No: body"));
}

#[test]
fn rset_takes_the_marks_off() {
    let store = three();
    let mut server = Server::logged_in(&store);
    server.run(b"DELE 1\r\nDELE 3\r\n");
    assert_eq!(server.ask("RSET\r\n"), "+OK 3 messages (43 octets)\r\n");
    assert_eq!(server.ask("STAT\r\n"), "+OK 3 43\r\n");
    assert!(server.ask("RETR 1\r\n").starts_with("+OK"));
    server.run(b"DELE 2\r\nQUIT\r\n");
    assert_eq!(store.messages().len(), 2);
}

#[test]
fn quit_removes_what_is_deleted_and_gives_the_lock_back() {
    let store = three();
    let mut server = Server::logged_in(&store);
    let answer = server.ask("DELE 1\r\nDELE 3\r\nQUIT\r\nNOOP\r\n");
    assert_eq!(answer.matches("+OK").count(), 3);
    assert_eq!(server.closed, Some(Closed::Updated));
    assert_eq!(server.session.state(), State::Closed);
    assert_eq!(server.session.poll_timeout(), None);
    assert_eq!(store.messages(), [b".first\n\nx\ny\n.z"]);
    assert!(store.lock().is_some());
}

/// Not while it waits for a command, with nothing to send, and not before.
#[test]
fn a_session_is_closed_when_its_last_reply_is_sent() {
    let mut server = Server::logged_in(&three());
    assert_ne!(server.session.state(), State::Closed);
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 6);
    assert_eq!(server.session.state(), State::Closing);
    server.pump();
    assert_eq!(server.session.state(), State::Closed);
}

#[test]
fn quit_that_cannot_remove_says_so() {
    let store = three();
    store.0.borrow_mut().fail_commit = true;
    let mut server = Server::logged_in(&store);
    let answer = server.ask("DELE 1\r\nQUIT\r\n");
    assert!(answer.contains("\r\n-ERR [SYS/TEMP] "), "{answer}");
    assert_eq!(server.closed, Some(Closed::UpdateFailed));
    assert_eq!(store.messages().len(), 3);
}

#[test]
fn commands_of_authorization_are_refused() {
    let mut server = Server::logged_in(&three());
    server.refuses(&[
        "USER me",
        "PASS x",
        "APOP me x",
        "AUTH PLAIN",
        "AUTH",
        "STLS",
        "UTF8",
    ]);
    server.refuses(&["LANG de", "XYZZY", ""]);
    assert_eq!(server.ask("STAT\r\n"), "+OK 3 43\r\n");
}

#[test]
fn a_message_that_cannot_be_opened_is_refused() {
    for (kind, code) in [
        (io::ErrorKind::NotFound, "-ERR [SYS/TEMP] "),
        (io::ErrorKind::InvalidData, "-ERR [SYS/PERM] "),
    ] {
        let store = three();
        store.0.borrow_mut().fail_open = Some(kind);
        let mut server = Server::logged_in(&store);
        let answer = server.ask("RETR 1\r\nTOP 1 0\r\nNOOP\r\n");
        assert_eq!(answer.matches(code).count(), 2);
        assert!(answer.ends_with("\r\n+OK\r\n"));
    }
}

#[test]
fn a_message_that_breaks_off_is_never_ended() {
    let store = Store::new(&[b"A: 1\r\n\r\nmuch more\r\n"]);
    store.0.borrow_mut().fail_read_at = Some(9);
    let mut server = Server::logged_in(&store);
    let answer = server.ask("RETR 1\r\nDELE 1\r\nQUIT\r\n");
    assert!(
        answer.starts_with("+OK") && !answer.contains("\r\n.\r\n"),
        "{answer}"
    );
    assert_eq!(server.closed, Some(Closed::MessageFailed));
    assert_eq!(store.0.borrow().commits, 0);
    assert!(store.lock().is_some());
}

#[test]
fn a_large_message_is_never_held() {
    let message = ".\n".repeat(500_000);
    let store = Store::new(&[message.as_bytes()]);
    let mut server = Server::logged_in(&store);
    let answer = server.ask("RETR 1\r\n");
    assert_eq!(
        answer,
        format!("+OK 1500000 octets\r\n{}.\r\n", "..\r\n".repeat(500_000))
    );
    assert_eq!(MESSAGE_PIECE, 64 << 10);
    assert_eq!(store.0.borrow().most_asked, MESSAGE_PIECE);
    assert!(server.most <= 2 * MESSAGE_PIECE + 8, "{}", server.most);
}

#[test]
fn a_large_listing_is_made_in_pieces() {
    let store = Store::new(&vec![&b"x"[..]; 5000]);
    let mut server = Server::logged_in(&store);
    let lines: String = (1..=5000).map(|n| format!("{n} 3\r\n")).collect();
    let answer = server.ask("LIST\r\n");
    assert_eq!(
        answer,
        format!("+OK 5000 messages (15000 octets)\r\n{lines}.\r\n")
    );
    assert!(server.most < 9000, "{}", server.most);
}

/// As a log has it.
#[test]
fn how_a_session_ended_is_said() {
    for (closed, said) in [
        (Closed::Quit, "QUIT before a login"),
        (Closed::Updated, "QUIT"),
        (
            Closed::UpdateFailed,
            "QUIT, and not every deleted message is removed",
        ),
        (Closed::Eof, "the client left without QUIT"),
        (Closed::Autologout, "the client was silent for too long"),
        (
            Closed::MessageFailed,
            "a message could not be read to its end",
        ),
    ] {
        assert_eq!(closed.to_string(), said);
    }
}

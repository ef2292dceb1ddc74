//! The TRANSACTION and UPDATE states (RFC 1939 §§5 to 7).

use pop3_proto::server::{Closed, MESSAGE_PIECE, State};
use pop3_testkit::store::Store;

use crate::drive::{Server, store};

fn three() -> Store {
    store(&[
        b"A: 1\r\n\r\none\r\n",
        b".first\n\nx\ny\n.z",
        b"No: body\r\n",
    ])
}

/// The session is not closed before that, nor while it waits for a command with
/// nothing to send.
#[test]
fn closes_the_session_when_its_last_reply_is_sent() {
    let mut server = Server::logged_in(&three());
    assert_ne!(server.session.state(), State::Closed);
    assert_eq!(server.session.handle_input(server.now, b"QUIT\r\n"), 6);
    assert_ne!(server.session.state(), State::Closed);
    server.pump();
    assert_eq!(server.session.state(), State::Closed);
}

#[test]
fn never_holds_a_whole_large_message() {
    let message = ".\n".repeat(500_000);
    let store = store(&[message.as_bytes()]);
    let mut server = Server::logged_in(&store);
    let answer = server.ask("RETR 1\r\n");
    assert_eq!(
        answer,
        format!("+OK 1500000 octets\r\n{}.\r\n", "..\r\n".repeat(500_000))
    );
    assert_eq!(MESSAGE_PIECE, 64 << 10);
    assert!(server.most <= 2 * MESSAGE_PIECE + 8, "{}", server.most);
}

/// The text that a log shows.
#[test]
fn says_how_a_session_ended() {
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

//! The error of a session names the command and what arrived, but never a secret.

use std::error::Error as _;

use pop3_proto::client::{Awaited, Pending, Request, SessionError, SessionFailure};
use pop3_proto::{Command, Mechanism, Secret};

use crate::harness::{Client, config, number, pass, user};

/// Returns the error with its context. The session must be over.
#[track_caller]
fn failure(client: &mut Client, error: Option<SessionError>) -> String {
    let error = error.unwrap_or_else(|| client.eof().unwrap_err());
    let pending = client.session.pending();
    SessionFailure { error, pending }.to_string()
}

/// Returns the error after the server sends `sent` and closes.
#[track_caller]
fn closed(mut client: Client, command: Option<&Command<'_>>, sent: &[u8]) -> String {
    if let Some(command) = command {
        client.send(command).unwrap();
    }
    client.feed(sent);
    failure(&mut client, None)
}

fn logged_in() -> Client {
    let mut client = Client::in_transaction(config());
    assert_eq!(client.ask(&Command::Noop, b"+OK\r\n"), ["NOOP + "]);
    client
}

#[test]
fn names_the_command_and_the_octets_received() {
    let retr = Command::Retr(number(2));
    for (command, sent, said) in [
        (
            Command::Stat,
            &b""[..],
            "the server closed the connection instead of sending the reply to STAT",
        ),
        (
            Command::Stat,
            b"+OK 1 2",
            "the server closed the connection instead of sending the rest of the reply to STAT: \
             `+OK 1 2`",
        ),
        (
            Command::Stat,
            b"HTTP/1.1 400 Bad Request\r\n",
            r"the reply to STAT begins with neither +OK nor -ERR: `HTTP/1.1 400 Bad Request\r\n`",
        ),
        (
            Command::Stat,
            b"+OK 0 0\r\n+OK again\r\n",
            r"the server sent more than the reply to STAT: `+OK again\r\n`",
        ),
        (
            Command::Noop,
            b"+OK\r\n-ERR Can't wait\r\n",
            r"the server ended the session after the reply to NOOP: `-ERR Can't wait\r\n`",
        ),
        (
            retr,
            b"+OK\r\nabc\r\n",
            "the server closed the connection instead of sending the rest of the reply to RETR 2 \
             (5 octets came)",
        ),
        (
            Command::Uidl(None),
            b"+OK\r\n1",
            "the server closed the connection instead of sending the rest of the reply to UIDL \
             (1 octet came)",
        ),
        (
            Command::Noop,
            b"+OK\r\n",
            "the server closed the connection after its reply to NOOP",
        ),
    ] {
        assert_eq!(closed(logged_in(), Some(&command), sent), said);
    }
    let long = [b'x'; 600];
    assert_eq!(
        closed(logged_in(), Some(&Command::Stat), &long),
        format!(
            "the first line of the reply to STAT is too long: `{}`...",
            "x".repeat(60)
        )
    );
}

#[test]
fn names_the_greeting() {
    for (sent, said) in [
        (
            &b""[..],
            "the server closed the connection instead of sending the greeting",
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            r"the greeting begins with neither +OK nor -ERR: `SSH-2.0-OpenSSH_9.2\r\n`",
        ),
        (
            b"+OK\r\n-ERR too many connections\r\n",
            r"the server ended the session after the greeting: `-ERR too many connections\r\n`",
        ),
        (
            b"+OK\r\n",
            "the server closed the connection after its greeting",
        ),
    ] {
        assert_eq!(closed(Client::new(config()), None, sent), said);
    }
}

#[test]
fn names_what_was_awaited_at_a_timeout() {
    let late = |mut client: Client| {
        let error = client.wait(600).unwrap_err();
        failure(&mut client, Some(error))
    };
    let mut client = Client::new(config());
    client.feed(b"+OK ready\n");
    assert_eq!(
        late(client),
        r"waited too long for the rest of the greeting: `+OK ready\n`; the server ends lines with LF alone, not CRLF"
    );
    let mut client = logged_in();
    client.send(&Command::Retr(number(3))).unwrap();
    assert_eq!(
        client.session.pending().awaited(),
        Awaited::Reply(Request::Retr(number(3)))
    );
    assert_eq!(late(client), "waited too long for the reply to RETR 3");
    assert_eq!(late(logged_in()), "waited too long for the next command");
}

/// A server that refuses a command and then closes has given its reason.
#[test]
fn keeps_the_reason_of_a_server_that_closes() {
    let mut client = Client::greeted(config());
    client.ask(&Command::Capa, b"-ERR too many connections\r\n");
    client.send(&Command::Capa).unwrap();
    assert_eq!(
        failure(&mut client, None),
        r"the server closed the connection instead of sending the reply to CAPA; it had refused CAPA: `-ERR too many connections\r\n`"
    );
}

/// Any text from the server between a login and the next whole reply.
#[test]
fn shows_nothing_that_may_repeat_a_password() {
    let plain = Command::Auth {
        mechanism: Mechanism::new("PLAIN").unwrap(),
        initial_response: Some(Secret::new("AG1yb3NlAHRhbnN0YWFm").unwrap()),
    };
    let echo = b"what is AG1yb3NlAHRhbnN0YWFm tanstaaf";
    let mut clients = vec![];
    let mut client = Client::greeted(config());
    client.send(&plain).unwrap();
    clients.push(client);
    let mut client = Client::greeted(config());
    client.ask(&user(), b"+OK\r\n");
    client.send(&pass()).unwrap();
    clients.push(client);
    // The text is in a second reply, which is unsolicited or answers the next
    // command.
    clients.push(Client::in_transaction(config()));
    let mut client = Client::in_transaction(config());
    client.send(&Command::Stat).unwrap();
    clients.push(client);
    let mut client = Client::greeted(config());
    client.ask(&plain, b"-ERR what is AG1yb3NlAHRhbnN0YWFm tanstaaf\r\n");
    client.send(&Command::Quit).unwrap();
    clients.push(client);
    for mut client in clients {
        client.feed(echo);
        let said = failure(&mut client, None);
        let pending = client.session.pending();
        assert_eq!(pending.came(), b"", "{said}");
        let all = format!("{said} {pending:?} {:?}", client.session);
        assert!(!all.contains("AG1y") && !all.contains("tanstaaf"), "{all}");
    }
    // A caller still sees that something arrived, or that a command was refused.
    let mut client = Client::greeted(config());
    client.ask(&plain, b"-ERR what is AG1yb3NlAHRhbnN0YWFm tanstaaf\r\n");
    client.send(&Command::Quit).unwrap();
    let said = failure(&mut client, None);
    assert!(said.ends_with("; it had refused AUTH"), "{said}");
    let said = closed(Client::in_transaction(config()), Some(&Command::Stat), echo);
    let hidden = ": 37 octets, not shown since they may repeat the password";
    assert!(said.ends_with(hidden), "{said}");
    // Text received after that is shown again.
    let said = closed(logged_in(), Some(&Command::Stat), b"what?");
    assert!(said.ends_with(": `what?`"), "{said}");
}

/// Returns what is pending after the server sends `sent` and nothing more.
fn pending(mut client: Client, sent: &[u8]) -> Pending {
    client.feed(sent);
    client.session.pending()
}

#[test]
fn tells_lf_alone_from_crlf() {
    let greeting = |sent: &[u8]| pending(Client::new(config()), sent).ends_with_lf_alone();
    assert!(greeting(b"+OK\n") && greeting(b"+OK\n\n") && greeting(b"\r+\n"));
    assert!(!greeting(b"") && !greeting(b"+OK") && !greeting(b"+OK\r"));
    // A complete line is not part of what is awaited, and the next line may end
    // differently.
    let stat = |sent: &[u8]| {
        let mut client = logged_in();
        client.send(&Command::Stat).unwrap();
        pending(client, sent).ends_with_lf_alone()
    };
    assert!(stat(b"+OK\n") && !stat(b"+OK"));
    let block = |sent: &[u8]| {
        let mut client = logged_in();
        client.send(&Command::List(None)).unwrap();
        pending(client, sent).ends_with_lf_alone()
    };
    assert!(!block(b"+O\nK\r\n1 1\n") && !block(b"+OK\r\n1 1\n"));
}

#[test]
fn remembers_a_refusal_until_more_octets_arrive() {
    let mut client = Client::greeted(config());
    assert_eq!(client.session.pending().refused(), None);
    client.ask(&Command::Capa, b"-ERR\r\n");
    assert_eq!(client.session.pending().refused(), Some(Request::Capa));
    client.send(&Command::Capa).unwrap();
    assert_eq!(client.session.pending().refused(), Some(Request::Capa));
    assert_eq!(pending(client, b"+").refused(), None);
}

#[test]
fn hides_what_a_caller_does_not_allow() {
    let came = |sent: &[u8]| {
        let mut client = logged_in();
        client.send(&Command::Stat).unwrap();
        pending(client, sent)
    };
    let shown = came(b"what?").shown_if(|octets| octets == b"what?");
    assert_eq!(shown, came(b"what?"));
    let hidden = came(b"what?").shown_if(|_| false);
    assert_eq!(hidden.came(), b"");
    assert_ne!(hidden, came(b""));
    assert_eq!(came(b"").shown_if(|_| false), came(b""));
}

#[test]
fn a_block_over_its_limit_is_not_taken_for_a_closed_connection() {
    let mut small = config();
    small.limits.message_octets = 1;
    let mut client = Client::in_transaction(small);
    client.ask(&Command::Retr(number(1)), b"+OK\r\nabc\r\n.\r\n");
    let failure = SessionFailure {
        error: client.eof().unwrap_err(),
        pending: client.session.pending(),
    };
    assert!(failure.to_string().starts_with("in the reply to RETR 1: "));
    let source = failure.source().map(ToString::to_string);
    assert_eq!(source, Some(failure.error.to_string()));
}

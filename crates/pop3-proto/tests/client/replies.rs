//! Status lines, messages, and octets that answer nothing.

use dot_stuffing::{ErrorKind, LineEndings, Policy};
use pop3_proto::client::{SessionError, State, Timer};
use pop3_proto::{Command, Profile, ReplyError};

use crate::harness::{Client, config, number, outlook};

#[test]
fn message_is_handed_out_without_its_stuffing() {
    let mut client = Client::in_transaction(config());
    let said = client.ask(&Command::Retr(number(1)), b"+OK 3\r\n..a\r\n.\r\n");
    assert_eq!(said, ["RETR + 3", "data .a\\r\\n", "end 4"]);
    let said = client.ask(&Command::Top(number(2), 0), b"+OK\r\n.\r\n");
    assert_eq!(said, ["TOP + ", "end 0"]);
    assert_eq!(client.sent, b"RETR 1\r\nTOP 2 0\r\n");
    assert!(client.session.is_idle());
}

#[test]
fn message_octets_are_slices_of_the_input() {
    let mut client = Client::in_transaction(config());
    client.ask(&Command::Retr(number(1)), b"+OK\r\n");
    let input = b"one\r\ntwo\r\n".to_vec();
    let step = client.session.handle_input(client.now, &input).unwrap();
    let Some(pop3_proto::client::Event::Data(octets)) = step.event else {
        panic!("{step:?}");
    };
    assert_eq!(octets.as_ptr(), input.as_ptr());
}

/// MS-STANOPOP3 V0001.
#[test]
fn what_counts_as_success() {
    for (line, outlook_says) in [
        (&b"+ok"[..], "NOOP + "),
        (b"+", "NOOP + "),
        (b"+OKAY", "NOOP + "),
        (b"+OK\tx", "NOOP + x"),
        (b"-err", "NOOP - "),
        (b"OK", "NOOP - OK"),
        (b"*OK", "NOOP - *OK"),
        (b"xx +OK", "NOOP - xx +OK"),
        (b"", "NOOP - "),
    ] {
        let line = [line, b"\r\n"].concat();
        let mut client = Client::in_transaction(outlook());
        assert_eq!(client.ask(&Command::Noop, &line), [outlook_says]);
        let mut client = Client::in_transaction(config());
        let said = client.ask(&Command::Noop, &line);
        assert!(said[0].starts_with("error Reply(Status"), "{said:?}");
        assert_eq!(client.session.state(), State::Desync);
    }
}

/// A driver may hand in a read of nothing while no reply is due.
#[test]
fn a_read_of_no_octets_changes_nothing() {
    let mut client = Client::in_transaction(config());
    for _ in 0..2 {
        let step = client.session.handle_input(client.now, b"").unwrap();
        assert_eq!((step.consumed, step.event), (0, None));
    }
    assert_eq!(client.ask(&Command::Noop, b"+OK\r\n"), ["NOOP + "]);
}

#[test]
fn octets_that_answer_nothing() {
    let unsolicited = SessionError::Reply(ReplyError::Unsolicited);
    let mut client = Client::in_transaction(config());
    assert_eq!(client.feed(b"+OK\r\n"), ["error Reply(Unsolicited)"]);
    client.assert_over(unsolicited);
    // After the answer, in the same read.
    let mut client = Client::in_transaction(config());
    let said = client.ask(&Command::Noop, b"+OK\r\n+OK\r\n");
    assert_eq!(said, ["NOOP + ", "error Reply(Unsolicited)"]);
    // After the greeting.
    let mut client = Client::new(config());
    let said = client.feed(b"+OK\r\n+OK\r\n");
    assert_eq!(said, ["greeting + ", "error Reply(Unsolicited)"]);
}

/// QUIT is confirmed, or the server would not serve: nothing that follows
/// changes that.
#[test]
fn octets_after_the_last_reply_are_ignored() {
    for read in [0, 1] {
        let mut client = Client::in_transaction(config());
        client.read = read;
        let said = client.ask(&Command::Quit, b"+OK bye\r\n-ERR\r\n\0\x80 .\r\n");
        assert_eq!(said, ["QUIT + bye"]);
        assert_eq!(client.session.state(), State::Update);
        assert_eq!(client.feed(b"+OK\r\n"), [""; 0]);
        assert_eq!(client.session.handle_eof(), Ok(()));
    }
    let mut client = Client::greeted(config());
    let said = client.ask(&Command::Quit, b"+OK\r\n+OK\r\n");
    assert_eq!(
        (said, client.session.state()),
        (vec!["QUIT + ".to_owned()], State::Closed)
    );
    let mut client = Client::new(config());
    let said = client.feed(b"-ERR [SYS/TEMP] later\r\nbye\r\n");
    assert_eq!(said, ["greeting - [SYS/TEMP] later"]);
    assert_eq!(client.session.state(), State::Closed);
}

/// A reply to a command of which octets were not sent yet answers nothing.
#[test]
fn replies_before_their_commands() {
    let mut client = Client::in_transaction(config());
    client.session.enqueue(client.now, &Command::Noop).unwrap();
    client.session.handle_transmitted(client.now, 5);
    assert_eq!(client.session.poll_transmit(), Some(&b"\n"[..]));
    assert_eq!(client.feed(b"+OK\r\n"), ["error Reply(Unsolicited)"]);
}

/// CVE-2001-0996 (row 3): what follows a message that ended early.
#[test]
fn unstuffed_dot_leaves_unsolicited_octets() {
    let mut client = Client::in_transaction(config());
    let said = client.ask(
        &Command::Retr(number(1)),
        b"+OK\r\na\r\n.\r\n+OK evil\r\n.\r\n",
    );
    assert_eq!(said[3], "error Reply(Unsolicited)");
}

/// cyrus-imapd#4717 (row 7): `.` CR and no LF is no end.
#[test]
fn terminator_without_lf_times_out() {
    let mut client = Client::in_transaction(config());
    let said = client.ask(&Command::Retr(number(1)), b"+OK\r\na\r\n.\r");
    assert_eq!(said, ["RETR + ", "data a\\r\\n"]);
    assert!(client.ends.is_empty());
    assert_eq!(client.wait(120), Err(SessionError::Timeout(Timer::Reply)));
    client.assert_over(SessionError::Timeout(Timer::Reply));
}

/// curl#14677 (row 10): LIST n, UIDL n, STAT and DELE have one line.
#[test]
fn single_line_replies_need_no_block() {
    let mut client = Client::in_transaction(config());
    for (command, answer) in [
        (Command::List(Some(number(1))), &b"+OK 1 10\r\n"[..]),
        (Command::Uidl(Some(number(1))), b"+OK 1 a\r\n"),
        (Command::Stat, b"+OK 1 10\r\n"),
    ] {
        assert_eq!(client.ask(&command, answer).len(), 1);
        assert!(client.session.is_idle());
    }
}

/// Row 12: a server that sends LF alone.
#[test]
fn lf_alone() {
    let with = |line_endings| {
        let mut config = config();
        config.profile = Profile::RFC1939;
        config.profile.reply.line_endings = line_endings;
        Client::new(config)
    };
    let mut lenient = with(LineEndings::new().dangerous_lf_terminates(true));
    assert_eq!(lenient.feed(b"+OK\n"), ["greeting + "]);
    assert_eq!(
        lenient.ask(&Command::Capa, b"+OK\nTOP\n.\n"),
        ["CAPA + ", "TOP", "end 4"]
    );
    let mut strict = with(LineEndings::new().bare_lf(Policy::Reject));
    assert!(strict.feed(b"+OK\n")[0].contains("BareLf"));
    let mut default = with(LineEndings::new());
    assert_eq!(default.feed(b"+OK\n"), [""; 0]);
    assert_eq!(
        default.wait(60),
        Err(SessionError::Timeout(Timer::Greeting))
    );
}

/// Row 15: the end of input is never the end of a message.
#[test]
fn end_of_input_at_every_octet() {
    let answer = b"+OK 9\r\na\r\n..\r\n.\r\n";
    for cut in 0..answer.len() {
        let mut client = Client::in_transaction(config());
        client.ask(&Command::Retr(number(1)), &answer[..cut]);
        assert!(client.ends.is_empty());
        let error = client.eof().unwrap_err();
        match error {
            SessionError::Reply(ReplyError::Block(error)) if cut >= 7 => {
                assert_eq!(
                    (error.kind(), error.offset()),
                    (ErrorKind::Truncated, cut as u64 - 7)
                );
            }
            error => {
                assert!(
                    matches!(error, SessionError::Closed(Some(_))),
                    "{cut}: {error:?}"
                );
                assert!(cut < 7);
            }
        }
        client.assert_over(error);
    }
    let mut client = Client::in_transaction(config());
    client.ask(&Command::Uidl(None), b"+OK\r\n1 a\r\n.\r");
    assert!(matches!(
        client.eof(),
        Err(SessionError::Reply(ReplyError::Block(_)))
    ));
}

#[test]
fn quit_in_transaction_is_the_update() {
    let mut client = Client::in_transaction(config());
    assert_eq!(client.ask(&Command::Quit, b"+OK bye\r\n"), ["QUIT + bye"]);
    assert_eq!(client.session.state(), State::Update);
    assert!(client.session.poll_timeout().is_none());
    assert_eq!(client.eof(), Ok(()));
    let mut client = Client::in_transaction(config());
    client.ask(&Command::Quit, b"-ERR not all\r\n");
    assert_eq!(client.session.state(), State::Closed);
    let mut client = Client::in_transaction(config());
    client.send(&Command::Quit).unwrap();
    assert_eq!(
        client.send(&Command::Noop),
        Err(pop3_proto::client::ClientError::Busy)
    );
    assert!(client.eof().is_err());
}

/// CVE-2010-1167 and others (row 36): hostile text is bounded and escaped.
#[test]
fn hostile_text_is_escaped() {
    let mut client = Client::in_transaction(config());
    client.send(&Command::Noop).unwrap();
    let step = client
        .session
        .handle_input(client.now, b"-ERR \x1b[2J\x00\xff\r\n")
        .unwrap();
    let shown = format!("{step:?}");
    assert!(shown.contains("\\x1b[2J\\x00\\xff"), "{shown}");
    assert!(!shown.contains('\x1b') && !shown.contains('\0'));
}

//! The texts of errors, and their sources.

use std::error::Error;

use pop3_proto::{
    Argument, Command, MessageNumber, Profile, ReplyError, ReplyKind, ReplyRule, ResponseDecoder,
    UniqueId,
    client::{ClientError, LineError, LineErrorKind, Request, SessionError, State, Timer},
    server::{ChallengeError, Config},
};

const SECOND: MessageNumber = match MessageNumber::new(2) {
    Some(number) => number,
    None => MessageNumber::FIRST,
};

fn assert_say<E: Error>(cases: &[(E, &str)]) {
    for (error, text) in cases {
        assert_eq!(error.to_string(), *text);
    }
}

#[test]
fn describes_a_command_that_is_not_sent() {
    let profile = Profile::OUTLOOK_2024.name;
    let never = format!("{profile} never sends this form of RSET");
    let (keyword, state) = ("RETR", State::Authorization);
    assert_say(&[
        (
            ClientError::ApopNotOffered,
            "the server does not offer APOP safely",
        ),
        (
            ClientError::Busy,
            "the reply to the command before it is due first",
        ),
        (
            ClientError::Deleted(SECOND),
            "message 2 is marked as deleted",
        ),
        (
            ClientError::ForeignProof,
            "the message was retrieved in another session",
        ),
        (
            ClientError::NeverSent {
                keyword: "RSET",
                profile,
            },
            &never,
        ),
        (
            ClientError::NoChallenge,
            "no challenge waits for a response",
        ),
        (
            ClientError::NotAscii,
            "the server takes ASCII names and passwords only",
        ),
        (
            ClientError::PassWithoutUser,
            "PASS must follow a positive reply to USER",
        ),
        (
            ClientError::PassOrQuitDue,
            "after USER only PASS or QUIT may follow",
        ),
        (
            ClientError::ProofNeeded,
            "DELE needs proof that the message is kept",
        ),
        (ClientError::QueueFull, "too much waits to be sent"),
        (
            ClientError::ResponseTooLong,
            "the SASL response is too long",
        ),
        (ClientError::StlsNotAllowed, "STLS may not be sent now"),
        (
            ClientError::TlsNeeded,
            "not without TLS: it would show a name or password",
        ),
        (
            ClientError::WrongState { keyword, state },
            "RETR may not be sent in the AUTHORIZATION state",
        ),
    ]);
    let error = Command::parse(b"RETR x").unwrap_err();
    let outer = ClientError::from(error);
    assert_eq!(outer.to_string(), error.to_string());
    let source = outer.source().map(ToString::to_string);
    assert_eq!(source, Some(error.to_string()));
    assert!(ClientError::Busy.source().is_none());
}

#[test]
fn describes_states_and_timers() {
    let states = [
        (State::Greeting, "greeting"),
        (State::Authorization, "AUTHORIZATION"),
        (State::Handshake, "handshake"),
        (State::Transaction, "TRANSACTION"),
        (State::Update, "UPDATE"),
        (State::Closed, "closed"),
        (State::Desync, "desync"),
    ];
    for (state, text) in states {
        assert_eq!(state.to_string(), text);
    }
    assert_say(&[
        (
            SessionError::Timeout(Timer::Greeting),
            "waited too long for the greeting",
        ),
        (
            SessionError::Timeout(Timer::Reply),
            "waited too long for a reply",
        ),
        (
            SessionError::Timeout(Timer::Idle),
            "waited too long for the next command",
        ),
        (
            SessionError::Timeout(Timer::Stls),
            "waited too long for the TLS handshake",
        ),
    ]);
}

#[test]
fn describes_an_invalid_line_in_a_reply() {
    let at = |kind| LineError {
        line: 3,
        offset: 40,
        kind,
    };
    assert_say(&[
        (
            at(LineErrorKind::Duplicate(SECOND)),
            "line 3 of the reply, octet 40: message 2 is listed twice",
        ),
        (
            at(LineErrorKind::NumberTooHigh(SECOND)),
            "line 3 of the reply, octet 40: message-number 2 passes the limit",
        ),
        (
            at(LineErrorKind::OtherMessage(SECOND)),
            "line 3 of the reply, octet 40: the listing is that of message 2",
        ),
        (
            at(LineErrorKind::OtherReply),
            "line 3 of the reply, octet 40: the reply holds no such listing",
        ),
        (
            at(LineErrorKind::TooLong),
            "line 3 of the reply, octet 40: the line is longer than 512 octets",
        ),
    ]);
}

#[test]
fn describes_errors_of_a_session() {
    let line = LineError {
        line: 1,
        offset: 0,
        kind: LineErrorKind::OtherReply,
    };
    assert_say(&[
        (
            SessionError::AfterCancel,
            "the server went on after AUTH was canceled",
        ),
        (
            SessionError::ChallengeTooLong,
            "the SASL challenge is too long",
        ),
        (
            SessionError::Closed(None),
            "the server closed the connection",
        ),
        (
            SessionError::Closed(Some(Request::Retr(SECOND))),
            "the server closed the connection in its reply to RETR",
        ),
        (
            SessionError::Line(line),
            "line 1 of the reply, octet 0: the reply holds no such listing",
        ),
        (
            SessionError::PlaintextAfterStls,
            "unprotected octets follow the reply to STLS: perhaps an attack",
        ),
        (
            SessionError::Reply(ReplyError::Unsolicited),
            "the server sent unsolicited octets",
        ),
        (
            SessionError::TooManyChallenges,
            "the server never ends the SASL exchange",
        ),
        (SessionError::TooManyLines, "the listing has too many lines"),
    ]);
    for (error, inner) in [
        (SessionError::Line(line), Some(line.to_string())),
        (
            SessionError::Reply(ReplyError::NoReply),
            Some(ReplyError::NoReply.to_string()),
        ),
        (SessionError::AfterCancel, None),
    ] {
        assert_eq!(error.source().map(ToString::to_string), inner);
    }
}

/// Returns the error at which a reader of replies stops.
fn refusal(kind: ReplyKind, mut wire: &[u8]) -> ReplyError {
    let mut decoder = ResponseDecoder::new(ReplyRule::RFC1939);
    decoder.expect(kind);
    loop {
        match decoder.decode(wire) {
            Err(error) => return error,
            Ok(step) if step.consumed == 0 && step.event.is_none() => {
                return decoder.finish().unwrap_err();
            }
            Ok(step) => wire = &wire[step.consumed..],
        }
    }
}

#[test]
fn describes_errors_in_a_stream_of_replies() {
    let long = [b"+OK ", &[b'x'; 600][..]].concat();
    assert_say(&[
        (
            refusal(ReplyKind::Message, b"+OK\r\ncut"),
            "in the block of a reply: truncated: no terminator after 3 octets",
        ),
        (
            refusal(ReplyKind::Line, &long),
            "in the first line of a reply: line passes its maximum length at octet 512",
        ),
        (
            refusal(ReplyKind::Line, b""),
            "the server closed the connection before its reply",
        ),
        (
            refusal(ReplyKind::Line, b"220 hello\r\n"),
            "not a reply: the line begins with neither +OK nor -ERR",
        ),
    ]);
}

#[test]
fn empty_input_is_not_an_unsolicited_reply() {
    let mut decoder = ResponseDecoder::new(ReplyRule::RFC1939);
    let step = decoder.decode(b"").unwrap();
    assert_eq!((step.consumed, step.event), (0, None));
    assert!(decoder.is_idle());
    assert_eq!(decoder.decode(b"+"), Err(ReplyError::Unsolicited));
}

#[test]
fn describes_an_invalid_argument_and_challenge() {
    let long = [b'x'; 71];
    let wrong: [(&[u8], &str); 3] = [
        (b"", "the argument is empty"),
        (b"a b", "octet 1 of the argument is not allowed"),
        (&long, "the argument is longer than 70 octets"),
    ];
    for (unique_id, text) in wrong {
        assert_eq!(UniqueId::new(unique_id).unwrap_err().to_string(), text);
    }
    let control = Argument::new("a\tb").unwrap_err().to_string();
    assert_eq!(control, "octet 1 of the argument is a control character");
    let empty = UniqueId::new(b"").unwrap_err();
    let challenge = ChallengeError::Argument(empty);
    assert_eq!(
        challenge.to_string(),
        "not a SASL challenge: the argument is empty"
    );
    let source = challenge.source().map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the argument is empty"));
    assert_eq!(
        ChallengeError::TooMany.to_string(),
        "the SASL exchange has too many challenges: reject it"
    );
    assert!(ChallengeError::TooMany.source().is_none());
}

#[test]
fn the_default_server_configuration_equals_new() {
    let [default, new] = [Config::default(), Config::new()];
    assert_eq!(format!("{default:?}"), format!("{new:?}"));
}

//! How our server treats lines that a client must not send.

use dot_stuffing::LineDecoder;
use pop3_proto::{ArgumentErrorKind, Command, CommandErrorKind};

/// The reason why a server refuses a line.
fn refusal(line: &str) -> CommandErrorKind {
    match Command::parse(line.as_bytes()) {
        Ok(command) => panic!("{line} was read as {command:?}"),
        Err(error) => error.kind(),
    }
}

#[test]
fn c0003_a_server_ends_commands_at_crlf_alone() {
    let mut lines = LineDecoder::<{ Command::MAX_OCTETS }>::new();
    for part in [&b"NOOP"[..], b"\r"] {
        assert_eq!(lines.decode(part).unwrap().event, None);
    }
    let step = lines.decode(b"\nQUIT\r\n").unwrap();
    assert_eq!((step.consumed, step.event), (1, Some(&b"NOOP"[..])));

    // LF alone does not end a command, and two commands in a line do not count as two.
    let mut lines = LineDecoder::<{ Command::MAX_OCTETS }>::new();
    let step = lines.decode(b"NOOP\nQUIT\r\n").unwrap();
    assert_eq!(step.event, Some(&b"NOOP\nQUIT"[..]));
    assert_eq!(refusal("NOOP\nQUIT"), CommandErrorKind::Keyword);
    let control = CommandErrorKind::Argument(ArgumentErrorKind::Control);
    assert_eq!(refusal("USER me\nQUIT"), control);
    assert_eq!(refusal("PASS a\0b"), control);
    // Neither printable ASCII nor UTF-8.
    assert!(Command::parse(b"USER m\xFCller").is_err());
}

#[test]
fn c0004_a_server_takes_one_space_and_nothing_else() {
    for line in [
        "RETR  1", "RETR\t1", "LIST  1", "TOP 1  0", "TOP 1\t0", "DELE 1 ",
    ] {
        refusal(line);
    }
}

#[test]
fn c0012_c0015_c0027_c0030_an_argument_too_many_is_refused() {
    for line in ["QUIT now", "quit 1", "QUIT ", "STAT 1", "NOOP 1"] {
        assert_eq!(refusal(line), CommandErrorKind::ExtraArgument, "{line}");
    }
}

#[test]
fn v0004_c0024_retr_and_dele_take_one_message_number() {
    for keyword in ["RETR", "DELE"] {
        let missing = CommandErrorKind::MissingArgument;
        assert_eq!(refusal(keyword), missing);
        assert_eq!(refusal(&format!("{keyword} ")), missing);
        for word in ["0", "-1", "+1", "x", "1x", "4294967296", "1\t"] {
            let line = format!("{keyword} {word}");
            assert_eq!(refusal(&line), CommandErrorKind::MessageNumber, "{line}");
        }
        let extra = refusal(&format!("{keyword} 1 2"));
        assert_eq!(extra, CommandErrorKind::ExtraArgument);
    }
}

#[test]
fn c0032_a_server_refuses_top_without_both() {
    let missing = CommandErrorKind::MissingArgument;
    for line in ["TOP", "TOP ", "TOP 3", "TOP 3 "] {
        assert_eq!(refusal(line), missing, "{line}");
    }
    assert_eq!(refusal("TOP 0 1"), CommandErrorKind::MessageNumber);
    for line in ["TOP 3 -1", "TOP 3 x", "TOP 3 4294967296"] {
        assert_eq!(refusal(line), CommandErrorKind::LineCount, "{line}");
    }
    assert_eq!(refusal("TOP 3 1 1"), CommandErrorKind::ExtraArgument);
}

#[test]
fn c0042_c0046_user_and_pass_take_one_argument() {
    for keyword in ["USER", "PASS"] {
        assert_eq!(refusal(keyword), CommandErrorKind::MissingArgument);
        let empty = CommandErrorKind::Argument(ArgumentErrorKind::Empty);
        assert_eq!(refusal(&format!("{keyword} ")), empty);
        // Spaces are part of the one argument (RFC 1939 §7).
        assert!(Command::parse(format!("{keyword}  two  words ").as_bytes()).is_ok());
    }
}

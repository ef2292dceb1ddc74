//! Section 2.2.13: TOP.

use pop3_proto::{Command, CommandErrorKind, ReplyError};

use crate::{
    reading::{RULES, answer},
    writing::{number, refusal, sent},
};

#[test]
fn c0032_top_carries_a_message_number_and_a_number_of_lines() {
    for (lines, octets) in [
        (0, "TOP 3 0\r\n"),
        (10, "TOP 3 10\r\n"),
        (u32::MAX, "TOP 3 4294967295\r\n"),
    ] {
        let top = Command::Top(number(3), lines);
        assert_eq!(sent(top), octets.as_bytes());
        assert_eq!(Command::parse(octets.trim_end().as_bytes()), Ok(top));
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
fn c0034_top_gets_header_blank_line_and_lines_of_the_body() {
    let top = Command::Top(number(1), 1);
    for rule in RULES {
        let stream = b"+OK top\r\nA: b\r\nC: d\r\n\r\n..first\r\n.\r\n";
        let reply = answer(rule, top, stream).unwrap();
        let expected: [&[u8]; 4] = [b"A: b", b"C: d", b"", b".first"];
        assert_eq!(reply.lines(), expected);
    }
}

#[test]
fn c0034_top_that_ends_early_is_not_whole_and_a_refusal_has_no_lines() {
    let top = Command::Top(number(1), 0);
    for rule in RULES {
        for stream in [
            &b"+OK\r\n"[..],
            b"+OK\r\nA: b\r\n\r\n",
            b"+OK\r\nA: b\r\n\r\n.",
        ] {
            let error = answer(rule, top, stream).unwrap_err();
            assert!(matches!(error, ReplyError::Block(_)), "{error}");
        }
        let refused = answer(rule, top, b"-ERR unknown command\r\n").unwrap();
        assert_eq!((refused.positive, refused.block), (false, None));
    }
}

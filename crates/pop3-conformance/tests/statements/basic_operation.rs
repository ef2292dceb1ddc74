//! Section 2.2.1: what commands and replies are made of.

use dot_stuffing::{ErrorKind, LineDecoder};
use pop3_proto::{
    Argument, ArgumentErrorKind, Capability, Command, CommandErrorKind, DropListing, FieldRule,
    LanguageRange, ListingErrorKind, Mechanism, ReplyError, ReplyKind, ReplyRule, ScanListing,
    Secret, UniqueIdListing,
};

use crate::{
    reading::{RULES, read},
    writing::{every_command, refusal, sent},
};

#[test]
fn c0003_commands_are_printable_ascii_and_end_in_crlf() {
    for (command, line) in every_command() {
        let octets = sent(command);
        assert_eq!(octets, format!("{line}\r\n").as_bytes());
        let printable = |&octet: &u8| octet == b' ' || octet.is_ascii_graphic();
        assert!(octets[..octets.len() - 2].iter().all(printable), "{line}");
    }
}

#[test]
fn c0003_what_would_break_the_line_is_refused_before_it_is_sent() {
    for control in (0_u8..0x20).chain([0x7F]).map(char::from) {
        let text = format!("me{control}DELE 1");
        let error = Argument::new(&text).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ArgumentErrorKind::Control, 2)
        );
        assert!(Secret::new(&text).is_err(), "{text:?}");
        assert!(Mechanism::new(&text).is_err(), "{text:?}");
        assert!(LanguageRange::new(&text).is_err(), "{text:?}");
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

    // LF alone ends no command, and two commands in a line are not two.
    let mut lines = LineDecoder::<{ Command::MAX_OCTETS }>::new();
    let step = lines.decode(b"NOOP\nQUIT\r\n").unwrap();
    assert_eq!(step.event, Some(&b"NOOP\nQUIT"[..]));
    assert_eq!(refusal("NOOP\nQUIT"), CommandErrorKind::Keyword);
    let control = CommandErrorKind::Argument(ArgumentErrorKind::Control);
    assert_eq!(refusal("USER me\nQUIT"), control);
    assert_eq!(refusal("PASS a\0b"), control);
    // Not printable ASCII, and not UTF-8 either.
    assert!(Command::parse(b"USER m\xFCller").is_err());
}

#[test]
fn c0004_one_space_stands_before_each_argument_sent() {
    for (command, line) in every_command() {
        let octets = sent(command);
        assert!(!octets.contains(&b'\t'), "{line}");
        assert!(!octets.windows(2).any(|two| two == b"  "), "{line}");
        assert_eq!(Command::parse(line.as_bytes()), Ok(command));
    }
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
fn c0004_a_client_takes_runs_of_spaces_and_tabs() {
    let rule = FieldRule::OUTLOOK;
    for blanks in [" ", "  ", "\t", "\t\t", " \t ", "\t \t"] {
        let pair = format!("7{blanks}320{blanks}more");
        let drop = DropListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((drop.messages, drop.octets), (7, 320));
        let scan = ScanListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((scan.number.get(), scan.octets), (7, 320));
        let unique = UniqueIdListing::parse(pair.as_bytes(), rule).unwrap();
        assert_eq!((unique.number.get(), unique.unique_id.as_str()), (7, "320"));

        let capability = format!("LOGIN-DELAY{blanks}900{blanks}USER");
        let expected = Capability::LoginDelay {
            seconds: 900,
            per_user: true,
        };
        assert_eq!(Capability::parse(capability.as_bytes()), Ok(expected));

        let sasl = format!("SASL{blanks}PLAIN{blanks}LOGIN");
        let sasl = Capability::parse(sasl.as_bytes()).unwrap();
        assert!(sasl.mechanisms().eq(["PLAIN", "LOGIN"]));

        let stream = format!("+OK{blanks}7{blanks}320\r\n");
        let reply = read(ReplyRule::OUTLOOK, ReplyKind::Line, stream.as_bytes()).unwrap();
        assert!(reply.positive);
        assert_eq!(DropListing::parse(&reply.text, rule), Ok(drop));
    }
}

#[test]
fn c0004_by_the_rfc_alone_a_run_is_an_error_with_its_place() {
    let error = ScanListing::parse(b"7  320", FieldRule::RFC1939).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ListingErrorKind::Octets, 2)
    );
    let error = ScanListing::parse(b"7\t320", FieldRule::RFC1939).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ListingErrorKind::MessageNumber, 0)
    );
}

#[test]
fn c0005_a_reply_is_over_at_crlf() {
    for rule in RULES {
        let reply = read(rule, ReplyKind::Line, b"+OK ready\r\n+OK next\r\n").unwrap();
        assert_eq!((reply.positive, &*reply.text), (true, &b"ready"[..]));
        assert_eq!(reply.rest, b"+OK next\r\n");
    }
}

#[test]
fn c0005_a_reply_without_crlf_is_never_taken_for_one() {
    for rule in RULES {
        for stream in [
            &b""[..],
            b"+OK",
            b"+OK ready",
            b"+OK ready\r",
            b"+OK ready\n",
            b"-ERR\rx",
        ] {
            let error = read(rule, ReplyKind::Line, stream).unwrap_err();
            assert_eq!(error, ReplyError::NoReply, "{}", stream.escape_ascii());
        }
        // Nor does the client wait for it without end.
        let endless = [b"+OK ".as_slice(), &[b'x'; 509]].concat();
        match read(rule, ReplyKind::Line, &endless).unwrap_err() {
            ReplyError::FirstLine(error) => assert_eq!(error.kind(), ErrorKind::LineTooLong),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn v0001_outlook_goes_by_the_first_octet() {
    let rule = ReplyRule::OUTLOOK;
    for line in [
        "+OK",
        "+ok ready",
        "+Ok",
        "+",
        "+ ",
        "+OKAY",
        "+1",
        "+ERR no",
        "+OK\tready",
    ] {
        let reply = read(rule, ReplyKind::Line, format!("{line}\r\n").as_bytes()).unwrap();
        assert!(reply.positive, "{line}");
    }
    for line in [
        "-ERR", "-err no", "-", "-OK", "OK", "ERR", " +OK", "", "* OK", "220 +OK",
    ] {
        let reply = read(rule, ReplyKind::Line, format!("{line}\r\n").as_bytes()).unwrap();
        assert!(!reply.positive, "{line}");
        // A negative answer has no block, whatever it says.
        let reply = read(rule, ReplyKind::Message, format!("{line}\r\nx").as_bytes()).unwrap();
        assert_eq!((reply.block, &*reply.rest), (None, &b"x"[..]), "{line}");
    }
    let text = |line| read(rule, ReplyKind::Line, line).unwrap().text;
    assert_eq!(text(b"+ok 2 320\r\n"), b"2 320");
    assert_eq!(text(b"-err locked\r\n"), b"locked");
}

#[test]
fn v0001_by_the_rfc_alone_another_indicator_is_no_reply() {
    for line in ["+ok", "+", "+OKAY", "-err", "-", "OK", "", "+OK\tready"] {
        let stream = format!("{line}\r\n");
        let error = read(ReplyRule::RFC1939, ReplyKind::Line, stream.as_bytes()).unwrap_err();
        assert!(matches!(error, ReplyError::Status(_)), "{line}: {error}");
    }
}

#[test]
fn c0006_a_lone_dot_and_crlf_end_a_multi_line_reply() {
    for rule in RULES {
        for kind in [ReplyKind::Message, ReplyKind::Listing] {
            let reply = read(rule, kind, b"+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n").unwrap();
            assert_eq!(reply.lines(), [b"1 a", b"2 b"]);
            assert_eq!(reply.rest, b"+OK\r\n");
            let empty = read(rule, kind, b"+OK\r\n.\r\n").unwrap();
            assert_eq!(empty.block, Some(Vec::new()));
        }
    }
}

#[test]
fn c0006_a_multi_line_reply_cut_anywhere_is_not_whole() {
    let stream = b"+OK\r\n1 a\r\n2 b\r\n.\r\n";
    for rule in RULES {
        for kind in [ReplyKind::Message, ReplyKind::Listing] {
            for end in 0..stream.len() {
                match read(rule, kind, &stream[..end]).unwrap_err() {
                    ReplyError::NoReply => assert!(end < 5, "{end}"),
                    ReplyError::Block(error) => {
                        assert!(end >= 5, "{end}");
                        assert_eq!(error.kind(), ErrorKind::Truncated);
                    }
                    other => panic!("{end}: {other}"),
                }
            }
        }
        // CR or LF alone ends neither a line nor the block.
        for stream in [&b"+OK\r\na\n.\n"[..], b"+OK\r\na\r.\r", b"+OK\r\na\n.\r\n"] {
            let error = read(rule, ReplyKind::Message, stream).unwrap_err();
            assert!(matches!(error, ReplyError::Block(_)), "{error}");
        }
    }
}

#[test]
fn v0002_the_dot_before_anything_but_crlf_is_removed() {
    let stream = b"+OK\r\n..\r\n.x\r\n...\r\n. \r\n.\rx\r\n.\nx\r\na.\r\n.\r\n";
    for rule in RULES {
        let reply = read(rule, ReplyKind::Message, stream).unwrap();
        let expected: [&[u8]; 7] = [b".", b"x", b"..", b" ", b"\rx", b"\nx", b"a."];
        assert_eq!(reply.lines(), expected);
        assert_eq!(reply.rest, b"");
    }
    // Listings too, by the RFC.
    let reply = read(ReplyRule::RFC1939, ReplyKind::Listing, stream).unwrap();
    assert_eq!(reply.lines().len(), 7);
}

#[test]
fn v0002_outlook_ends_listings_at_any_dot_that_begins_a_line() {
    for line in [".", "..", ".x", ". ", ".\rx"] {
        let stream = format!("+OK\r\n1 a\r\n{line}\r\n+OK\r\n");
        let reply = read(ReplyRule::OUTLOOK, ReplyKind::Listing, stream.as_bytes()).unwrap();
        assert_eq!(reply.lines(), [b"1 a"], "{line}");
        assert_eq!(reply.rest, b"+OK\r\n", "{line}");
    }
    // A dot elsewhere ends nothing.
    let stream = b"+OK\r\n1 .a\r\n2 .\r\n.\r\n";
    let reply = read(ReplyRule::OUTLOOK, ReplyKind::Listing, stream).unwrap();
    assert_eq!(reply.lines(), [&b"1 .a"[..], b"2 ."]);
}

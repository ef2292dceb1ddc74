//! `pop3 decode`, one option at a time.

use crate::run;

#[test]
fn removes_only_stuffed_dots() {
    run(["decode"], b".\r\n").gives(b"");
    run(["decode"], b"..\r\n.\r\n").gives(b".\r\n");
    run(["decode"], b"a\r\n..b\r\n...\r\n.c\r\n.\r\n").gives(b"a\r\n.b\r\n..\r\nc\r\n");
    let octets: Vec<u8> = (0..=255).chain(*b"\n.\n\r.\r\r\n").collect();
    run(["decode"], &[&octets[..], b".\r\n"].concat()).gives(&octets);
    run(["decode", "-"], b"dash\r\n.\r\n").gives(b"dash\r\n");
}

#[test]
fn decodes_blocks_longer_than_any_buffer() {
    let mut wire = Vec::new();
    let mut message = Vec::new();
    for line in 0..100_000 {
        let text = format!("{}line {line}\r\n", ".".repeat(line % 3));
        if line % 3 > 0 {
            wire.push(b'.');
        }
        wire.extend_from_slice(text.as_bytes());
        message.extend_from_slice(text.as_bytes());
    }
    wire.extend_from_slice(b".\r\n");
    run(["decode"], &wire).gives(&message);
}

#[test]
fn truncation_prints_one_line_and_exits_with_65() {
    for (wire, message) in [
        (&b""[..], &b""[..]),
        (b"a", b"a"),
        (b"a\r\n..b\r\n", b"a\r\n.b\r\n"),
        (b"a\r\n.", b"a\r\n"),
        (b"a\r\n.\r", b"a\r\n"),
        (b"a\n.\n", b"a\n.\n"),
        (b"a\r.\r", b"a\r.\r"),
    ] {
        run(["decode"], wire).fails(
            65,
            message,
            &format!(
                "pop3 decode: truncated: no terminator after {}",
                pop3_proto::Counted(wire.len(), "octet")
            ),
        );
    }
}

#[test]
fn octets_after_the_end_are_an_error() {
    run(["decode"], b"a\r\n.\r\n+OK next message\r\n").fails(
        65,
        b"a\r\n",
        "pop3 decode: 18 octets follow the end of the block at octet 6; they were not decoded \
         (--allow-rest ignores them, --rest FILE keeps them)",
    );
    run(["decode"], b".\r\n\n").fails(
        65,
        b"",
        "pop3 decode: 1 octet follows the end of the block at octet 3; they were not decoded \
         (--allow-rest ignores them, --rest FILE keeps them)",
    );
    // More octets than one read returns.
    let mut wire = b".\r\n".to_vec();
    wire.resize(1_000_003, b'x');
    let run = run(["decode"], &wire);
    assert_eq!(run.status, Some(65));
    assert!(run.stderr.starts_with("pop3 decode: 1000000 octets follow"));
}

#[test]
fn allow_rest_stops_at_the_end() {
    run(["decode", "--allow-rest"], b"a\r\n.\r\nrest").gives(b"a\r\n");
    run(["decode", "--allow-rest"], b"a\r\n.\r\n").gives(b"a\r\n");
    run(["decode", "--allow-rest"], b"a\r\n").fails(
        65,
        b"a\r\n",
        "pop3 decode: truncated: no terminator after 3 octets",
    );
}

#[test]
fn reply_removes_the_status_line() {
    for wire in [
        &b"+OK\r\na\r\n.\r\n"[..],
        b"+OK 120 octets\r\na\r\n.\r\n",
        b"+OK \xe9\0\n.\r\r\na\r\n.\r\n",
    ] {
        run(["decode", "--reply"], wire).gives(b"a\r\n");
    }
    let longest = [b"+OK ", &[b'x'; 506][..], b"\r\n.\r\n"].concat();
    run(["decode", "--reply"], &longest).gives(b"");
    // The block begins at this line, so its dot is stuffed.
    run(["decode", "--reply"], b"+OK\r\n..a\r\n.\r\n").gives(b".a\r\n");
    // Offsets count from the start of the block.
    run(["decode", "--reply"], b"+OK 7 octets\r\nabc").fails(
        65,
        b"abc",
        "pop3 decode: truncated: no terminator after 3 octets",
    );
    // Without the option, the status line is part of the message.
    run(["decode"], b"+OK\r\n.\r\n").gives(b"+OK\r\n");
}

#[test]
fn exits_with_76_on_a_bad_status_line() {
    run(["decode", "--reply"], b"-ERR no such message\r\n").fails(
        76,
        b"",
        "pop3 decode: the server refused: -ERR no such message; there is no block to decode",
    );
    // Control characters of the server do not reach the terminal.
    run(["decode", "--reply"], b"-ERR \x1b[2J\xe9\r\n").fails(
        76,
        b"",
        "pop3 decode: the server refused: -ERR \\x1b[2J\\xe9; there is no block to decode",
    );
    for line in ["", "+ok", "OK", " +OK", "Subject: x", "+", "-err"] {
        run(["decode", "--reply"], format!("{line}\r\n.\r\n").as_bytes()).fails(
            76,
            b"",
            &format!(
                "pop3 decode: not a status line: {line}; remove --reply if the input is a block alone"
            ),
        );
    }
    let long = [b"+OK ", &[b'x'; 507][..], b"\r\n.\r\n"].concat();
    run(["decode", "--reply"], &long).fails(
        76,
        b"",
        "pop3 decode: malformed status line: line passes its maximum length at octet 512; \
         remove --reply if the input is a block alone",
    );
    for wire in ["", "+OK", "+OK 12\r", "+OK 12\n"] {
        run(["decode", "--reply"], wire.as_bytes()).fails(
            65,
            b"",
            &format!(
                "pop3 decode: truncated: the input ended before a status line, after {} octets",
                wire.len()
            ),
        );
    }
}

#[test]
fn reject_bare_cr() {
    let wire = b"a\r\nb\rc\r\n.\r\n";
    run(["decode"], wire).gives(b"a\r\nb\rc\r\n");
    run(["decode", "--reject-bare-cr"], b"a\nb\r\n.\r\n").gives(b"a\nb\r\n");
    run(["decode", "--reject-bare-cr"], wire).fails(
        65,
        b"a\r\nb\r",
        "pop3 decode: bare CR at octet 4: a line must end with CRLF; \
         remove --reject-bare-cr to accept it",
    );
}

#[test]
fn reject_bare_lf() {
    let wire = b"a\r\nb\nc\r\n.\r\n";
    run(["decode"], wire).gives(b"a\r\nb\nc\r\n");
    run(["decode", "--reject-bare-lf"], b"a\rb\r\n.\r\n").gives(b"a\rb\r\n");
    run(["decode", "--reject-bare-lf"], wire).fails(
        65,
        b"a\r\nb",
        "pop3 decode: bare LF at octet 4: a line must end with CRLF; \
         remove --reject-bare-lf to accept it",
    );
}

#[test]
fn reject_unstuffed_dot() {
    let wire = b"a\r\n.b\r\n.\r\n";
    run(["decode"], wire).gives(b"a\r\nb\r\n");
    run(["decode", "--reject-unstuffed-dot"], b"..b\r\n.\r\n").gives(b".b\r\n");
    run(["decode", "--reject-unstuffed-dot"], wire).fails(
        65,
        b"a\r\n",
        "pop3 decode: unstuffed dot at octet 3: the sender did not double it; \
         remove --reject-unstuffed-dot to accept it",
    );
}

#[test]
fn max_octets() {
    let wire = b"..34567\r\n.\r\n";
    run(["decode", "--max-octets", "8"], wire).gives(b".34567\r\n");
    run(["decode", "--max-octets", "7"], wire).fails(
        65,
        b".34567\r",
        "pop3 decode: block passes its maximum length at octet 8; raise --max-octets, which is 7",
    );
    run(["decode", "--max-octets", "0"], b".\r\n").gives(b"");
}

#[test]
fn max_line_octets() {
    let wire = b"a\r\n12345\r\n.\r\n";
    run(["decode", "--max-line-octets=7"], wire).gives(b"a\r\n12345\r\n");
    run(["decode", "--max-line-octets=6"], wire).fails(
        65,
        b"a\r\n12345\r",
        "pop3 decode: line passes its maximum length at octet 9; raise --max-line-octets, which is 6",
    );
}

#[test]
fn dangerous_lf_terminates() {
    let wire = b"a\n..b\n.\n";
    run(["decode", "--dangerous-lf-terminates"], wire).gives(b"a\n.b\n");
    let reply = [b"+OK\n", &wire[..]].concat();
    run(["decode", "--dangerous-lf-terminates", "--reply"], &reply).gives(b"a\n.b\n");
    assert_eq!(run(["decode"], wire).status, Some(65));
}

#[test]
fn dot_line_ends() {
    let wire = b"1 120\r\n.end\r\n";
    run(["decode", "--dot-line-ends"], wire).gives(b"1 120\r\n");
    assert_eq!(run(["decode"], wire).status, Some(65));
}

#[test]
fn report_is_one_line_of_figures() {
    let done = run(["decode", "--report"], b"a\r\n..b\r\n.\r\n");
    assert_eq!(
        (done.status, &done.stdout[..]),
        (Some(0), &b"a\r\n.b\r\n"[..])
    );
    assert_eq!(
        done.stderr,
        "pop3 decode: octets=7 wire-octets=11 stuffed-lines=1 block-offset=0\n"
    );
    let done = run(["decode", "--report", "--reply"], b"+OK\r\n.\r\n");
    assert_eq!(
        done.stderr,
        "pop3 decode: octets=0 wire-octets=3 stuffed-lines=0 block-offset=5\n"
    );
    // An incomplete block gets no figures.
    run(["decode", "--report"], b"a\r\n").fails(
        65,
        b"a\r\n",
        "pop3 decode: truncated: no terminator after 3 octets",
    );
}

#[test]
fn inspect_reports_irregularities_and_changes_nothing() {
    let wire = b"+OK\r\nsmuggled?\n.\n\0\r\n.unstuffed\r.\r\n.\r\n";
    let plain = run(["decode", "--reply"], wire);
    let done = run(["decode", "--reply", "--inspect"], wire);
    assert_eq!((done.status, &done.stdout), (Some(0), &plain.stdout));
    assert_eq!(
        done.stderr,
        "pop3 decode: anomaly at octet 9: bare LF beside a dot\n\
         pop3 decode: anomaly at octet 11: bare LF beside a dot\n\
         pop3 decode: anomaly at octet 12: NUL\n\
         pop3 decode: anomaly at octet 15: unstuffed dot\n\
         pop3 decode: anomaly at octet 25: bare CR beside a dot\n\
         pop3 decode: inspected 32 octets: anomalies 5, longest line 15 octets at octet 0\n"
    );
    let done = run(["decode", "--inspect"], b"regular\r\n.\r\n");
    assert_eq!(
        (done.status, done.stderr.as_str()),
        (
            Some(0),
            "pop3 decode: inspected 12 octets: anomalies 0, longest line 9 octets at octet 0\n"
        )
    );
}

#[test]
fn inspect_shows_at_most_twenty_of_a_kind() {
    let mut wire = vec![0; 100_000];
    wire.extend_from_slice(b"\n.\r\n.\r\n");
    let done = run(["decode", "--inspect"], &wire);
    assert_eq!(done.status, Some(0));
    let lines: Vec<_> = done.stderr.lines().collect();
    assert_eq!(lines.len(), 20 + 1 + 2, "{}", done.stderr);
    assert_eq!(lines[19], "pop3 decode: anomaly at octet 19: NUL");
    assert_eq!(
        lines[20..],
        [
            "pop3 decode: anomaly at octet 100000: bare LF beside a dot",
            "pop3 decode: anomalies not shown: 99980 more of \"NUL\"",
            "pop3 decode: inspected 100007 octets: anomalies 100001, \
             longest line 100004 octets at octet 0",
        ]
    );
}

#[test]
fn inspect_stops_where_the_block_or_the_decoder_stops() {
    // The octets after the terminator are not part of the block.
    let done = run(["decode", "--inspect", "--allow-rest"], b".\r\n\0\0\0");
    assert_eq!(
        done.stderr,
        "pop3 decode: inspected 3 octets: anomalies 0, longest line 3 octets at octet 0\n"
    );
    // The error is the last line.
    let done = run(
        ["decode", "--inspect", "--reject-unstuffed-dot"],
        b"\0\r\n.b\r\n.\r\n",
    );
    assert_eq!(done.status, Some(65));
    let lines: Vec<_> = done.stderr.lines().collect();
    assert_eq!(lines[0], "pop3 decode: anomaly at octet 0: NUL");
    assert!(lines[1].starts_with("pop3 decode: inspected "), "{lines:?}");
    assert!(lines[2].starts_with("pop3 decode: unstuffed dot at octet 3"));
    assert_eq!(lines.len(), 3);
}

/// With exactly as many as are shown, none is left out.
#[test]
fn inspect_shows_all_of_exactly_twenty() {
    let wire = [&[0; 20][..], b"\r\n.\r\n"].concat();
    let done = run(["decode", "--inspect"], &wire);
    assert_eq!(done.status, Some(0));
    assert_eq!(done.stderr.lines().count(), 20 + 1, "{}", done.stderr);
}

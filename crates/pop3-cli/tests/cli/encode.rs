//! `pop3 encode`, whose output `pop3 decode` turns back into the message.

use std::fs;

use crate::{captures, run};

#[test]
fn stuffs_dots_and_adds_a_terminator() {
    run(["encode"], b"").gives(b".\r\n");
    run(["encode"], b".\r\n").gives(b"..\r\n.\r\n");
    run(["encode"], b"a\r\n.b\r\nc.\r\n").gives(b"a\r\n..b\r\nc.\r\n.\r\n");
    run(["encode"], b"no line end").gives(b"no line end\r\n.\r\n");
    run(["encode", "-"], b"dash").gives(b"dash\r\n.\r\n");
}

#[test]
fn newline_canonicalize_is_the_default() {
    for arguments in [&["encode"][..], &["encode", "--newline", "canonicalize"]] {
        run(arguments, b"a\n.b\r.c\r\nd\r").gives(b"a\r\n..b\r\n..c\r\nd\r\n.\r\n");
    }
}

#[test]
fn newline_verbatim() {
    run(["encode", "--newline", "verbatim"], b"a\n.b\r.c\r\nd\r")
        .gives(b"a\n.b\r.c\r\nd\r\r\n.\r\n");
}

#[test]
fn newline_reject_gives_no_terminator() {
    run(["encode", "--newline", "reject"], b".a\r\nb\r\n").gives(b"..a\r\nb\r\n.\r\n");
    run(["encode", "--newline", "reject"], b"one\r\ntwo\nthree\r\n").fails(
        65,
        b"one\r\ntwo",
        "pop3 encode: bare LF at octet 8: a line must end with CRLF; \
         --newline canonicalize replaces it with CRLF",
    );
    run(["encode", "--newline", "reject"], b"one\rtwo").fails(
        65,
        b"one\r",
        "pop3 encode: bare CR at octet 3: a line must end with CRLF; \
         --newline canonicalize replaces it with CRLF",
    );
    // The encoder only sees this at the end of the message.
    run(["encode", "--newline", "reject"], b"one\r").fails(
        65,
        b"one\r",
        "pop3 encode: bare CR at octet 3: a line must end with CRLF; \
         --newline canonicalize replaces it with CRLF",
    );
}

#[test]
fn decode_undoes_encode() {
    let mut messages = 0;
    for entry in fs::read_dir(captures().join("messages")).unwrap() {
        let message = fs::read(entry.unwrap().path()).unwrap();
        messages += 1;

        let wire = run(["encode", "--newline", "verbatim"], &message).stdout;
        let mut expected = message.clone();
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            expected.extend_from_slice(b"\r\n");
        }
        run(["decode"], &wire).gives(&expected);

        let wire = run(["encode"], &message).stdout;
        let strict = ["decode", "--reject-bare-cr", "--reject-bare-lf"];
        run(strict, &wire).gives(&canonical(&message));
    }
    assert!(messages >= 19, "{messages} messages");
}

/// The message with CRLF in place of each CRLF, CR and LF, and at its end.
fn canonical(message: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut octets = message.iter().peekable();
    while let Some(&octet) = octets.next() {
        match octet {
            b'\r' => {
                octets.next_if_eq(&&b'\n');
                canonical.extend_from_slice(b"\r\n");
            }
            b'\n' => canonical.extend_from_slice(b"\r\n"),
            _ => canonical.push(octet),
        }
    }
    if !canonical.is_empty() && !canonical.ends_with(b"\r\n") {
        canonical.extend_from_slice(b"\r\n");
    }
    canonical
}

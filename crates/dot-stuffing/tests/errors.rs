//! The messages of errors, and the `io::ErrorKind` of each.

#![cfg(feature = "std")]

use std::{error::Error, io};

use dot_stuffing::{
    BareNewline, Config, DecodeError, LineEndings, MultilineDecoder, MultilineEncoder, Policy,
};

/// The error that a decoder ends with.
fn refusal(config: Config, wire: &[u8]) -> DecodeError {
    let mut decoder = MultilineDecoder::with_config(config);
    let mut rest = wire;
    loop {
        match decoder.decode(rest) {
            Err(error) => return error,
            Ok(step) if step.consumed == rest.len() => {
                return decoder.decode(b"").and(decoder.finish()).unwrap_err();
            }
            Ok(step) => rest = &rest[step.consumed..],
        }
    }
}

#[test]
fn decoding_says_what_and_where() {
    let strict = LineEndings::new()
        .bare_cr(Policy::Reject)
        .bare_lf(Policy::Reject);
    let strict = Config::new()
        .line_endings(strict)
        .unstuffed_dot(Policy::Reject)
        .max_octets(6)
        .max_line_octets(4);
    let cases: [(&[u8], &str); 7] = [
        (b".\r\n+OK", "octet 3 follows the end of the block"),
        (b"a\rb", "bare CR at octet 1: a line must end with CRLF"),
        (b"ab\n", "bare LF at octet 2: a line must end with CRLF"),
        (b"abcde", "line passes its maximum length at octet 4"),
        (b"ab\r\ncde", "block passes its maximum length at octet 6"),
        (b"ab\r\n.", "truncated: no terminator after 5 octets"),
        (
            b".a",
            "unstuffed dot at octet 0: the sender did not double it",
        ),
    ];
    for (wire, text) in cases {
        let error = refusal(strict, wire);
        assert_eq!(error.to_string(), text, "{}", wire.escape_ascii());
        let is_truncated = text.starts_with("truncated");
        let kind = match is_truncated {
            true => io::ErrorKind::UnexpectedEof,
            false => io::ErrorKind::InvalidData,
        };
        let outer = io::Error::from(error);
        assert_eq!(outer.kind(), kind);
        let inner = outer.get_ref().map(<dyn Error + Send + Sync>::to_string);
        assert_eq!(inner.as_deref(), Some(text), "the error is kept in it");
    }
}

#[test]
fn an_unfinished_message_is_called_that() {
    let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    let _ = encoder.encode(b"ab");
    assert_eq!(
        encoder.finish().unwrap_err().to_string(),
        "the octets from 0 on were not encoded: a part of the message was dropped before its end"
    );
}

#[cfg(feature = "tokio-util")]
#[test]
fn a_line_with_its_line_end_is_refused() {
    use tokio_util::codec::Encoder as _;

    let mut wire = bytes::BytesMut::new();
    let refused = dot_stuffing::LineCodec::<512>::new().encode("NOOP\r\n", &mut wire);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "CR or LF at octet 4: pass the line without its line end"
    );
}

#[test]
fn encoding_says_what_and_where() {
    for (message, text) in [
        ("a\rb", "bare CR at octet 1: a line must end with CRLF"),
        ("ab\nc", "bare LF at octet 2: a line must end with CRLF"),
    ] {
        let mut encoder = MultilineEncoder::new(BareNewline::Reject);
        let errors = encoder.encode(message.as_bytes()).filter_map(Result::err);
        let [error] = errors.collect::<Vec<_>>()[..] else {
            panic!("one error for {message:?}");
        };
        assert_eq!(error.to_string(), text);
        assert_eq!(encoder.finish(), Err(error));
        let outer = io::Error::from(error);
        assert_eq!(outer.kind(), io::ErrorKind::InvalidData);
        assert_eq!(outer.to_string(), text);
    }
}

//! How our client reads replies that do not end as they must.

use dot_stuffing::ErrorKind;
use pop3_proto::{ReplyError, ReplyKind, ReplyRule, ResponseDecoder};

/// The profiles of RFC 1939 and of Outlook.
const RULES: [ReplyRule; 2] = [ReplyRule::RFC1939, ReplyRule::OUTLOOK];

/// Why a reply is refused. The reason is the same whether the stream comes in
/// one piece or in pieces of 1 to 5 octets.
fn refused(rule: ReplyRule, kind: ReplyKind, stream: &[u8]) -> ReplyError {
    let read = |octets: usize| {
        let mut decoder = ResponseDecoder::new(rule);
        decoder.expect(kind);
        let mut at = 0;
        while at < stream.len() && !decoder.is_idle() {
            let part = &stream[at..stream.len().min(at + octets)];
            at += decoder.decode(part)?.consumed;
        }
        decoder.finish()
    };
    let whole = read(stream.len().max(1));
    for octets in 1..=5 {
        assert_eq!(
            read(octets),
            whole,
            "{octets} octets at a time: {}",
            stream.escape_ascii()
        );
    }
    whole.expect_err("a reply that is not whole")
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
            let error = refused(rule, ReplyKind::Line, stream);
            assert_eq!(error, ReplyError::NoReply, "{}", stream.escape_ascii());
        }
        // The client does not wait for it forever either.
        let endless = [b"+OK ".as_slice(), &[b'x'; 509]].concat();
        match refused(rule, ReplyKind::Line, &endless) {
            ReplyError::FirstLine(error) => assert_eq!(error.kind(), ErrorKind::LineTooLong),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn c0006_a_multi_line_reply_cut_anywhere_is_not_whole() {
    let stream = b"+OK\r\n1 a\r\n2 b\r\n.\r\n";
    for rule in RULES {
        for kind in [ReplyKind::Message, ReplyKind::Listing] {
            for end in 0..stream.len() {
                match refused(rule, kind, &stream[..end]) {
                    ReplyError::NoReply => assert!(end < 5, "{end}"),
                    ReplyError::Block(error) => {
                        assert!(end >= 5, "{end}");
                        assert_eq!(error.kind(), ErrorKind::Truncated);
                    }
                    other => panic!("{end}: {other}"),
                }
            }
        }
        // CR or LF alone ends neither a line nor a block.
        for stream in [&b"+OK\r\na\n.\n"[..], b"+OK\r\na\r.\r", b"+OK\r\na\n.\r\n"] {
            let error = refused(rule, ReplyKind::Message, stream);
            assert!(matches!(error, ReplyError::Block(_)), "{error}");
        }
    }
}

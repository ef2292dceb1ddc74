//! The states of decoders and encoders: at the start, after a reset, at the end.

#![cfg(feature = "tokio-util")]

use bytes::BytesMut;
use dot_stuffing::{
    BareNewline, Chunk, Config, EncodeError, EncodeErrorKind, ErrorKind, Frame, Inspector,
    LineDecoder, LineEndings, MultilineCodec, MultilineDecoder, MultilineEncoder, Policy,
};
use tokio_util::codec::{Decoder, Encoder};

#[test]
fn the_default_is_rfc_1939() {
    assert_eq!(Config::default(), Config::new());
    let mut decoder = MultilineDecoder::default();
    let message: Vec<_> = decoder
        .feed(&mut &b"..a\n\r\n.\r\n"[..])
        .flatten()
        .collect();
    assert_eq!(message.concat(), b".a\n\r\n");
    let mut lines = LineDecoder::<9>::default();
    let step = lines.decode(b"a\nb\r\nc").expect("a line");
    assert_eq!((step.consumed, step.event), (5, Some(&b"a\nb"[..])));
    let mut anomalies = 0;
    Inspector::default().inspect(b".a\r\n", |_| anomalies += 1);
    assert_eq!(anomalies, 1);
}

#[test]
fn a_line_that_was_not_refused_is_not_skipped() {
    let mut lines = LineDecoder::<9>::new();
    lines.skip_line();
    let step = lines.decode(b"a\r\n").expect("a line");
    assert_eq!(step.event, Some(&b"a"[..]));
}

#[test]
fn reset_keeps_the_configuration_and_nothing_else() {
    let strict = LineEndings::new().bare_lf(Policy::Reject);
    let config = Config::new().line_endings(strict).max_octets(2);
    let mut decoder = MultilineDecoder::with_config(config);
    for _ in 0..2 {
        assert!(decoder.finish().is_err(), "nothing came yet");
        assert_eq!(decoder.feed(&mut &b"\r\n.\r\n"[..]).flatten().count(), 1);
        let complete = decoder.finish().expect("a whole block");
        assert_eq!((complete.octets, complete.wire_octets), (2, 5));
        decoder.reset();
    }
    assert!(decoder.feed(&mut &b"\n"[..]).any(|data| data.is_err()));
}

#[test]
fn an_error_repeats_without_input() {
    let mut decoder = MultilineDecoder::with_config(Config::new().max_octets(0));
    let error = decoder.decode_span(b"a").unwrap_err();
    assert_eq!(decoder.decode_span(b""), Err(error));
    assert_eq!(decoder.decode(b"b"), Err(error));
}

#[test]
fn rest_is_the_input_that_the_encoder_has_not_reached() {
    let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    let mut octets = encoder.encode(b".a\r\n.b");
    assert_eq!(octets.rest(), b".a\r\n.b");
    assert_eq!(octets.next(), Some(Ok(&b"."[..])));
    // The line, and the dot that is added to the next one.
    assert_eq!(octets.next(), Some(Ok(&b".a\r\n."[..])));
    assert_eq!(octets.rest(), b".b");
}

#[test]
fn a_codec_reads_block_after_block() {
    let mut codec = MultilineCodec::new(BareNewline::Canonicalize);
    let mut wire = BytesMut::new();
    codec.encode(Chunk::Data(b"a"), &mut wire).expect("encoded");
    codec.encode(Chunk::End, &mut wire).expect("a terminator");
    codec.encode(Chunk::End, &mut wire).expect("an empty block");
    assert_eq!(wire, "a\r\n.\r\n.\r\n");
    let data = codec.decode(&mut wire).expect("decoded");
    assert_eq!(data, Some(Frame::Data("a\r\n".into())));
    for left in [".\r\n", ""] {
        let end = codec.decode(&mut wire).expect("decoded");
        assert!(matches!(end, Some(Frame::End(_))));
        assert_eq!(wire, left, "what follows is not touched");
    }
    assert_eq!(codec.decode_eof(&mut wire).expect("a clean end"), None);
    wire.extend_from_slice(b".");
    let error = codec.decode_eof(&mut wire).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_codec_at_the_end_of_its_input_still_decodes_what_is_there() {
    let config = Config::new().max_octets(3);
    let mut codec = MultilineCodec::with_config(BareNewline::Verbatim, config);
    let mut wire = BytesMut::from("a\r\n.\r\n");
    let data = codec.decode_eof(&mut wire).expect("decoded");
    assert_eq!(data, Some(Frame::Data("a\r\n".into())));
    let end = codec.decode_eof(&mut wire).expect("decoded");
    assert!(matches!(end, Some(Frame::End(_))));
    assert_eq!(codec.decode_eof(&mut wire).expect("a clean end"), None);

    let mut wire = BytesMut::from("abcd");
    let data = codec.decode_eof(&mut wire).expect("decoded");
    assert_eq!(data, Some(Frame::Data("abc".into())));
    let error = codec.decode_eof(&mut wire).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn an_encoder_whose_iterator_was_dropped_early_sends_no_terminator() {
    let newlines = [
        BareNewline::Canonicalize,
        BareNewline::Reject,
        BareNewline::Verbatim,
    ];
    for message in [&b".a\r\n..b"[..], b"a\rb\nc", b"..", b"x"] {
        for (newline, taken) in newlines
            .into_iter()
            .flat_map(|newline| (0..8).map(move |n| (newline, n)))
        {
            let mut encoder = MultilineEncoder::new(newline);
            let mut pieces = encoder.encode(message);
            let refused = pieces.by_ref().take(taken).any(|piece| piece.is_err());
            let at = (message.len() - pieces.rest().len()) as u64;
            if refused || pieces.rest().is_empty() {
                continue;
            }
            let next = encoder.encode(b"more").next();
            let error = next.expect("an error").unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (EncodeErrorKind::Unfinished, at)
            );
            assert_eq!(encoder.encode(b"more").next(), Some(Err(error)), "it stays");
            assert_eq!(encoder.finish(), Err(error), "no terminator");
        }
    }
    let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    let _ = encoder.encode(b"a");
    assert!(encoder.finish().is_err(), "no terminator either");
}

#[test]
fn a_codec_that_refused_a_message_encodes_nothing_more() {
    for (refused, wire) in [(&b"a\nb"[..], "a"), (b"a\r", "a\r")] {
        let mut codec = MultilineCodec::new(BareNewline::Reject);
        let mut sent = BytesMut::new();
        let _ = codec.encode(Chunk::Data(refused), &mut sent);
        for chunk in [Chunk::End, Chunk::Data(b"\nnext"), Chunk::End, Chunk::End] {
            assert!(codec.encode(chunk, &mut sent).is_err());
        }
        assert_eq!(sent, wire, "no terminator, no second message");
    }
}

#[test]
fn a_codec_skips_a_refused_block() {
    let mut codec = MultilineCodec::with_config(BareNewline::Reject, Config::smtp().max_octets(1));
    let mut input = BytesMut::from("ab\r");
    codec.decode(&mut input).expect("the first octet");
    let error = codec.decode(&mut input).unwrap_err();
    assert_eq!(
        codec.decode_eof(&mut input).unwrap_err().to_string(),
        error.to_string()
    );
    assert_eq!(codec.skip_to_end(&mut input), None);
    input.extend_from_slice(b"\n.\r\n.\r\n");
    assert_eq!(codec.skip_to_end(&mut input), Some(7));
    assert_eq!(input, ".\r\n");
    assert!(matches!(codec.decode(&mut input), Ok(Some(Frame::End(_)))));
}

#[test]
fn a_small_frame_keeps_no_buffer_alive() {
    for (octets, shared) in [(1023, false), (1024, true)] {
        let mut input = BytesMut::from(&vec![b'x'; octets][..]);
        let place = input.as_ptr();
        match MultilineDecoder::new().decode_bytes(&mut input) {
            Ok(Some(Frame::Data(data))) => assert_eq!(data.as_ptr() == place, shared),
            other => panic!("{other:?}"),
        }
    }
}

/// Says that octets remain, but shows none.
struct Hollow;

impl bytes::Buf for Hollow {
    fn remaining(&self) -> usize {
        1
    }

    fn chunk(&self) -> &[u8] {
        b""
    }

    fn advance(&mut self, _: usize) {}
}

#[test]
fn decode_buf_returns_where_a_buffer_shows_nothing() {
    let mut decoder = MultilineDecoder::new();
    assert_eq!(decoder.decode_buf(&mut Hollow, &mut Vec::new()), Ok(false));
    let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    let encoded = encoder.encode_buf(&mut Hollow).put(&mut Vec::new());
    assert_eq!(encoded, Ok(false));
    assert!(encoder.finish().is_err(), "octets are missing");
}

#[test]
fn decode_buf_consumes_a_terminator_without_room() {
    let mut decoder = MultilineDecoder::new();
    let mut input = &b"ab\r\n.\r\n+OK"[..];
    let mut message = [0; 4];
    let mut room = &mut message[..];
    assert_eq!(decoder.decode_buf(&mut input, &mut room), Ok(true));
    assert_eq!((&message, input), (b"ab\r\n", &b"+OK"[..]));
    assert_eq!(input, b"+OK", "what follows is not touched");
    let again = decoder.decode_buf(&mut &b""[..], &mut Vec::new());
    assert_eq!(again, Ok(false), "the end of another block has not come");

    let mut decoder = MultilineDecoder::new();
    let mut input = &b".\r"[..];
    let mut none = &mut message[..0];
    assert_eq!(decoder.decode_buf(&mut input, &mut none), Ok(false));
    let mut input = &b"a"[..];
    assert_eq!(decoder.decode_buf(&mut input, &mut none), Ok(false));
    assert_eq!(input, b"a", "the held CR has no room");
    let mut held = Vec::new();
    assert_eq!(decoder.decode_buf(&mut input, &mut held), Ok(false));
    assert_eq!(held, b"\ra");
    decoder = MultilineDecoder::with_config(Config::new().max_octets(0));
    let error = decoder.decode_buf(&mut &b"a"[..], &mut held).unwrap_err();
    assert_eq!(decoder.decode_buf(&mut &b""[..], &mut held), Err(error));
}

#[test]
fn decode_buf_takes_no_block_for_the_one_before() {
    let mut decoder = MultilineDecoder::new();
    let mut input = &b"a\r\n.\r\nb\r\n.\r\n"[..];
    let mut message = Vec::new();
    assert_eq!(decoder.decode_buf(&mut input, &mut message), Ok(true));
    let error = decoder.decode_buf(&mut input, &mut message).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::AfterEnd, 6));
    assert_eq!(decoder.finish(), Err(error), "there is no proof any more");
    assert_eq!((&message[..], input), (&b"a\r\n"[..], &b"b\r\n.\r\n"[..]));
    decoder.reset();
    assert_eq!(decoder.decode_buf(&mut input, &mut message), Ok(true));
    assert_eq!(message, b"a\r\nb\r\n");
}

#[test]
fn a_part_that_is_dropped_early_gets_no_terminator() {
    let is_unfinished =
        |error: EncodeError| (error.kind(), error.offset()) == (EncodeErrorKind::Unfinished, 3);
    let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    let mut message = &b"abcdef"[..];
    let mut part = encoder.encode_buf(&mut message);
    assert_eq!(part.put(&mut &mut [0; 5][..]), Ok(false));
    assert_eq!(message, b"def");
    assert!(encoder.clone().finish().is_err_and(is_unfinished));
    let next = encoder.encode_buf(message).put(&mut &mut [0; 2][..]);
    assert!(next.is_err_and(is_unfinished), "even without room");
    assert!(encoder.finish().is_err_and(is_unfinished));
}

#[test]
fn encode_buf_never_needs_more_room_than_it_has() {
    for room in 0..9 {
        for message in [&b"....."[..], b"\r\r.\r", b"\n.\n.", b"a\r.\rb"] {
            let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
            let mut wire = vec![0; room];
            let mut left = &mut wire[..];
            let mut rest = message;
            let ended = encoder.encode_buf(&mut rest).put(&mut left);
            assert_eq!(ended, Ok(rest.is_empty()));
            assert_eq!(rest.len() < message.len(), room >= 3);
            assert_eq!(encoder.finish().is_ok(), rest.is_empty());
        }
    }
}

#[test]
fn pieces_are_never_empty_and_at_most_16_kib() {
    const RUN: usize = 16 * 1024;
    let text = vec![b'x'; 3 * RUN];
    let mut decoder = MultilineDecoder::new();
    let mut input = &text[..];
    let data = decoder.feed(&mut input).map(|data| data.unwrap().len());
    assert!(data.eq([RUN; 3]));
    for message in [&b"\n"[..], b".\n\n.", b"a\r\r\n\n", b"\r\n.\r"] {
        let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
        let mut pieces = encoder.encode(message);
        assert!(pieces.all(|piece| !piece.unwrap().is_empty()));
    }
}

#[test]
fn frames_of_many_short_lines_are_joined_up_to_16_kib() {
    let mut input = BytesMut::from(&b"..x\r\n".repeat(20_000)[..]);
    let mut decoder = MultilineDecoder::new();
    let mut octets = 0;
    while let Some(Frame::Data(data)) = decoder.decode_bytes(&mut input).expect("decoded") {
        assert!(data.len() <= 16 * 1024);
        assert!(input.is_empty() || data.len() > 1000, "joined");
        octets += data.len();
    }
    assert_eq!(octets, 4 * 20_000);
}

#[test]
fn only_a_long_frame_shares_the_memory_of_the_input() {
    for (length, is_shared) in [(100, false), (1023, false), (1024, true), (4000, true)] {
        let wire = [&b"\r\n."[..], &vec![b'x'; length - 2], b"\r\n.."].concat();
        let mut input = BytesMut::from(&wire[..]);
        let mut decoder = MultilineDecoder::new();
        let mut frames = Vec::new();
        while let Some(Frame::Data(data)) = decoder.decode_bytes(&mut input).expect("decoded") {
            frames.push(data);
        }
        let frame = frames.iter_mut().max_by_key(|frame| frame.len()).unwrap();
        assert_eq!(frame.is_unique(), !is_shared, "{length} octets");
    }
}

//! The states of decoders and encoders: at the start, after a reset, at the end.

use bytes::BytesMut;
use dot_stuffing::{
    BareNewline, Chunk, Config, Frame, Inspector, LineDecoder, LineEndings, MultilineCodec,
    MultilineDecoder, MultilineEncoder, Policy,
};
use tokio_util::codec::{Decoder, Encoder};

#[test]
fn the_default_is_rfc_1939() {
    assert_eq!(Config::default(), Config::new());
    let mut decoder = MultilineDecoder::default();
    let message: Vec<_> = decoder.feed(b"..a\n\r\n.\r\n").flatten().collect();
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
        assert_eq!(decoder.feed(b"\r\n.\r\n").flatten().count(), 1);
        let complete = decoder.finish().expect("a whole block");
        assert_eq!((complete.octets, complete.wire_octets), (2, 5));
        decoder.reset();
    }
    assert!(decoder.feed(b"\n").next().is_some_and(|data| data.is_err()));
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
        assert_eq!(codec.decode(&mut wire).expect("no more"), None);
        assert_eq!(wire, left);
        codec.next_block();
    }
    assert!(codec.decode_eof(&mut wire).is_err(), "a block was begun");
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

    codec.next_block();
    let mut wire = BytesMut::from("abcd");
    let data = codec.decode_eof(&mut wire).expect("decoded");
    assert_eq!(data, Some(Frame::Data("abc".into())));
    let error = codec.decode_eof(&mut wire).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn pieces_are_never_empty_and_at_most_16_kib() {
    const RUN: usize = 16 * 1024;
    let text = vec![b'x'; 3 * RUN];
    let mut decoder = MultilineDecoder::new();
    let data = decoder.feed(&text).map(|data| data.unwrap().len());
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

//! `MultilineCodec` and `LineCodec` in a `Framed` over a pipe.

#![cfg(feature = "tokio-util")]

use std::{error::Error, io};

use bytes::{Bytes, BytesMut};
use dot_stuffing::{
    BareNewline, Chunk, Config, EncodeError, EncodeErrorKind, Frame, LineCodec, MultilineCodec,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_util::codec::{Decoder, Encoder, Framed};

type Result = std::result::Result<(), Box<dyn Error>>;

fn framed(wire: &[u8]) -> (Framed<DuplexStream, MultilineCodec>, DuplexStream) {
    let (near, mut far) = duplex(1 << 16);
    let codec = MultilineCodec::new(BareNewline::Reject);
    let sent = futures_util::FutureExt::now_or_never(far.write_all(wire));
    sent.expect("room for it").expect("an open pipe");
    (Framed::new(near, codec), far)
}

/// The messages that come until there are no more frames, and the error.
async fn messages(
    mut frames: Framed<DuplexStream, MultilineCodec>,
) -> (Vec<Vec<u8>>, Option<io::ErrorKind>) {
    let mut messages = Vec::new();
    let mut message = Vec::new();
    while let Some(frame) = frames.next().await {
        match frame {
            Ok(Frame::Data(octets)) => message.extend_from_slice(&octets),
            Ok(Frame::End(_)) => messages.push(std::mem::take(&mut message)),
            Err(error) => return (messages, Some(error.kind())),
        }
    }
    (messages, None)
}

#[tokio::test]
async fn a_loop_over_frames_reads_every_block_and_ends() {
    let blocks = [b"a\r\n".to_vec(), b"".to_vec(), b".b\r\n".to_vec()];
    let (frames, far) = framed(b"a\r\n.\r\n.\r\n..b\r\n.\r\n");
    drop(far);
    assert_eq!(messages(frames).await, (blocks.to_vec(), None));
    let (frames, far) = framed(b"");
    drop(far);
    assert_eq!(messages(frames).await, (vec![], None), "no block at all");
}

#[tokio::test]
async fn a_stream_that_ends_in_a_block_is_an_error() {
    for begun in [&b"b"[..], b"b\r\n", b".", b".\r"] {
        let (frames, far) = framed(&[b".\r\n", begun].concat());
        drop(far);
        let truncated = Some(io::ErrorKind::UnexpectedEof);
        assert_eq!(messages(frames).await, (vec![vec![]], truncated));
    }
}

#[test]
fn what_a_stream_cut_off_is_not_continued_by_another() {
    let mut blocks = MultilineCodec::new(BareNewline::Reject);
    let mut input = BytesMut::from("a\r\n");
    assert!(blocks.decode(&mut input).is_ok_and(|frame| frame.is_some()));
    let error = blocks.decode_eof(&mut input).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    input.extend_from_slice(b"b\r\n.\r\nQUIT\r\n");
    assert!(blocks.decode(&mut input).is_err());
    let skipped = blocks.skip_to_end(&mut input);
    assert_eq!(skipped, Some(9), "but it can be skipped");
    assert_eq!(input, "QUIT\r\n");

    let mut lines = LineCodec::<8>::new();
    let mut input = BytesMut::from("QU\r");
    let error = lines.decode_eof(&mut input).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    input.extend_from_slice(b"\nNOOP\r\n");
    assert!(lines.decode(&mut input).is_err());
    lines.skip_line();
    assert_eq!(lines.decode(&mut input).ok(), Some(Some("NOOP".into())));

    input.extend_from_slice(b"much too long\r");
    assert!(lines.decode(&mut input).is_err());
    lines.skip_line();
    assert!(lines.decode_eof(&mut input).is_err());
    input.extend_from_slice(b"\nNOOP\r\n");
    assert_eq!(lines.decode(&mut input).ok(), Some(Some("NOOP".into())));
}

#[tokio::test]
async fn the_end_of_a_block_needs_no_further_octet() -> Result {
    let (mut frames, _open) = framed(b".\r\n.\r\n");
    for _ in 0..2 {
        let end = frames.next().await.ok_or("a frame")??;
        assert!(matches!(end, Frame::End(_)));
    }
    Ok(())
}

#[tokio::test]
async fn another_codec_gets_the_octets_after_a_block() -> Result {
    let (mut frames, _open) = framed(b"a\r\n.\r\n+OK bye\r\n.\r\n");
    let data = frames.next().await.ok_or("a frame")??;
    assert_eq!(data, Frame::Data("a\r\n".into()));
    assert!(matches!(frames.next().await, Some(Ok(Frame::End(_)))));
    let mut lines = frames.map_codec(|_| LineCodec::<512>::new());
    let line: Bytes = lines.next().await.ok_or("a line")??;
    assert_eq!(line, "+OK bye");
    let mut frames = lines.map_codec(|_| MultilineCodec::new(BareNewline::Reject));
    assert!(matches!(frames.next().await, Some(Ok(Frame::End(_)))));
    Ok(())
}

#[tokio::test]
async fn a_refused_message_is_never_joined_to_the_next() -> Result {
    let (mut frames, mut far) = framed(b"");
    frames.send(Chunk::Data(b"one\r")).await?;
    assert!(frames.send(Chunk::End).await.is_err());
    assert!(frames.send(Chunk::Data(b"\ntwo\r\n")).await.is_err());
    assert!(frames.send(Chunk::End).await.is_err());
    drop(frames);
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).await?;
    assert_eq!(wire, b"one\r", "truncated");
    Ok(())
}

#[tokio::test]
async fn a_refused_block_is_answered_and_the_next_command_read() -> Result {
    let (frames, mut far) = framed(b"too long\r\n.");
    let config = Config::smtp().max_octets(3);
    let mut frames = frames.map_codec(|_| MultilineCodec::with_config(BareNewline::Reject, config));
    assert!(matches!(frames.next().await, Some(Ok(Frame::Data(_)))));
    assert!(matches!(frames.next().await, Some(Err(_))));
    let mut parts = frames.into_parts();
    far.write_all(b"\r\nQUIT\r\n").await?;
    while parts.codec.skip_to_end(&mut parts.read_buf).is_none() {
        assert!(parts.io.read_buf(&mut parts.read_buf).await? > 0);
    }
    let mut lines = Framed::from_parts(parts).map_codec(|_| LineCodec::<512>::new());
    lines.send("552 too much mail data").await?;
    assert_eq!(lines.next().await.ok_or("a line")??, "QUIT");
    Ok(())
}

#[tokio::test]
async fn lines_end_at_crlf_only_and_within_their_maximum() -> Result {
    let (frames, far) = framed(b"a\nb\r\n\r\nmuch too long\r\nc\r\ncut");
    drop(far);
    let mut lines = frames.map_codec(|_| LineCodec::<8>::new());
    assert_eq!(lines.next().await.ok_or("a line")??, "a\nb");
    assert_eq!(lines.next().await.ok_or("a line")??, "");
    let error = lines.next().await.ok_or("an error")?.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(lines.next().await.is_none(), "as after every error");
    lines.codec_mut().skip_line();
    assert_eq!(lines.next().await.ok_or("a line")??, "c");
    let error = lines.next().await.ok_or("an error")?.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    Ok(())
}

#[tokio::test]
async fn a_line_to_send_is_one_line() -> Result {
    let (frames, mut far) = framed(b"");
    let mut lines = frames.map_codec(|_| LineCodec::<8>::new());
    for (refused, kind, offset) in [
        ("a\nb", EncodeErrorKind::LineEnd, 1),
        ("a\rb", EncodeErrorKind::LineEnd, 1),
        ("a\r\n", EncodeErrorKind::LineEnd, 1),
        ("1234567", EncodeErrorKind::LineTooLong, 6),
    ] {
        let error = lines.send(refused).await.unwrap_err().downcast();
        let error: EncodeError = error.map_err(|_| "another error")?;
        assert_eq!((error.kind(), error.offset()), (kind, offset));
    }
    let mut wire = BytesMut::new();
    assert!(LineCodec::<1>::new().encode("", &mut wire).is_err());
    assert_eq!(wire, "");
    lines.send("123456").await?;
    lines.send(&b""[..]).await?;
    drop(lines);
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).await?;
    assert_eq!(wire, b"123456\r\n\r\n");
    Ok(())
}

#[tokio::test]
async fn reads_go_on_skipping_after_a_dropped_skip() -> Result {
    use futures_util::FutureExt as _;
    use tokio::io::BufReader;

    let (frames, mut far) = framed(b"a");
    let stream = BufReader::new(frames.into_parts().io);
    let mut block = dot_stuffing::tokio::MultilineReader::new(stream);
    block.read_exact(&mut [0]).await?;
    assert!(block.skip_to_end().now_or_never().is_none());
    far.write_all(b"b\r\n.\r\nQUIT\r\n").await?;
    assert_eq!(block.read(&mut [0]).await?, 0);
    assert_eq!(block.finish()?.octets, 4);
    Ok(())
}

#[tokio::test]
async fn an_asynchronous_reader_leaves_what_follows_the_block() -> Result {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let (frames, mut far) = framed(b"too long\r\n.\r");
    let mut stream = BufReader::with_capacity(4, frames.into_parts().io);
    let config = Config::smtp().max_octets(3);
    let mut block = dot_stuffing::tokio::MultilineReader::with_config(&mut stream, config);
    let mut message = Vec::new();
    assert!(block.read_to_end(&mut message).await.is_err());
    assert_eq!(block.read_to_end(&mut message).await?, 0, "once");
    assert_eq!(message, b"too");
    far.write_all(b"\nQUIT\r\n").await?;
    block.skip_to_end().await?;
    assert_eq!(block.wire_octets(), 13);
    assert!(block.finish().is_err());
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    assert_eq!(line, "QUIT\r\n");

    drop(far);
    let mut block = dot_stuffing::tokio::MultilineReader::new(&mut stream);
    let error = block.skip_to_end().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    Ok(())
}

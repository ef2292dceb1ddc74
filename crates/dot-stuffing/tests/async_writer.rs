//! The writers for asynchronous sinks over ones that wait and fail.

#![cfg(feature = "tokio")]

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
};

use dot_stuffing::{BareNewline, EncodeError, tokio::MultilineWriter};
use futures_util::FutureExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// A writer collects this many octets and then sends them.
const FULL: usize = 16 * 1024;

/// Answers writes from a script, and then accepts everything.
#[derive(Default)]
struct Sink {
    script: VecDeque<Poll<Result<usize, ErrorKind>>>,
    wire: Vec<u8>,
    flushed: usize,
    closed: usize,
    /// The next flush or close fails.
    fails: bool,
}

impl Sink {
    fn new(script: impl IntoIterator<Item = Poll<Result<usize, ErrorKind>>>) -> Self {
        Self {
            script: script.into_iter().collect(),
            ..Self::default()
        }
    }

    fn fail_once(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.fails) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let scripted = self.script.pop_front();
        let written = scripted.unwrap_or(Poll::Ready(Ok(octets.len())));
        if let Poll::Ready(Ok(written)) = written {
            self.wire.extend_from_slice(&octets[..written]);
        }
        written.map_err(io::Error::from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed += 1;
        Poll::Ready(self.fail_once())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed += 1;
        Poll::Ready(self.fail_once())
    }
}

fn writer(sink: &mut Sink) -> MultilineWriter<&mut Sink> {
    MultilineWriter::new(sink, BareNewline::Canonicalize)
}

#[tokio::test]
async fn collects_writes_until_there_are_many_or_a_flush() -> io::Result<()> {
    let mut sink = Sink::default();
    let mut block = writer(&mut sink);
    block.write_all(b".a\n").await?;
    block.write_all(b".b\n").await?;
    assert_eq!(block.get_ref().wire, b"", "they are collected");
    block.flush().await?;
    assert_eq!(block.get_ref().wire, b"..a\r\n..b\r\n");
    assert_eq!(block.get_ref().flushed, 1);
    block.get_mut().wire.clear();
    let text = vec![b'x'; FULL];
    block.write_all(&text).await?;
    assert_eq!(block.get_ref().wire, b"", "they are collected");
    block.write_all(b"y").await?;
    assert_eq!(block.get_ref().wire, text);
    block.finish().await?;
    assert_eq!(sink.flushed, 2);
    assert_eq!(sink.wire[FULL..], b"y\r\n.\r\n"[..]);
    Ok(())
}

#[tokio::test]
async fn takes_no_more_than_it_can_collect_while_the_sink_waits() -> io::Result<()> {
    let mut sink = Sink::new([Poll::Ready(Ok(1)), Poll::Pending, Poll::Pending]);
    let mut block = writer(&mut sink);
    let message = vec![b'.'; FULL];
    assert_eq!(block.write(b".").await?, 1);
    assert_eq!(
        block.write(&message).await?,
        FULL - 2,
        "what there is room for"
    );
    // Dropped writes take nothing.
    for _ in 0..2 {
        assert!(block.write(b"lost\n").now_or_never().is_none());
    }
    block.write_all(b"kept").await?;
    block.finish().await?;
    let dots = vec![b'.'; FULL];
    assert_eq!(sink.wire, [&dots[..], b"kept\r\n.\r\n"].concat());
    Ok(())
}

#[tokio::test]
async fn sends_no_octet_twice_if_a_flush_is_dropped() -> io::Result<()> {
    let mut sink = Sink::new([Poll::Ready(Ok(2)), Poll::Pending, Poll::Ready(Ok(1))]);
    let mut block = writer(&mut sink);
    block.write_all(b"abcdef").await?;
    assert!(block.flush().now_or_never().is_none());
    assert_eq!(block.get_ref().wire, b"ab");
    block.write_all(b"g").await?;
    block.finish().await?;
    assert_eq!(sink.wire, b"abcdefg\r\n.\r\n");
    Ok(())
}

#[tokio::test]
async fn sends_no_terminator_after_a_failed_write() {
    for (then, kind) in [
        (Ok(0), ErrorKind::WriteZero),
        (Err(ErrorKind::BrokenPipe), ErrorKind::BrokenPipe),
    ] {
        // The sink accepts everything after the failure.
        let mut sink = Sink::new([Poll::Ready(Ok(3)), Poll::Ready(then)]);
        let mut block = writer(&mut sink);
        block.write_all(b"abcdef").await.expect("it is collected");
        let error = block.flush().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(block.write(b"g").await.is_err(), "it stays failed");
        assert!(block.flush().await.is_err(), "it stays failed");
        assert!(block.shutdown().await.is_err(), "it stays failed");
        let (error, sink) = block.finish().await.map(drop).unwrap_err().into_parts();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert_eq!(sink.wire, b"abc");
    }
}

#[tokio::test]
async fn sends_no_terminator_after_a_failed_flush_or_close() {
    for close in [false, true] {
        let mut sink = Sink {
            fails: true,
            ..Sink::default()
        };
        let mut block = writer(&mut sink);
        block.write_all(b"a").await.expect("it is collected");
        let failed = match close {
            true => block.shutdown().await,
            false => block.flush().await,
        };
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::StorageFull);
        assert!(block.write(b"b").await.is_err(), "it stays failed");
        assert!(block.finish().await.is_err(), "it stays failed");
        assert_eq!(sink.wire, b"a");
    }
}

#[tokio::test]
async fn reports_an_error_while_writing_the_terminator() {
    let mut sink = Sink::new([Poll::Ready(Ok(4)), Poll::Ready(Err(ErrorKind::BrokenPipe))]);
    let mut block = writer(&mut sink);
    block.write_all(b"a").await.expect("it is collected");
    let (error, sink) = block.finish().await.map(drop).unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(sink.wire, b"a\r\n.");
}

#[tokio::test]
async fn sends_nothing_that_the_encoder_refuses() {
    let mut strict = MultilineWriter::new(Vec::new(), BareNewline::Reject);
    let error = strict.write(b"a\nb").await.unwrap_err();
    assert!(error.downcast::<EncodeError>().is_ok());
    assert!(strict.flush().await.is_err(), "it stays failed");
    let (error, sink) = strict.finish().await.unwrap_err().into_parts();
    assert!(error.downcast::<EncodeError>().is_ok());
    assert_eq!(sink, b"");

    let mut strict = MultilineWriter::new(Vec::new(), BareNewline::Reject);
    strict.write_all(b"a\r").await.expect("an LF may follow");
    let error = strict.finish().await.unwrap_err();
    assert!(error.into_parts().0.downcast::<EncodeError>().is_ok());
}

#[tokio::test]
async fn closing_sends_what_is_collected_but_no_terminator() -> io::Result<()> {
    let mut sink = Sink::default();
    let mut block = writer(&mut sink);
    block.write_all(b".a\n").await?;
    block.shutdown().await?;
    assert_eq!((sink.closed, &sink.wire[..]), (1, &b"..a\r\n"[..]));

    use futures_util::AsyncWriteExt as _;
    let mut block =
        dot_stuffing::futures::MultilineWriter::new(Vec::new(), BareNewline::Canonicalize);
    block.write_all(b".a\n").await?;
    block.close().await?;
    assert_eq!(block.get_mut(), b"..a\r\n");
    assert_eq!(block.finish().await?, b"..a\r\n.\r\n");
    Ok(())
}

//! A reader and a writer of one block for the traits of futures-io, which async-std, smol and others use.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};

use crate::{
    BareNewline, Complete, Config, DecodeError, FinishError,
    poll::{self, PollReader},
    poll_writer::{self, PollWriter},
    reading::Reading,
};

/// Reads one multi-line block from an [`AsyncBufRead`]: returns the message without
/// the stuffed dots, then end of file.
///
/// It behaves as [`MultilineReader`](crate::MultilineReader) of `std`, also in its
/// errors: each is returned once, then the reader is at its end, and
/// [`finish`](Self::finish) repeats it. A dropped future of `read` or `fill_buf` loses
/// no octet; one of `read_line` or `read_exact` may have taken some.
///
/// ```
/// use dot_stuffing::futures::MultilineReader;
/// use futures_util::{AsyncReadExt, FutureExt};
///
/// let mut stream = &b"a\r\n..b\r\n.\r\n+OK next\r\n"[..];
/// let mut reader = MultilineReader::new(&mut stream);
/// let mut message = Vec::new();
/// reader.read_to_end(&mut message).now_or_never().unwrap()?;
/// assert_eq!(reader.finish()?.octets, 7);
/// assert_eq!(message, b"a\r\n.b\r\n");
/// assert_eq!(stream, b"+OK next\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineReader<R>(PollReader<R>);

poll::methods!();

impl<R: AsyncBufRead + Unpin> AsyncRead for MultilineReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let data = ready!(self.as_mut().poll_fill_buf(context))?;
        let octets = data.len().min(into.len());
        into[..octets].copy_from_slice(&data[..octets]);
        self.consume(octets);
        Poll::Ready(Ok(octets))
    }
}

/// Writes one message as a multi-line block to an [`AsyncWrite`].
///
/// It behaves as [`MultilineWriter`](crate::MultilineWriter) of `std`, also in its
/// errors, but collects up to 16 KiB of all writes. They are sent by a later write,
/// `flush` or [`finish`](Self::finish), so the inner writer needs no buffer. A dropped
/// future of `write` or `flush` loses no octet, and none is sent twice; after one of
/// `write_all`, it is unknown how much was taken.
///
/// Only `finish` writes the terminator: after `close` or drop, the reader sees a
/// truncated message.
///
/// ```
/// use dot_stuffing::{BareNewline, futures::MultilineWriter};
/// use futures_util::{AsyncWriteExt, FutureExt};
///
/// let mut block = MultilineWriter::new(Vec::new(), BareNewline::Canonicalize);
/// block.write_all(b".signature\n").now_or_never().unwrap()?;
/// assert_eq!(block.finish().now_or_never().unwrap()?, b"..signature\r\n.\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineWriter<W>(PollWriter<W>);

poll_writer::methods!(poll_close);

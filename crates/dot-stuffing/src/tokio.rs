//! The reader of one block for the traits of tokio.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Complete, Config, DecodeError, poll::PollReader, reading::Reading};

/// Reads one multi-line block from an [`AsyncBufRead`]: returns the message without
/// the stuffed dots, then end of file.
///
/// It behaves as [`MultilineReader`](crate::MultilineReader) of `std`, also in its
/// errors: each is returned once, then the reader is at its end, and
/// [`finish`](Self::finish) repeats it. No octet is lost if a future is dropped.
///
/// ```
/// use dot_stuffing::tokio::MultilineReader;
/// use tokio::io::AsyncReadExt;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut stream = &b"a\r\n..b\r\n.\r\n+OK next\r\n"[..];
/// let mut reader = MultilineReader::new(&mut stream);
/// let mut message = Vec::new();
/// reader.read_to_end(&mut message).await?;
/// assert_eq!(reader.finish()?.octets, 7);
/// assert_eq!(message, b"a\r\n.b\r\n");
/// assert_eq!(stream, b"+OK next\r\n");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MultilineReader<R>(PollReader<R>);

impl<R> MultilineReader<R> {
    /// Reads a block that begins at the next octet of `inner`.
    pub const fn new(inner: R) -> Self {
        Self::with_config(inner, Config::new())
    }

    /// Reads a block that begins at the next octet of `inner`, with policies and
    /// limits.
    pub const fn with_config(inner: R, config: Config) -> Self {
        Self(PollReader {
            inner,
            reading: Reading::new(config),
        })
    }

    /// Returns the proof that the block was read to its end.
    ///
    /// # Errors
    ///
    /// As [`MultilineDecoder::finish`](crate::MultilineDecoder::finish); also
    /// `Truncated` if the block is not yet read to its end.
    pub const fn finish(&self) -> Result<Complete, DecodeError> {
        self.0.reading.finish()
    }

    /// Returns the inner reader. Octets read from it are missing in the block.
    pub const fn get_ref(&self) -> &R {
        &self.0.inner
    }

    /// Returns the inner reader. Octets read from it are missing in the block.
    pub const fn get_mut(&mut self) -> &mut R {
        &mut self.0.inner
    }

    /// Returns the inner reader. If the block was read to its end, the next octet
    /// is the one after it; otherwise it is somewhere in the block.
    pub fn into_inner(self) -> R {
        self.0.inner
    }
}

impl<R: AsyncBufRead + Unpin> MultilineReader<R> {
    /// Reads and drops the rest of the block, even after an error of the decoder, so
    /// that the next octet of the inner reader is the one after the block.
    ///
    /// See [`MultilineDecoder::skip_to_end`](crate::MultilineDecoder::skip_to_end).
    /// [`finish`](Self::finish) then returns the error, if there was one. If the
    /// future is dropped, call this again.
    ///
    /// # Errors
    ///
    /// Those of the inner reader, and `UnexpectedEof` if the input ends before the
    /// block.
    pub async fn skip_to_end(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            self.0
                .poll_skip_to_end(context, R::poll_fill_buf, R::consume)
        })
        .await
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for MultilineReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = &mut self.get_mut().0;
        reader.poll_fill_buf(context, R::poll_fill_buf, R::consume)
    }

    fn consume(self: Pin<&mut Self>, octets: usize) {
        self.get_mut().0.consume(octets, R::consume);
    }
}

impl<R: AsyncBufRead + Unpin> AsyncRead for MultilineReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let data = ready!(self.as_mut().poll_fill_buf(context))?;
        let octets = data.len().min(into.remaining());
        into.put_slice(&data[..octets]);
        self.consume(octets);
        Poll::Ready(Ok(()))
    }
}

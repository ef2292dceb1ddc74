//! The writer of `io.rs` for asynchronous sinks. The modules `tokio` and `futures` put
//! it behind the traits of these crates.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::{BareNewline, writing::Writing};

/// `poll_write` of a trait.
pub(crate) type Write<W> = for<'a, 'c, 'w, 'o> fn(
    Pin<&'a mut W>,
    &'c mut Context<'w>,
    &'o [u8],
) -> Poll<io::Result<usize>>;

/// `poll_flush` of a trait, or its method that closes the sink.
pub(crate) type Flush<W> =
    for<'a, 'c, 'w> fn(Pin<&'a mut W>, &'c mut Context<'w>) -> Poll<io::Result<()>>;

/// The number of octets that are collected before they are sent.
const FULL: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct PollWriter<W> {
    pub(crate) inner: W,
    pub(crate) writing: Writing,
    /// Octets of the buffer that are sent.
    sent: usize,
}

impl<W> PollWriter<W> {
    pub(crate) const fn new(inner: W, newline: BareNewline) -> Self {
        Self {
            inner,
            writing: Writing::new(newline),
            sent: 0,
        }
    }
}

impl<W: Unpin> PollWriter<W> {
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        message: &[u8],
        write: Write<W>,
    ) -> Poll<io::Result<usize>> {
        self.writing.check()?;
        if self.writing.buffer.len() >= FULL {
            ready!(self.poll_send(context, write))?;
        }
        let octets = message.len().min(FULL - self.writing.buffer.len());
        let collected = self.writing.collect(&message[..octets]);
        let collected = collected.map(|()| octets).map_err(io::Error::from);
        Poll::Ready(self.writing.note(collected))
    }

    /// Sends what is collected, and calls `flush` on the sink.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
        write: Write<W>,
        flush: Flush<W>,
    ) -> Poll<io::Result<()>> {
        self.writing.check()?;
        ready!(self.poll_send(context, write))?;
        let flushed = ready!(flush(Pin::new(&mut self.inner), context));
        Poll::Ready(self.writing.note(flushed))
    }

    fn poll_send(&mut self, context: &mut Context<'_>, write: Write<W>) -> Poll<io::Result<()>> {
        while self.sent < self.writing.buffer.len() {
            let rest = &self.writing.buffer[self.sent..];
            let written = match ready!(write(Pin::new(&mut self.inner), context, rest)) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                written => written,
            };
            self.sent += self.writing.note(written)?;
        }
        self.writing.buffer.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

/// The methods of `MultilineWriter`, and `AsyncWrite` for it, in a module that imports
/// this trait of its crate. `$close` is the method of the trait that closes.
macro_rules! methods {
    ($close:ident) => {
        impl<W: AsyncWrite + Unpin> MultilineWriter<W> {
            /// Writes a block to `inner`.
            pub const fn new(inner: W, newline: BareNewline) -> Self {
                Self(PollWriter::new(inner, newline))
            }

            /// Writes the terminator, flushes, and returns the inner writer.
            ///
            /// If the future is dropped, it is unknown whether the block has its
            /// terminator: close the connection.
            ///
            /// # Errors
            ///
            /// Those of the inner writer and of
            /// [`MultilineEncoder::finish`](crate::MultilineEncoder::finish), and one that
            /// says that an earlier write or flush failed, with the inner writer. Then the
            /// block has no terminator, or it is unknown whether it has one: close the
            /// connection. Octets that were collected may not be sent.
            pub async fn finish(mut self) -> Result<W, FinishError<W>> {
                let mut end = self.0.writing.end();
                if end.is_ok() {
                    end = poll_fn(|context| Pin::new(&mut self).poll_flush(context)).await;
                }
                match end {
                    Ok(()) => Ok(self.0.inner),
                    Err(error) => Err(FinishError::new(self.0.inner, error)),
                }
            }

            /// Returns the inner writer.
            pub const fn get_ref(&self) -> &W {
                &self.0.inner
            }

            /// Returns the inner writer. Octets written to it become part of the block, and
            /// precede those that are not flushed.
            pub const fn get_mut(&mut self) -> &mut W {
                &mut self.0.inner
            }
        }

        impl<W: AsyncWrite + Unpin> AsyncWrite for MultilineWriter<W> {
            /// Encodes a part of `message`, after the octets collected before are sent if
            /// they are many.
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                message: &[u8],
            ) -> Poll<io::Result<usize>> {
                let writer = &mut self.get_mut().0;
                writer.poll_write(context, message, W::poll_write)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                let writer = &mut self.get_mut().0;
                writer.poll_flush(context, W::poll_write, W::poll_flush)
            }

            /// Sends what is collected and closes the inner writer, without a terminator.
            fn $close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                let writer = &mut self.get_mut().0;
                writer.poll_flush(context, W::poll_write, W::$close)
            }
        }
    };
}
pub(crate) use methods;

//! The reader of `io.rs` for asynchronous sources. The modules `tokio` and `futures`
//! put it behind the traits of these crates.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::reading::Reading;

/// `poll_fill_buf` of a trait.
pub(crate) type Fill<R> =
    for<'a, 'c, 'w> fn(Pin<&'a mut R>, &'c mut Context<'w>) -> Poll<io::Result<&'a [u8]>>;

/// `consume` of a trait.
pub(crate) type Consume<R> = for<'a> fn(Pin<&'a mut R>, usize);

#[derive(Debug)]
pub(crate) struct PollReader<R> {
    pub(crate) inner: R,
    pub(crate) reading: Reading,
}

impl<R: Unpin> PollReader<R> {
    pub(crate) fn poll_fill_buf(
        &mut self,
        context: &mut Context<'_>,
        fill: Fill<R>,
        consume: Consume<R>,
    ) -> Poll<io::Result<&[u8]>> {
        while self.reading.needs_input() {
            let buffer = ready!(fill(Pin::new(&mut self.inner), context))?;
            let consumed = self.reading.decode(buffer)?;
            consume(Pin::new(&mut self.inner), consumed);
        }
        if let Some(octets) = self.reading.constant() {
            return Poll::Ready(Ok(octets));
        }
        let buffer = ready!(fill(Pin::new(&mut self.inner), context))?;
        Poll::Ready(self.reading.data(buffer))
    }

    pub(crate) fn consume(&mut self, octets: usize, consume: Consume<R>) {
        let consumed = self.reading.consume(octets);
        consume(Pin::new(&mut self.inner), consumed);
    }

    pub(crate) fn poll_skip_to_end(
        &mut self,
        context: &mut Context<'_>,
        fill: Fill<R>,
        consume: Consume<R>,
    ) -> Poll<io::Result<()>> {
        while !self.reading.skips_to_end() {
            let buffer = ready!(fill(Pin::new(&mut self.inner), context))?;
            let skipped = self.reading.skip(buffer)?;
            consume(Pin::new(&mut self.inner), skipped);
        }
        Poll::Ready(Ok(()))
    }
}

/// The methods of `MultilineReader`, and `AsyncBufRead` for it, in a module that
/// imports this trait of its crate.
macro_rules! methods {
    () => {
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

            /// The octets of the block decoded or skipped so far, on the wire.
            pub const fn wire_octets(&self) -> u64 {
                self.0.reading.wire_octets()
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
            /// future is dropped, call this again; other methods that read also first skip
            /// the rest.
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
            fn poll_fill_buf(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<&[u8]>> {
                let reader = &mut self.get_mut().0;
                reader.poll_fill_buf(context, R::poll_fill_buf, R::consume)
            }

            fn consume(self: Pin<&mut Self>, octets: usize) {
                self.get_mut().0.consume(octets, R::consume);
            }
        }
    };
}
pub(crate) use methods;

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
        consume(Pin::new(&mut self.inner), self.reading.abandon());
        while !self.reading.is_past_the_end() {
            let buffer = ready!(fill(Pin::new(&mut self.inner), context))?;
            let skipped = self.reading.skip(buffer)?;
            consume(Pin::new(&mut self.inner), skipped);
        }
        Poll::Ready(Ok(()))
    }
}

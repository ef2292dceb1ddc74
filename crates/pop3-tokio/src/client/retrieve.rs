//! Retrieves messages into a sink.

use core::fmt;

use dot_stuffing::Complete;
use pop3_proto::{
    Command, MessageNumber,
    client::{Event, Request, Retrieved, Session},
};

use super::{Error, Refusal, driver::Call, refusal::Words};

/// Receives messages. For each message, in order, its methods are called:
/// [`begin`](Self::begin), [`data`](Self::data) for each piece, and
/// [`end`](Self::end); or only [`refused`](Self::refused).
///
/// They are called between two reads, so a method that blocks for long should pass
/// its work to another thread. An error stops the retrieval.
///
/// A message is complete only if `end` is called for it.
pub trait Sink {
    /// The error of the sink.
    type Error;

    /// Begins a message. `announced` is the number at the start of the server's
    /// reply, which is often, but not always, the size in octets.
    ///
    /// # Errors
    ///
    /// Any; it stops the retrieval.
    fn begin(&mut self, number: MessageNumber, announced: Option<u64>) -> Result<(), Self::Error>;

    /// Receives decoded octets of the message: a slice of the read buffer of at
    /// most 16 KiB.
    ///
    /// # Errors
    ///
    /// Any; it stops the retrieval.
    fn data(&mut self, octets: &[u8]) -> Result<(), Self::Error>;

    /// Ends a complete message. Once it is stored, `retrieved` is the proof that
    /// [`delete`](super::Client::delete) requires.
    ///
    /// # Errors
    ///
    /// Any; it stops the retrieval.
    fn end(&mut self, retrieved: Retrieved, complete: Complete) -> Result<(), Self::Error>;

    /// The server refused this message. The other messages follow.
    ///
    /// # Errors
    ///
    /// Any; it stops the retrieval.
    fn refused(&mut self, number: MessageNumber, refusal: Refusal) -> Result<(), Self::Error>;
}

/// The result of a retrieval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrieval {
    /// The number of complete messages.
    pub messages: u64,
    /// The decoded octets of these messages.
    pub octets: u64,
    /// The number of lines from which a dot was removed.
    pub stuffed_lines: u64,
    /// The number of messages that the server refused.
    pub refused: u64,
}

/// Why a retrieval stopped.
#[derive(Debug)]
pub enum RetrieveError<E> {
    /// The client failed.
    Client(Error),
    /// The sink failed. Replies are still outstanding, so this connection cannot be
    /// used any more.
    Sink(E),
}

impl<E> From<Error> for RetrieveError<E> {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl<E: fmt::Display> fmt::Display for RetrieveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(f),
            Self::Sink(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for RetrieveError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Client(error) => error.source(),
            Self::Sink(error) => error.source(),
        }
    }
}

/// RETR of several messages, in order.
pub(super) struct Retrieve<'s, S, I> {
    sink: &'s mut S,
    numbers: I,
    /// The number of commands without a complete reply, and its maximum.
    outstanding: usize,
    most: usize,
    total: Retrieval,
}

impl<'s, S, I: Iterator<Item = MessageNumber>> Retrieve<'s, S, core::iter::Fuse<I>> {
    pub(super) fn new(sink: &'s mut S, numbers: I, most: usize) -> Self {
        Self {
            sink,
            numbers: numbers.fuse(),
            outstanding: 0,
            most,
            total: Retrieval::default(),
        }
    }
}

impl<S: Sink, I: Iterator<Item = MessageNumber>> Call for Retrieve<'_, S, I> {
    type Output = Retrieval;
    type Error = RetrieveError<S::Error>;

    fn next(
        &mut self,
        session: &mut Session,
        now: std::time::Instant,
    ) -> Result<Option<Retrieval>, Self::Error> {
        // Send half a window at a time, so that one packet has many commands.
        if self.outstanding <= self.most / 2 {
            while self.outstanding < self.most
                && let Some(number) = self.numbers.next()
            {
                let command = Command::Retr(number);
                session.enqueue(now, &command).map_err(Error::Command)?;
                self.outstanding += 1;
            }
        }
        Ok((self.outstanding == 0).then_some(self.total))
    }

    fn event(
        &mut self,
        event: Event<'_>,
        words: Words<'_>,
    ) -> Result<Option<Retrieval>, Self::Error> {
        match event {
            Event::Data(octets) => self.sink.data(octets),
            Event::Status(reply) => match reply.request {
                Request::Retr(number) if reply.is_positive() => {
                    // The first line may contain a line of the message.
                    if reply.status.has_bare_lf() {
                        return Err(Error::BareLf(number).into());
                    }
                    self.sink.begin(number, leading_number(reply.status.text()))
                }
                Request::Retr(number) => {
                    self.outstanding -= 1;
                    self.total.refused += 1;
                    self.sink.refused(number, Refusal::of(&reply, words))
                }
                _ => Ok(()),
            },
            Event::End(end) => {
                self.outstanding -= 1;
                self.total.messages += 1;
                self.total.octets += end.complete.octets;
                self.total.stuffed_lines += end.complete.stuffed_lines;
                match end.retrieved {
                    Some(retrieved) => self.sink.end(retrieved, end.complete),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
        .map_err(RetrieveError::Sink)?;
        Ok(None)
    }
}

/// The leading number of a text such as `120 octets`.
fn leading_number(text: &[u8]) -> Option<u64> {
    let word = text.split(|octet| *octet == b' ').next()?;
    let digits = word.iter().all(u8::is_ascii_digit);
    let number = core::str::from_utf8(word).ok()?.parse().ok();
    number.filter(|_| digits)
}

/// TOP of one message.
pub(super) struct Top<F>(pub(super) F);

impl<E, F: FnMut(&[u8]) -> Result<(), E>> Call for Top<F> {
    type Output = Complete;
    type Error = RetrieveError<E>;

    fn event(
        &mut self,
        event: Event<'_>,
        words: Words<'_>,
    ) -> Result<Option<Complete>, RetrieveError<E>> {
        match event {
            Event::Data(octets) => (self.0)(octets).map_err(RetrieveError::Sink)?,
            Event::Status(reply) if !reply.is_positive() => {
                return Err(Error::Refused(Refusal::of(&reply, words)).into());
            }
            Event::End(end) => return Ok(Some(end.complete)),
            _ => {}
        }
        Ok(None)
    }
}

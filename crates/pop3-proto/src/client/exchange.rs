//! Commands and the handling of their replies, separate from I/O.

use std::time::Instant;

use super::{Event, Session};

/// A client's part of a session: the next commands, and the handling of replies. A
/// driver owns socket and clock and calls these methods, so that the same exchange
/// runs over a socket and in a test.
///
/// The driver calls [`next`](Self::next) before each wait for octets, and
/// [`event`](Self::event) for each [`Event`] of the session, in order.
pub trait Exchange {
    /// The result.
    type Output;
    /// The error that stops it. Replies may still be outstanding then, so the
    /// connection cannot be used any more.
    type Error;

    /// Queues the next commands. Returns `Some` if the exchange is done.
    ///
    /// # Errors
    ///
    /// Any; it stops the exchange.
    fn next(
        &mut self,
        session: &mut Session,
        now: Instant,
    ) -> Result<Option<Self::Output>, Self::Error>;

    /// Handles an event.
    ///
    /// # Errors
    ///
    /// Any; it stops the exchange.
    fn event(&mut self, event: Event<'_>) -> Result<(), Self::Error>;
}

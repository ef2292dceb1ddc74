//! Commands and what their replies mean, apart from who moves the octets.

use std::time::Instant;

use super::{Event, Session};

/// A client's part of a session: which commands come next, and what is done
/// with the replies. A driver owns socket and clock and calls these two by
/// turns, so that the same exchange runs over a socket and in a test.
///
/// [`next`](Self::next) before each wait for octets, and
/// [`event`](Self::event) for each [`Event`] of the session, in order.
pub trait Exchange {
    /// What it comes to.
    type Output;
    /// Why it stops. Replies may still be due then, so that the connection is
    /// of no more use.
    type Error;

    /// Puts commands into the queue, as many as should wait now. `Some` if all
    /// is done.
    ///
    /// # Errors
    ///
    /// Any; it stops the exchange.
    fn next(
        &mut self,
        session: &mut Session,
        now: Instant,
    ) -> Result<Option<Self::Output>, Self::Error>;

    /// Takes an event.
    ///
    /// # Errors
    ///
    /// Any; it stops the exchange.
    fn event(&mut self, event: Event<'_>) -> Result<(), Self::Error>;
}

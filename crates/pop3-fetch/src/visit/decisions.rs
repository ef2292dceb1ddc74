//! The decisions of a fetch, apart from their execution.
//!
//! The octets after RETR may be the message, a part of it, the message and another
//! one, or only another one: a dot that the server did not stuff ends a message
//! early, a missing terminator joins two messages, and a server may mix up the
//! replies to pipelined commands. POP3 has no checksum. The client knows only the
//! size in LIST, the form of the replies, and the reply to STAT while the session
//! is in step (see [`Total`]). So:
//!
//! 1. A message is *kept*, but not yet recorded, if its size
//!    [fits](Decisions::fits).
//! 2. Kept messages count only after a *witness*: a reply to STAT that is the same
//!    as before the first message. Until then nothing is recorded.
//! 3. A message that does not fit is discarded. So are the messages kept since the
//!    last witness, and all others in the same window, because replies may have
//!    been confused. After the witness the message is retrieved once more, alone:
//!    no other command awaits a reply, and the next command is the witness.
//! 4. If the message then fits, pipelining caused the misfit. If it still does not
//!    fit, the way in which the server counts line ends may
//!    [explain](Decisions::alone) it; otherwise the message stays on the server,
//!    and the user gets a report.
//!
//! Each decision is a method, so that tests can replace it with a wrong one and
//! show that the simulation finds it.

use pop3_proto::MessageNumber;

use crate::{Received, Reckoning, Sizes, Total};

/// The decisions of a fetch. [`Careful`] uses the default of each.
pub trait Decisions {
    /// Whether a message may be kept until the witness. `any_size`: the user
    /// accepts messages of any size.
    fn fits(&self, message: &Received, sizes: &Sizes<'_>, any_size: bool) -> bool {
        sizes.explain(message) || (any_size && message.octets > 0)
    }

    /// Whether the session is in step, judged by the replies to STAT `before` the
    /// first message and `now`.
    fn is_witness(&self, before: &Total, now: &Total) -> bool {
        before == now
    }

    /// Whether kept messages are recorded only after a witness.
    fn waits_for_witness(&self) -> bool {
        true
    }

    /// The most messages between two witnesses.
    ///
    /// The first is one message, and each is twice the `last`, so that a message on
    /// which the server always breaks off costs the others little. Where the sizes in
    /// LIST say nothing, each message needs its own witness: otherwise a reply that
    /// is sent twice counts as the reply to the next RETR, if that gets none.
    fn messages_to_a_witness(&self, last: usize, sizes_say_nothing: bool) -> usize {
        match sizes_say_nothing {
            true => 1,
            false => (2 * last).min(128),
        }
    }

    /// The way of counting octets that explains the size of a message retrieved
    /// alone; `None` if the message is in doubt.
    fn alone(&self, message: &Received, sizes: &Sizes<'_>) -> Option<Reckoning> {
        sizes.teach(message)
    }

    /// Sorts the messages in the order of their DELEs: from the highest number
    /// down, so that a server that renumbers after each DELE deletes no other
    /// message.
    fn order_deletions(&self, numbers: &mut [MessageNumber]) {
        numbers.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Whether messages are recorded as deleted before the reply to QUIT.
    fn trusts_dele(&self) -> bool {
        false
    }

    /// Whether a fetch that leaves messages on the server still counts as a
    /// success.
    fn forgives(&self) -> bool {
        false
    }
}

/// The default decisions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Careful;

impl Decisions for Careful {}

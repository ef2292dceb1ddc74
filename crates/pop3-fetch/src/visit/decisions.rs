//! What a fetch decides, apart from how it is done.
//!
//! Octets that come after RETR may be the message, a part of it, it and another
//! one, or another one: a first dot that was not stuffed ends it early, a missing
//! terminator joins two, replies to pipelined commands may be mixed. POP3 has no
//! checksum. Known are the size that LIST gave, the shape of the replies, and what
//! STAT says while the session is in step: see [`Total`]. So:
//!
//! 1. A message is *kept*, not yet recorded, if its size [fits](Decisions::fits).
//! 2. What is kept counts only after a *witness*: STAT, answered as it was before
//!    the first message. Until then nothing is recorded.
//! 3. A message that does not fit is thrown away. So is what was kept since the
//!    last witness, and what comes in the same window until all replies are
//!    there, for replies may have been taken for others. After the witness it is asked for once more, alone: no command is on its way
//!    beside it, and the next one is the witness.
//! 4. What then fits was spoilt by pipelining. What does not fit may be
//!    [explained](Decisions::alone) by how the server counts line ends; else it
//!    stays on the server, and the user is told.
//!
//! Each decision is a method, so that a test can show that a wrong one is found.

use pop3_proto::MessageNumber;

use crate::{Received, Reckoning, Sizes, Total};

/// The decisions of a fetch. [`Careful`] takes them all as they are here.
pub trait Decisions {
    /// Whether a message may be kept until the witness. `any_size`: the user wants
    /// what has another size than its own, too.
    fn fits(&self, message: &Received, sizes: &Sizes<'_>, any_size: bool) -> bool {
        sizes.explain(message) || (any_size && message.octets > 0)
    }

    /// Whether the session is in step, by what STAT said before the first message
    /// and says now.
    fn is_witness(&self, before: &Total, now: &Total) -> bool {
        before == now
    }

    /// Whether what is kept has to wait for a witness before it is recorded.
    fn waits_for_witness(&self) -> bool {
        true
    }

    /// Messages between two witnesses, at most.
    ///
    /// First one, then twice as many each time: a message on which the server
    /// always breaks off costs the others little. Where sizes say nothing, each
    /// message needs its own.
    fn messages_to_a_witness(&self, last: usize, any_size: bool) -> usize {
        match any_size {
            true => 1,
            false => (2 * last).clamp(1, 128),
        }
    }

    /// How the server counts, if that explains the size of a message that was
    /// asked for alone; `None` if it is in doubt.
    fn alone(&self, message: &Received, sizes: &Sizes<'_>) -> Option<Reckoning> {
        sizes.teach(message)
    }

    /// Puts the messages into the order of their DELEs: from the highest number
    /// down, so that a server that numbers anew at each DELE deletes no other.
    fn order_deletions(&self, numbers: &mut [MessageNumber]) {
        numbers.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Whether messages are recorded as deleted before QUIT is answered.
    fn trusts_dele(&self) -> bool {
        false
    }

    /// Whether a message that was delivered in an earlier session may be deleted
    /// though its size is another now.
    fn deletes_what_changed(&self) -> bool {
        false
    }

    /// Whether a fetch that leaves messages behind is a success all the same.
    fn forgives(&self) -> bool {
        false
    }
}

/// The decisions as they should be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Careful;

impl Decisions for Careful {}

//! Reference models: naive, whole-buffer, short enough to be read in one go,
//! and without a dependency on what they judge.

mod block;
mod command;
mod inspect;
mod line;
mod maildrop;
mod message;
mod reply;
mod rfc1939;

pub use block::{Fault, Outcome, Rules, Transcript, decode};
pub use command::command;
pub use inspect::{Finding, Inspection, inspect};
pub use line::{LineEvent, Lines, lines};
pub use maildrop::{Answer, Maildrop, NAME, PASSWORD, PLAIN};
pub use message::{Newline, Refusal, canonical, encode, first_end_for_any_reader};
pub use reply::{
    Awaited, Reply, ReplyFault, drop_listing, ends_exchange, replies, scan_listing, status,
    timestamp, unique_id_listing,
};
pub use rfc1939::rfc1939;

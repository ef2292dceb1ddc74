//! Reference models: simple, for the whole input at once, and independent of the
//! code that they judge.

mod block;
mod inspect;
mod line;
mod message;
mod rfc1939;

pub use block::{Fault, Outcome, Rules, Transcript, decode};
pub use inspect::{Finding, Inspection, inspect};
pub use line::{LineEvent, Lines, lines};
pub use message::{Newline, Refusal, canonical, encode, first_end_for_any_reader};
pub use rfc1939::rfc1939;

//! Reference models: simple, for the whole input at once, and independent of the
//! code that they judge.

mod block;
mod client;
mod command;
mod inspect;
mod line;
mod message;
mod reply;
mod rfc1939;
mod server;

pub use block::{Fault, Outcome, Rules, Transcript, decode};
pub use client::{Dialogue, Limits, Scenario, client, is_multiline};
pub use command::command;
pub use inspect::{Finding, Inspection, inspect};
pub use line::{LineEvent, Lines, lines};
pub use message::{Newline, Refusal, canonical, encode, first_end_for_any_reader};
pub use reply::{
    Awaited, Reply, ReplyFault, drop_listing, ends_exchange, replies, scan_listing, status,
    timestamp, unique_id_listing,
};
pub use rfc1939::rfc1939;
pub use server::{
    Answer, CHALLENGES, END_OF_FLIGHT, Ended, IMPLEMENTATION, LOGIN_DELAY, MORE, NAME, PASSWORD,
    PLAIN, Server, Setup, TIMESTAMP, account,
};

//! Reference models: simple, for the whole input at once, and independent of the
//! code that they judge.

mod client;
mod command;
mod reply;
mod server;

pub use client::{Dialogue, Limits, Scenario, client, is_multiline};
pub use command::command;
pub use reply::{
    Awaited, Reply, ReplyFault, drop_listing, ends_exchange, replies, scan_listing, status,
    timestamp, unique_id_listing,
};
pub use server::{
    Answer, CHALLENGES, END_OF_FLIGHT, Ended, IMPLEMENTATION, LOGIN_DELAY, MORE, NAME, PASSWORD,
    PLAIN, Server, Setup, TIMESTAMP, account,
};

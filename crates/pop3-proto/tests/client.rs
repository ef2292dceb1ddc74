//! The client's session against scripted servers.

#[path = "client/dele.rs"]
mod dele;
#[path = "client/harness.rs"]
mod harness;
#[path = "client/index.rs"]
mod index;
#[path = "client/limits.rs"]
mod limits;
#[path = "client/listings.rs"]
mod listings;
#[path = "client/login.rs"]
mod login;
#[path = "client/pending.rs"]
mod pending;
#[path = "client/pipelining.rs"]
mod pipelining;
#[path = "client/plain_lines.rs"]
mod plain_lines;
#[path = "client/replies.rs"]
mod replies;
#[path = "client/sasl.rs"]
mod sasl;
#[path = "client/stls.rs"]
mod stls;
#[path = "client/timers.rs"]
mod timers;

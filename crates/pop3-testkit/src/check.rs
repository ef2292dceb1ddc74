//! Properties, as plain functions that panic if the property does not hold. Fuzz
//! targets, property tests and corpus tests call the same functions, on our code or
//! on a known bug.

mod duplex;
mod session;
mod syntax;

pub use duplex::duplex;
pub use session::{
    Due, client_is_over, client_session, due_replies, server_is_over, server_session,
};
pub use syntax::{command, reply, reply_is_sound, response};

//! Properties, as plain functions that panic if the property does not hold. Fuzz
//! targets, property tests and corpus tests call the same functions, on our code or
//! on a known bug.

mod audit;
mod check_server;
mod decode;
mod duplex;
mod encode;
mod line;
mod session;
mod syntax;

pub use audit::audit_client;
pub use check_server::check_server;
pub use decode::{block, inspection, multiline_decode, multiline_decode_sampled};
pub use duplex::duplex;
pub use encode::{multiline_roundtrip, multiline_roundtrip_sampled};
pub use line::{line, line_sampled};
pub use session::{
    Due, client_is_over, client_session, due_replies, server_is_over, server_session,
};
pub use syntax::{command, reply, reply_is_sound, response};

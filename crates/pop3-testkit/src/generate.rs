//! Inputs that reach the edges, for fuzzers and property tests alike.

mod octets;
mod scenario;
mod script;
mod session;
mod syntax;

pub use octets::{EDGES, Octets, fuzz_input, octets, shown};
pub use scenario::scenario;
pub use script::{Op, Script, scripts};
pub use session::{client_sessions, server_sessions};
pub use syntax::{command_lines, reply_lines, responses};

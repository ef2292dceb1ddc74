//! Generators of input that reaches edge cases, for fuzz targets and property
//! tests.

mod scenario;
mod script;
mod session;
mod syntax;

pub use scenario::scenario;
pub use script::{Op, Script, scripts};
pub use session::{client_sessions, server_sessions};
pub use syntax::{command_lines, reply_lines, responses};

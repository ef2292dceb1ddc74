//! For each statement and each side that it binds, ways to break it: our own
//! session, with what it reads or sends changed.

pub(crate) mod client;
pub(crate) mod server;

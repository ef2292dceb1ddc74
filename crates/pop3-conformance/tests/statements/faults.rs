//! Ways to break each statement on each side that it binds: our own session,
//! with changes to what it reads or sends.

pub(crate) mod client;
pub(crate) mod server;

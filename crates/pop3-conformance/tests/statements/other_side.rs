//! How our side reacts when the other side does not comply, or complies in a
//! rare way.

mod commands;
mod listings;
mod replies;
mod unique_ids;

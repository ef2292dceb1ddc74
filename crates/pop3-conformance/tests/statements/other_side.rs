//! What our side of the connection makes of it when the other does not comply, or
//! complies in a way that few do.

mod commands;
mod listings;
mod replies;
mod unique_ids;

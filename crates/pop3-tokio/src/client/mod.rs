//! The client: connects, logs in, fetches and deletes.

//! Tests of the server as clients see it: over loopback sockets.

mod drive;
mod limits;
mod login;
#[cfg(unix)]
mod maildir;
mod sessions;
#[cfg(unix)]
mod sizes;
mod stopping;
mod tls;
mod users;

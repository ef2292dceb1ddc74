//! The server as clients meet it: sockets on loopback, one octet after the
//! other.

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

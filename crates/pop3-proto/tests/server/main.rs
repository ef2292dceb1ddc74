//! `pop3_proto::server`: what RFC 1939 and its extensions say, and the edges.

mod drive;
mod international;
mod limits;
mod login;
mod maildrop;
mod sasl;
mod stls;

//! Tests of `pop3_proto::server`: the rules of RFC 1939 and its extensions, and
//! edge cases.

mod drive;
mod international;
mod limits;
mod login;
mod maildrop;
mod sasl;
mod stls;

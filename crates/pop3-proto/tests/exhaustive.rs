//! Every session of a few events, where the properties draw some of many.
//!
//! `cargo xtask exhaustive` goes one event further.

use std::env;

use pop3_testkit::{explore, view};

/// Events beyond those that `cargo test` has time for.
fn further() -> u32 {
    match env::var("POP3_EXHAUSTIVE_FURTHER") {
        Ok(events) => events.parse().expect("POP3_EXHAUSTIVE_FURTHER is a number"),
        Err(_) => 0,
    }
}

#[test]
fn clients() {
    let sessions = explore::client_sessions(view::client, 3 + further());
    println!("{sessions} sessions");
    assert!(sessions > 100_000, "{sessions}");
}

#[test]
fn servers() {
    let sessions = explore::server_sessions(view::server, 4 + further());
    println!("{sessions} sessions");
    assert!(sessions > 50_000, "{sessions}");
}

#[test]
fn both() {
    let scripts = explore::joined_sessions(3 + further());
    println!("{scripts} scripts");
    assert!(scripts > 20_000, "{scripts}");
}

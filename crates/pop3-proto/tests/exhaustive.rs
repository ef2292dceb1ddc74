//! Every session of a few events; the property tests draw some sessions of many.
//!
//! `POP3_EXHAUSTIVE_FURTHER=1` goes one event further.

use std::env;

use pop3_testkit::{explore, view};

/// Adds the number in `POP3_EXHAUSTIVE_FURTHER` to `events`.
fn events(events: i32) -> u32 {
    let further = match env::var("POP3_EXHAUSTIVE_FURTHER") {
        Ok(further) => further.parse().expect("POP3_EXHAUSTIVE_FURTHER: a number"),
        Err(_) => 0,
    };
    u32::try_from(events + further).expect("POP3_EXHAUSTIVE_FURTHER: not so few")
}

/// Fails if the exploration visited only a handful of sessions.
fn assert_many(sessions: u64) {
    println!("{sessions} sessions");
    assert!(sessions > 1000, "{sessions} sessions");
}

#[test]
fn clients() {
    assert_many(explore::client_sessions(view::client, events(3)));
}

#[test]
fn servers() {
    assert_many(explore::server_sessions(view::server, events(4)));
}

#[test]
fn both() {
    assert_many(explore::joined_sessions(events(3)));
}

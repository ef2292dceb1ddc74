//! How the audit finds out whether a client keeps a statement.

use crate::{Id, Party, statement, statements};

/// How the audit finds out whether a client keeps a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// By the commands that the client sends in all scenarios.
    Commands,
    /// By scenarios that [show](super::Scenario::shows) the statement.
    Scenarios,
    /// Not at all, for this reason.
    Unobservable(&'static str),
}

/// How the audit covers a statement; `None` if it binds only servers.
#[must_use]
pub fn cover(id: Id) -> Option<Cover> {
    if statement(id)?.party() == Party::Server {
        return None;
    }
    let unobservable = UNOBSERVABLE.iter().find(|(hidden, _)| *hidden == id);
    Some(match unobservable {
        Some((_, reason)) => Cover::Unobservable(reason),
        None if OBSERVED.contains(&id) => Cover::Commands,
        None => Cover::Scenarios,
    })
}

/// The statements that bind clients.
pub fn client_statements() -> impl Iterator<Item = Id> {
    let bound = statements()
        .iter()
        .filter(|row| row.party() != Party::Server);
    bound.map(|row| row.id())
}

/// The statements that nothing shows, with the reasons.
const UNOBSERVABLE: [(Id, &str); 3] = [
    (
        Id::C(10),
        "after a refused login, QUIT, another login and closing the connection are all right",
    ),
    (
        Id::C(13),
        "it permits a client to send commands again, and requires nothing",
    ),
    (
        Id::C(48),
        "it is about a client's default; a recipe tells the client whether to delete",
    ),
];

/// The statements that `run/behaviour.rs` observes.
const OBSERVED: [Id; 29] = [
    Id::C(1),
    Id::C(3),
    Id::C(4),
    Id::C(7),
    Id::C(8),
    Id::C(12),
    Id::C(15),
    Id::C(16),
    Id::V(3),
    Id::C(18),
    Id::V(4),
    Id::V(5),
    Id::C(24),
    Id::C(25),
    Id::C(27),
    Id::C(28),
    Id::V(6),
    Id::C(30),
    Id::C(32),
    Id::C(33),
    Id::V(7),
    Id::C(35),
    Id::C(42),
    Id::C(43),
    Id::C(44),
    Id::C(45),
    Id::C(46),
    Id::C(47),
    Id::V(8),
];

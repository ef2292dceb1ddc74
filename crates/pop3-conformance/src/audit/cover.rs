//! How the lab comes to know whether a client keeps a statement.

use crate::{Id, Party, statement, statements};

/// How the lab comes to know whether a client keeps a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// By the commands that it sends in all scenarios.
    Commands,
    /// By scenarios that [show](super::Scenario::shows) it.
    Scenarios,
    /// Not at all, and why.
    Unobservable(&'static str),
}

/// How the lab covers a statement; `None` if it binds servers alone.
#[must_use]
pub fn cover(id: Id) -> Option<Cover> {
    if statement(id)?.party() == Party::Server {
        return None;
    }
    Some(match id {
        _ if OBSERVED.contains(&id) => Cover::Commands,
        _ if id == Id::C(10) => Cover::Unobservable(
            "after a refused login both QUIT and another login are right, and so is closing",
        ),
        _ if id == Id::C(13) => Cover::Unobservable(
            "it permits to send commands again, and demands nothing of a client",
        ),
        _ if id == Id::C(48) => Cover::Unobservable(
            "it is about what a client does untold; a recipe tells it whether to delete",
        ),
        _ => Cover::Scenarios,
    })
}

/// The statements that bind clients.
pub fn client_statements() -> impl Iterator<Item = Id> {
    let bound = statements()
        .iter()
        .filter(|row| row.party() != Party::Server);
    bound.map(|row| row.id())
}

/// Those that `run/behaviour.rs` notes.
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

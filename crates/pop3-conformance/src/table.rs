//! The table of statements. Each file holds the sections on one part of RFC 1939.
//!
//! Each text summarizes its statement in our own words. Compare it with the
//! document before you change it.

use crate::{Clause, Id, Party, Releases, Section, Statement, Strength};

mod authorization;
mod basic_operation;
mod optional_commands;
mod transaction;

pub(crate) static STATEMENTS: [Statement; 56] = join([
    &basic_operation::ROWS,
    &authorization::ROWS,
    &transaction::ROWS,
    &optional_commands::ROWS,
]);

/// A statement.
const fn row(
    id: Id,
    section: Section,
    (party, strengths): (Party, &'static [Strength]),
    clauses: &'static [Clause],
) -> Statement {
    Statement {
        id,
        section,
        party,
        strengths,
        clauses,
    }
}

/// A clause that names every release.
const fn all(line: &'static str) -> Clause {
    of(Releases::ALL, line)
}

/// A clause that leaves out the new Outlook for Windows.
const fn numbered(line: &'static str) -> Clause {
    of(Releases::NUMBERED, line)
}

const fn of(releases: Releases, line: &'static str) -> Clause {
    Clause { releases, line }
}

/// Joins the parts. Fails to compile if they have fewer rows than the table.
const fn join<const N: usize, const PARTS: usize>(parts: [&[Statement]; PARTS]) -> [Statement; N] {
    let mut rows = [parts[0][0]; N];
    let (mut part, mut at) = (0, 0);
    while part < PARTS {
        let mut from = 0;
        while from < parts[part].len() {
            rows[at] = parts[part][from];
            (at, from) = (at + 1, from + 1);
        }
        part += 1;
    }
    assert!(at == N, "the parts are fewer rows than the table");
    rows
}

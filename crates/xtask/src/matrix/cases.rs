//! The rows in which something was found, and with whom.

use super::{
    Outcome,
    subject::{Row, Subject, ids, releases},
};

/// A row with such an outcome for someone.
pub(super) struct Case<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// For whom, and what was seen.
    pub(super) found: Vec<Finding<'a>>,
}

/// What was seen of a program, and with which releases of it.
pub(super) struct Finding<'a> {
    /// The program, and its releases unless it is all that were run.
    pub(super) whom: String,
    /// Of the newest of them.
    pub(super) row: &'a Row,
    /// Those that it was seen with.
    pub(super) subjects: Vec<&'a Subject>,
}

impl Finding<'_> {
    /// The program.
    pub(super) fn name(&self) -> &str {
        self.subjects.first().map_or("", |subject| &subject.name)
    }
}

/// The cases of these subjects, in the order of the rows.
pub(super) fn cases<'a>(subjects: &[&'a Subject], outcome: Outcome) -> Vec<Case<'a>> {
    let cases = ids(subjects).into_iter().map(|(id, title)| Case {
        id,
        title,
        found: releases(subjects)
            .iter()
            .flat_map(|program| findings(program, id, outcome))
            .collect(),
    });
    cases
        .filter(|case: &Case<'_>| !case.found.is_empty())
        .collect()
}

/// What was found with the releases of a program, alike ones together.
fn findings<'a>(program: &[&'a Subject], id: &str, outcome: Outcome) -> Vec<Finding<'a>> {
    let mut alike: Vec<(&'a Row, Vec<&'a Subject>)> = Vec::new();
    for subject in program {
        let Some(row) = subject.row(id).filter(|row| row.outcome == outcome) else {
            continue;
        };
        let same =
            |known: &Row| known.verdict == row.verdict && known.consequence == row.consequence;
        match alike.iter_mut().find(|(known, _)| same(known)) {
            Some((known, subjects)) => {
                *known = row;
                subjects.push(subject);
            }
            None => alike.push((row, vec![subject])),
        }
    }
    let finding = |(row, subjects): (&'a Row, Vec<&'a Subject>)| {
        let name = subjects.first().map_or("", |subject| subject.name.as_str());
        let of: Vec<_> = subjects
            .iter()
            .map(|subject| subject.release.as_str())
            .collect();
        Finding {
            whom: match subjects.len() == program.len() {
                true => name.to_owned(),
                false => format!("{name} ({})", of.join(", ")),
            },
            row,
            subjects,
        }
    };
    alike.into_iter().map(finding).collect()
}

/// What a cell says of the releases of a program: the words, each with its row
/// and with the releases that it is for, if they are not all of one word.
pub(super) fn cell<'a>(program: &[&'a Subject], id: &str) -> Vec<(&'a Row, String)> {
    let mut words: Vec<(&'a Row, Vec<&'a str>)> = Vec::new();
    for subject in program {
        let Some(row) = subject.row(id) else {
            continue;
        };
        match words
            .iter_mut()
            .find(|(known, _)| known.word() == row.word())
        {
            Some((_, releases)) => releases.push(&subject.release),
            None => words.push((row, vec![&subject.release])),
        }
    }
    let one = words.len() == 1;
    let words = words.into_iter();
    words
        .map(|(row, releases)| match one {
            true => (row, String::new()),
            false => (row, format!(" ({})", releases.join(", "))),
        })
        .collect()
}

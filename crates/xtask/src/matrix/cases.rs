//! The rows in which something was found, and with whom.

use super::{
    Outcome,
    subject::{Row, Subject, ids},
};

/// A row with such an outcome for someone.
pub(super) struct Case<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// For whom, and what was seen.
    pub(super) found: Vec<(&'a Subject, &'a Row)>,
}

/// The cases of these subjects, in the order of the rows.
pub(super) fn cases<'a>(subjects: &[&'a Subject], outcome: Outcome) -> Vec<Case<'a>> {
    let found = |id: &str| {
        let rows = subjects
            .iter()
            .filter_map(|subject| Some((*subject, subject.row(id)?)));
        rows.filter(|(_, row)| row.outcome == outcome).collect()
    };
    let cases = ids(subjects).into_iter().map(|(id, title)| Case {
        id,
        title,
        found: found(id),
    });
    cases
        .filter(|case: &Case<'_>| !case.found.is_empty())
        .collect()
}

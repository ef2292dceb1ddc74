//! What is tried, and what was found.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Outcome, suite, timed::Ended};

/// A program, and what the lab found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// The release of Debian that it is of, such as `12` or `unstable`; empty for
    /// ours.
    #[serde(default)]
    pub(crate) release: String,
    /// Its package in Debian and the version of that.
    pub(crate) version: String,
    /// The day, such as 2026-11-25; empty if it was not run.
    pub(crate) date: String,
    /// The rows; else why there are none.
    pub(crate) found: Result<Vec<Row>, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Server,
    Client,
}

/// A row of a report of `pop3 check` or `pop3 audit`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) verdict: String,
    pub(crate) outcome: Outcome,
    pub(crate) evidence: String,
    pub(crate) consequence: String,
}

#[derive(Deserialize)]
struct Report {
    date: String,
    rows: Vec<Row>,
}

impl Subject {
    /// What a command of `pop3` printed about a program.
    pub(crate) fn read(
        kind: Kind,
        name: &str,
        version: String,
        ended: &Ended,
    ) -> anyhow::Result<Self> {
        let mut subject = Self::not_run(kind, name, version, String::new());
        match ended {
            // 1: a report, and something in it fails.
            Ended::Exited(Some(0 | 1), output) => {
                let report: Report = serde_json::from_str(output)?;
                subject.date = report.date.chars().take(10).collect();
                subject.found = Ok(report.rows);
            }
            Ended::Exited(_, output) => {
                let said = output.lines().rev().find(|line| !line.trim().is_empty());
                subject.found = Err(said.unwrap_or("it ended without a word").to_owned());
            }
            Ended::Stopped(limit) => {
                subject.found = Err(format!("stopped after {} minutes", limit.as_secs() / 60));
            }
        }
        Ok(subject)
    }

    pub(crate) fn not_run(kind: Kind, name: &str, version: String, why: String) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            release: match is_ours(name) {
                true => String::new(),
                false => suite::seen(),
            },
            version,
            date: String::new(),
            found: Err(why),
        }
    }

    /// Whether it is of this project.
    pub(crate) fn is_ours(&self) -> bool {
        is_ours(&self.name)
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.found.as_ref().ok()?.iter().find(|row| row.id == id)
    }

    /// How many rows have each verdict, such as `61 pass, 2 fail`; or why there
    /// are none.
    pub(crate) fn summary(&self) -> String {
        let rows = match &self.found {
            Ok(rows) => rows,
            Err(why) => return format!("not run here: {why}"),
        };
        let mut counts: Vec<(&str, u32)> = Vec::new();
        for row in rows {
            match counts
                .iter_mut()
                .find(|(verdict, _)| *verdict == row.verdict)
            {
                Some((_, count)) => *count += 1,
                None => counts.push((&row.verdict, 1)),
            }
        }
        let mut text = String::new();
        for (verdict, count) in counts {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{count} {verdict}");
        }
        text
    }
}

/// Whether a name is that of our server or our client.
pub(crate) fn is_ours(name: &str) -> bool {
    [super::server::OURS, super::client::OURS].contains(&name)
}

impl Row {
    /// The word for it in a table.
    pub(crate) fn word(&self) -> &str {
        match self.outcome {
            Outcome::Good => "ok",
            Outcome::Skipped => "–",
            Outcome::Noted | Outcome::Bad => &self.verdict,
        }
    }
}

/// The releases of each program that ran, together.
pub(crate) fn releases<'a>(subjects: &[&'a Subject]) -> Vec<Vec<&'a Subject>> {
    let mut programs: Vec<Vec<&Subject>> = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.found.is_ok()) {
        let same = |program: &Vec<&Subject>| program[0].name == subject.name;
        match programs.iter_mut().find(|program| same(program)) {
            Some(program) => program.push(subject),
            None => programs.push(vec![subject]),
        }
    }
    programs
}

/// The ids and titles of the rows that any of these has, in the order of the
/// reports.
pub(crate) fn ids<'a>(subjects: &[&'a Subject]) -> Vec<(&'a str, &'a str)> {
    let mut ids: Vec<(&str, &str)> = Vec::new();
    for rows in subjects
        .iter()
        .filter_map(|subject| subject.found.as_ref().ok())
    {
        for row in rows {
            if !ids.iter().any(|(id, _)| *id == row.id) {
                ids.push((&row.id, &row.title));
            }
        }
    }
    ids
}

/// The subjects of a kind.
pub(crate) fn of(kind: Kind, subjects: &[Subject]) -> Vec<&Subject> {
    subjects
        .iter()
        .filter(|subject| subject.kind == kind)
        .collect()
}

//! The results of a program.

use std::{collections::BTreeMap, process::Command};

use anyhow::bail;
use serde::{Deserialize, Serialize};

use crate::shell::{bash, command, output};

/// A program with its results.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Its release of Debian, such as `12` or `unstable`; empty for ours.
    pub(crate) release: String,
    /// Its package in Debian and the package's version.
    pub(crate) version: String,
    pub(crate) report: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Server,
    Client,
}

/// A report of `pop3 check` or `pop3 audit`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) verdict: String,
    pub(crate) outcome: Outcome,
    pub(crate) evidence: String,
    pub(crate) consequence: String,
}

/// How an answer counts in the overall verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Good,
    Skipped,
    Noted,
    Bad,
}

impl Subject {
    /// Runs `pop3` with these arguments, which make it report on a program. Stops it and all its
    /// children after `minutes` minutes.
    pub(crate) fn of(
        kind: Kind,
        name: &str,
        version: String,
        minutes: u64,
        arguments: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let pop3 = format!("timeout --signal=KILL {minutes}m target/release/pop3");
        let mut pop3 = command(&pop3);
        arguments(&mut pop3);
        let output = pop3.output()?;
        let report = match output.status.code() {
            // Status 1: a report in which something fails.
            Some(0 | 1) => serde_json::from_slice(&output.stdout)?,
            None | Some(137) => bail!("it was stopped after {minutes} minutes"),
            Some(_) => bail!("{}", String::from_utf8_lossy(&output.stderr).trim()),
        };
        Ok(Self {
            kind,
            name: name.to_owned(),
            release: match super::is_ours(name) {
                true => String::new(),
                false => release()?,
            },
            version,
            report,
        })
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.report.rows.iter().find(|row| row.id == id)
    }

    /// The number of rows for each verdict, such as `61 pass, 2 fail`.
    pub(crate) fn summary(&self) -> String {
        let mut verdicts: Vec<&str> = Vec::new();
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for Row { verdict, .. } in &self.report.rows {
            *counts.entry(verdict).or_default() += 1;
            if counts[&**verdict] == 1 {
                verdicts.push(verdict);
            }
        }
        let count = |verdict: &&str| format!("{} {verdict}", counts[verdict]);
        verdicts.iter().map(count).collect::<Vec<_>>().join(", ")
    }
}

/// The release of Debian in which this process runs, such as `12` or `unstable`.
fn release() -> anyhow::Result<String> {
    let release = output(&mut bash(". /etc/os-release; echo ${VERSION_ID:-unstable}"))?;
    Ok(release.trim().to_owned())
}

/// The subjects of a kind, with the releases of each program together.
pub(crate) fn programs(kind: Kind, subjects: &[Subject]) -> Vec<Vec<&Subject>> {
    let mut programs: Vec<Vec<&Subject>> = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.kind == kind) {
        let same = |program: &&mut Vec<&Subject>| program[0].name == subject.name;
        match programs.iter_mut().find(same) {
            Some(program) => program.push(subject),
            None => programs.push(vec![subject]),
        }
    }
    programs
}

/// The ids and titles of the rows that any of these has, in the order of the reports.
pub(crate) fn ids<'a>(programs: &[Vec<&'a Subject>]) -> Vec<(&'a str, &'a str)> {
    let mut ids: Vec<(&str, &str)> = Vec::new();
    for row in programs
        .iter()
        .flatten()
        .flat_map(|subject| &subject.report.rows)
    {
        if !ids.iter().any(|(id, _)| *id == row.id) {
            ids.push((&row.id, &row.title));
        }
    }
    ids
}

/// The results of a program's releases in a row, grouped by equal `key`: the row of the newest
/// release, and all releases of the group.
pub(crate) fn alike<'a, K: PartialEq>(
    program: &[&'a Subject],
    id: &str,
    key: impl Fn(&'a Row) -> K,
) -> Vec<(&'a Row, Vec<&'a Subject>)> {
    let mut alike: Vec<(&Row, Vec<&Subject>)> = Vec::new();
    for subject in program {
        let Some(row) = subject.row(id) else {
            continue;
        };
        match alike.iter_mut().find(|(known, _)| key(known) == key(row)) {
            Some((known, subjects)) => {
                *known = row;
                subjects.push(subject);
            }
            None => alike.push((row, vec![subject])),
        }
    }
    alike
}

/// A remark on a program, with the releases that it applies to unless that is clear.
pub(crate) fn with_releases(words: &str, subjects: &[&Subject], is_clear: bool) -> String {
    let releases: Vec<_> = subjects.iter().map(|subject| &*subject.release).collect();
    match is_clear {
        true => words.to_owned(),
        false => format!("{words} ({})", releases.join(", ")),
    }
}

/// All answers with this outcome, in the order of the rows, each with its program, and with its
/// releases unless all that ran gave it.
pub(crate) fn findings<'a>(
    programs: &[Vec<&'a Subject>],
    outcome: Outcome,
) -> Vec<(String, &'a Row)> {
    let mut findings = Vec::new();
    for (id, _) in ids(programs) {
        for program in programs {
            let key = |row: &'a Row| (row.outcome, &row.verdict, &row.consequence);
            for (row, subjects) in alike(program, id, key) {
                if row.outcome == outcome {
                    let is_all = subjects.len() == program.len();
                    let whom = with_releases(&program[0].name, &subjects, is_all);
                    findings.push((whom, row));
                }
            }
        }
    }
    findings
}

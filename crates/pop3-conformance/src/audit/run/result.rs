//! The result of an audit, and its report.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use pop3_proto::Counted;

use super::{
    ALIKE_MAX,
    behaviour::{self, Seen},
    judge::{Fault, Run, Verdict},
    settle::Runs,
    watch::End,
};
use crate::{
    Id, Strength,
    audit::{
        cover::{Cover, client_statements, cover},
        log::Log,
        scenario::Scenario,
    },
    report::{self, Report, Row, shown},
    statement,
};

/// The result of an audit.
#[derive(Clone, Debug)]
pub struct Audit {
    subject: String,
    date: SystemTime,
    outcomes: Vec<Outcome>,
}

/// The result of one scenario.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    family: String,
    name: String,
    why: String,
    /// The verdict of the worst fault; `None` if the scenario was not tried.
    verdict: Option<Verdict>,
    faults: Vec<Fault>,
    runs: Vec<Shown>,
    settled: bool,
}

/// What a report shows of a run.
#[derive(Clone, Debug)]
struct Shown {
    /// The end of the run, and its output.
    end: String,
    /// The stored mail after the run, one line per message.
    stored: String,
    logs: Vec<Log>,
}

const CORRECT: report::Verdict = report::Verdict::new("correct", report::Outcome::Good);
const SILENT: report::Verdict = report::Verdict::new("silent", report::Outcome::Bad);
const LOSSY: report::Verdict = report::Verdict::new("lossy", report::Outcome::Bad);
const DANGEROUS: report::Verdict = report::Verdict::new("dangerous", report::Outcome::Bad);
const NOT_TRIED: report::Verdict = report::Verdict::new("not tried", report::Outcome::Skipped);
const KEPT: report::Verdict = report::Verdict::new("kept", report::Outcome::Good);
const BROKEN: report::Verdict = report::Verdict::new("broken", report::Outcome::Bad);
const WARN: report::Verdict = report::Verdict::new("warn", report::Outcome::Noted);
const DIFFERS: report::Verdict = report::Verdict::new("not as Outlook", report::Outcome::Noted);
const NOT_SEEN: report::Verdict = report::Verdict::new("not seen", report::Outcome::Skipped);

/// The most octets of a line of a client's output.
const SAID_MAX: usize = 160;

/// The most lines of an exchange that a report shows.
const EXCHANGE_MAX: usize = 14;

impl Audit {
    pub(super) fn new(subject: &str, outcomes: Vec<Outcome>) -> Self {
        Self {
            subject: subject.to_owned(),
            date: SystemTime::now(),
            outcomes,
        }
    }

    /// The worst verdict in a family of scenarios; `None` if no scenario was tried.
    #[must_use]
    pub fn verdict(&self, family: &str) -> Option<Verdict> {
        self.of(family).filter_map(|outcome| outcome.verdict).max()
    }

    /// The faults of a family, each with the name of its scenario.
    #[must_use]
    pub fn faults(&self, family: &str) -> Vec<String> {
        let named = |outcome: &Outcome| {
            let name = outcome.name.clone();
            let faults = outcome.faults.iter();
            faults
                .map(|fault| format!("{name}: {}", fault.text()))
                .collect::<Vec<_>>()
        };
        self.of(family).flat_map(named).collect()
    }

    /// The number of runs until the client settled or further runs were pointless:
    /// the highest in the family. 0 if no scenario was tried.
    #[must_use]
    pub fn runs(&self, family: &str) -> usize {
        let runs = self.of(family).map(|outcome| outcome.runs.len());
        runs.max().unwrap_or(0)
    }

    /// The ids of the report's rows that fail: families and statements.
    #[must_use]
    pub fn failed(&self) -> BTreeSet<String> {
        let report = self.report();
        let bad = |row: &&Row| row.verdict().outcome() == report::Outcome::Bad;
        let failed = report.rows().iter().filter(bad);
        failed.map(|row| row.id().to_owned()).collect()
    }

    /// The report: a row for each family of scenarios, and one for each
    /// statement that the client's commands can keep or break.
    #[must_use]
    pub fn report(&self) -> Report {
        let title = "Is this client safe and correct?";
        let mut report = Report::new(title, &self.subject, self.date);
        let mut families: Vec<&str> = Vec::new();
        for outcome in &self.outcomes {
            if families.last() != Some(&outcome.family.as_str()) {
                families.push(&outcome.family);
            }
        }
        for family in families {
            report.push(self.family_row(family));
        }
        let mut seen = BTreeMap::new();
        for outcome in &self.outcomes {
            for log in outcome.runs.iter().flat_map(|run| &run.logs) {
                behaviour::observe(&outcome.name, log, &mut seen);
            }
        }
        for id in client_statements() {
            if cover(id) == Some(Cover::Commands) {
                report.push(statement_row(id, seen.get(&id)));
            }
        }
        report
    }

    fn of<'a>(&'a self, family: &'a str) -> impl Iterator<Item = &'a Outcome> {
        let outcomes = self.outcomes.iter();
        outcomes.filter(move |outcome| outcome.family == family)
    }

    fn family_row(&self, family: &str) -> Row {
        let outcomes: Vec<&Outcome> = self.of(family).collect();
        let verdict = match self.verdict(family) {
            None => NOT_TRIED,
            Some(Verdict::Correct) => CORRECT,
            Some(Verdict::Warn) => WARN,
            Some(Verdict::Silent) => SILENT,
            Some(Verdict::Lossy) => LOSSY,
            Some(Verdict::Dangerous) => DANGEROUS,
        };
        let worst = outcomes.iter().rev().max_by_key(|outcome| outcome.verdict);
        let why = worst.map_or("", |outcome| outcome.why.as_str());
        let mut row = Row::new(family, why, verdict);
        let Some(worst) = worst else {
            return row;
        };
        let mut evidence = Vec::new();
        let failed = outcomes.iter().filter(|outcome| !outcome.faults.is_empty());
        if outcomes.len() > 1 {
            let failed = failed.count();
            let left_out = outcomes.iter().filter(|outcome| outcome.runs.is_empty());
            let not_run = match left_out.count() {
                0 => String::new(),
                all if all == outcomes.len() => String::new(),
                some => {
                    format!(", {some} not run, because {ALIKE_MAX} never ended in the same way")
                }
            };
            evidence.push(format!(
                "{failed} of {} such{not_run}; {}:",
                outcomes.len(),
                worst.name
            ));
        }
        evidence.extend(worst.evidence());
        row = row.with_evidence(evidence.join("\n"));
        let faults: Vec<String> = worst.faults.iter().map(Fault::text).collect();
        row.with_consequence(faults.join("; "))
    }
}

impl Outcome {
    pub(super) fn not_tried(scenario: &Scenario) -> Self {
        Self {
            family: scenario.family().to_owned(),
            name: scenario.name(),
            why: scenario.why().to_owned(),
            verdict: None,
            faults: Vec::new(),
            runs: Vec::new(),
            settled: true,
        }
    }

    pub(super) fn new(scenario: &Scenario, done: Runs) -> Self {
        let verdict = done
            .faults
            .first()
            .map_or(Verdict::Correct, |fault| fault.verdict);
        Self {
            verdict: Some(verdict),
            faults: done.faults,
            runs: done.runs.into_iter().map(Shown::new).collect(),
            settled: done.settled,
            ..Self::not_tried(scenario)
        }
    }

    /// The end of each run, and the stored mail and the exchange of the run with
    /// the worst fault, or else of the last run.
    fn evidence(&self) -> Vec<String> {
        let last = self.runs.len().saturating_sub(1);
        let chosen = self.faults.first().map_or(last, |fault| fault.run);
        let Some(run) = self.runs.get(chosen) else {
            // A row shows none that was left out because others did the same.
            return vec!["the client has no command that requires STLS".to_owned()];
        };
        if last == 0 {
            return [run.end.clone(), run.stored.clone()]
                .into_iter()
                .chain(run.exchange())
                .collect();
        }
        let settled = if self.settled {
            "settled after"
        } else {
            "not settled after"
        };
        let mut lines = vec![format!("{settled} {} runs", last + 1)];
        for (at, run) in self.runs.iter().enumerate() {
            lines.push(format!("run {}: {}", at + 1, run.end));
        }
        lines.push(format!("after run {}: {}", chosen + 1, run.stored));
        lines.push(format!("exchange of run {}:", chosen + 1));
        lines.extend(run.exchange());
        lines
    }
}

impl Fault {
    /// The fault, with the run that showed it unless that is the first.
    fn text(&self) -> String {
        match self.run {
            0 => self.what.clone(),
            run => format!("{} (run {})", self.what, run + 1),
        }
    }
}

impl Shown {
    fn new(run: Run) -> Self {
        let stored: Vec<String> = run
            .stored
            .iter()
            .map(|stored| stored_line(stored))
            .collect();
        Self {
            end: run.ending(1),
            stored: match &stored[..] {
                [] => "nothing stored".to_owned(),
                stored => stored.join("\n"),
            },
            logs: run.logs,
        }
    }

    /// The beginning and the end of the exchange.
    fn exchange(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, log) in self.logs.iter().enumerate() {
            if at > 0 {
                lines.push(format!("connection {}:", at + 1));
            }
            lines.extend(log.lines());
        }
        if lines.len() > EXCHANGE_MAX {
            let half = EXCHANGE_MAX / 2;
            let left_out = lines.len() - 2 * half;
            lines.splice(
                half..half + left_out,
                [format!("[{} left out]", Counted(left_out, "line"))],
            );
        }
        lines
    }
}

impl Run {
    /// The end of the run, and the last lines of its output.
    pub(super) fn ending(&self, lines: usize) -> String {
        let end = match self.end {
            End::Exited(status) => format!("exit status {status}"),
            End::Killed(signal) => format!("killed by signal {signal}"),
            End::Waiting => "still waiting when stopped".to_owned(),
            End::Time => "stopped at the time limit".to_owned(),
            End::Grew => "stopped because it exceeded a limit".to_owned(),
            End::Swallowed => "stopped with a line of 64 MiB in memory".to_owned(),
            End::Loops => "stopped because it sent commands without end".to_owned(),
        };
        let said = self.said.split(|&octet| octet == b'\n').rev();
        let mut said: Vec<String> = said
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .take(lines)
            .map(|line| shown(line, SAID_MAX))
            .collect();
        said.reverse();
        match &said[..] {
            [] => end,
            said => format!("{end}; says: {}", said.join(" / ")),
        }
    }
}

fn stored_line(stored: &[u8]) -> String {
    const SHOWN: usize = 70;
    let tail = &stored[stored.len().saturating_sub(SHOWN)..];
    let dots = if tail.len() < stored.len() { "…" } else { "" };
    format!(
        "stored {}: {dots}{}",
        Counted(stored.len(), "octet"),
        shown(tail, SHOWN)
    )
}

fn statement_row(id: Id, seen: Option<&Seen>) -> Row {
    let title = statement(id).map_or("", |statement| statement.clauses()[0].line());
    let strength = statement(id).map_or(Strength::Fact, |statement| statement.strength());
    let verdict = match (seen, strength) {
        // Outlook never sends RSET and APOP.
        (None, _) if [Id::V(6), Id::V(8)].contains(&id) => KEPT,
        (None, _) => NOT_SEEN,
        (Some(seen), _) if seen.times_broken == 0 => KEPT,
        (_, Strength::Must | Strength::MustNot) => BROKEN,
        (_, Strength::Should | Strength::ShouldNot) => WARN,
        (_, Strength::May | Strength::Fact) => DIFFERS,
    };
    let row = Row::new(&id.to_string(), title, verdict);
    let Some(seen) = seen.filter(|seen| seen.times_broken > 0) else {
        return row;
    };
    let times = |number| Counted(number, "time");
    let counts = format!(
        "kept {}, not {}",
        times(seen.kept),
        times(seen.times_broken)
    );
    let evidence: Vec<String> = [counts].into_iter().chain(seen.broken.clone()).collect();
    row.with_evidence(evidence.join("\n"))
}

#[cfg(test)]
mod tests;

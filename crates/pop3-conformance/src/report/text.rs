//! A report as a table for a terminal.

use std::fmt::Write as _;

use super::{Outcome, Report, Row};

pub(super) fn render(report: &Report) -> String {
    let width = |of: fn(&Row) -> usize| report.rows.iter().map(of).max().unwrap_or(0);
    let ids = width(|row| row.id.chars().count());
    let words = width(|row| row.verdict.word.chars().count());
    let mut text = format!(
        "{}\n{}, {}\n\n",
        report.title,
        report.subject,
        report.date()
    );
    for row in &report.rows {
        let Row {
            id, title, verdict, ..
        } = row;
        let _ = writeln!(text, "{id:ids$}  {:words$}  {title}", verdict.word);
        if verdict.outcome == Outcome::Good {
            continue;
        }
        let indent = ids + words + 4;
        for line in row.evidence.lines().chain(row.consequence.lines()) {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    let _ = writeln!(text, "\n{}", report.summary());
    text
}

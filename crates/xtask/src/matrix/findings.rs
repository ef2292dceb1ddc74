//! docs/FINDINGS.md: what loses, forges or leaks mail, as a maintainer of the
//! program would want to read it. Programs, versions and what they did come from
//! the matrix, what the server sent from the scenarios; the rest is in the table.

use std::fmt::Write as _;

use anyhow::bail;
use pop3_conformance::audit::scenario_files;

use super::{
    Outcome,
    cases::{Finding, cases},
    markdown::plain,
    subject::{Kind, Row, Subject, of},
};

mod table;

use table::{DEFECTS, HARMLESS, HARMLESS_DEEDS};

/// A defect, in whatever programs it is found.
struct Defect {
    kind: Kind,
    title: &'static str,
    /// The scenarios or checks that show it, the clearest first, each with a word
    /// that what it found has to have. `*` is any of them.
    shown_by: &'static [(&'static str, &'static str)],
    clause: &'static str,
    consequence: &'static str,
    fix: &'static str,
}

impl Defect {
    /// Whether what was found in a row is this defect.
    fn is_shown_by(&self, kind: Kind, row: &str, consequence: &str) -> bool {
        let mut shown_by = self.shown_by.iter();
        kind == self.kind
            && shown_by.any(|(id, word)| [row, "*"].contains(id) && consequence.contains(word))
    }

    /// How clearly a row shows it: less is clearer.
    fn rank(&self, row: &str) -> usize {
        let at = self.shown_by.iter().position(|(id, _)| *id == row);
        at.unwrap_or(self.shown_by.len())
    }
}

/// Whether what was found neither loses mail nor forges or leaks any.
fn is_harmless(row: &str, verdict: &str, consequence: &str) -> bool {
    let mut deeds = consequence.split("; ");
    ["silent", "broken"].contains(&verdict)
        || HARMLESS.contains(&row)
        || deeds.all(|deed| HARMLESS_DEEDS.iter().any(|begin| deed.starts_with(begin)))
}

/// The page.
pub(super) fn page(subjects: &[Subject]) -> anyhow::Result<String> {
    let mut page = "\
# Findings

Defects of mail software that lose, forge or leak mail, each seen in a run of
[the matrix](MATRIX.md). Versions are those of Debian's packages (12, 13 and unstable) and of npm.
The line beside a program shows the defect again, with the whole exchange. A scenario is what the
server of the lab sends, in
[the notation of scenarios](../crates/pop3-conformance/scenarios/README.md): a header comes before
`wire`, and a last line and the end of the message after it.

Written by `cargo xtask matrix`: programs, versions and what they did are those of the matrix.
"
    .to_owned();
    let sightings = sightings(subjects)?;
    let mut number = 0;
    for defect in &DEFECTS {
        let mut shown: Vec<_> = sightings
            .iter()
            .filter(|sighting| sighting.is_of(defect))
            .collect();
        if !shown.is_empty() {
            number += 1;
            shown.sort_by_key(|sighting| defect.rank(sighting.row));
            entry(&mut page, number, defect, &shown);
        }
    }
    Ok(page)
}

/// Something that was found, and cost mail.
struct Sighting<'a> {
    kind: Kind,
    row: &'a str,
    finding: Finding<'a>,
}

impl Sighting<'_> {
    fn is_of(&self, defect: &Defect) -> bool {
        let row = self.finding.row;
        let text = format!("{} {}", row.verdict, row.consequence);
        defect.is_shown_by(self.kind, self.row, &text)
    }
}

/// All failures that cost mail, each of a known defect; and what is noted of
/// servers.
fn sightings(subjects: &[Subject]) -> anyhow::Result<Vec<Sighting<'_>>> {
    let mut sightings = Vec::new();
    for (kind, outcome) in [
        (Kind::Client, Outcome::Bad),
        (Kind::Server, Outcome::Bad),
        (Kind::Server, Outcome::Noted),
    ] {
        for case in cases(&of(kind, subjects), outcome) {
            let row = case.id;
            for finding in case.found {
                let (verdict, consequence) = (&finding.row.verdict, &finding.row.consequence);
                if outcome == Outcome::Bad && is_harmless(row, verdict, consequence) {
                    continue;
                }
                let sighting = Sighting { kind, row, finding };
                let is_known = DEFECTS.iter().any(|defect| sighting.is_of(defect));
                if outcome == Outcome::Bad && !is_known {
                    bail!(
                        "matrix/findings/table.rs has no entry for {} in {row}: {}",
                        sighting.finding.whom,
                        sighting.finding.row.consequence
                    );
                }
                sightings.push(sighting);
            }
        }
    }
    Ok(sightings)
}

fn entry(page: &mut String, number: usize, defect: &Defect, shown: &[&Sighting<'_>]) {
    let about = format!("Against {}. {}", defect.clause, defect.consequence);
    let about = wrapped(&about);
    let _ = write!(page, "\n## {number}. {}\n\n{about}\n\n", defect.title);
    let mut told: Vec<(&str, &str)> = Vec::new();
    for Sighting { row, finding, .. } in shown {
        let name = finding.name();
        match told.iter().find(|(known, _)| *known == name) {
            // Another row shows it more clearly.
            Some((_, clearest)) if clearest != row => continue,
            _ => told.push((name, row)),
        }
        let others = shown
            .iter()
            .filter(|other| other.finding.name() == name && other.row != *row);
        let mut others: Vec<_> = others.map(|other| other.row).collect();
        others.dedup();
        let others = match others.len() {
            0 => String::new(),
            1..=8 => format!("  \n  (also in {})", others.join(", ")),
            many => format!("  \n  (also in {many} others)"),
        };
        let _ = writeln!(
            page,
            "- {}: {row}: {}: {}  \n  {}{others}",
            finding.whom,
            finding.row.verdict,
            plain(&finding.row.consequence),
            reproduced(defect.kind, row, finding)
        );
    }
    match defect.kind {
        Kind::Client => scenario(page, shown[0].row),
        Kind::Server => exchange(page, shown[0].finding.row),
    }
    let fix = wrapped(&format!("To fix it: {}", defect.fix));
    let _ = write!(page, "\n{fix}\n");
}

/// Text in lines of at most 100 octets, where its words allow that.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let (mut wrapped, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let fits = width + 1 + word.len() <= WIDTH;
        let separator = match (width, fits) {
            (0, _) => "",
            (_, true) => " ",
            (_, false) => "\n",
        };
        width = if fits { width + separator.len() } else { 0 } + word.len();
        wrapped.push_str(separator);
        wrapped.push_str(word);
    }
    wrapped
}

/// With which versions it was seen, and the line that shows it again.
fn reproduced(kind: Kind, id: &str, finding: &Finding<'_>) -> String {
    let versions = finding.subjects.iter();
    let mut versions: Vec<_> = versions.map(|subject| plain(&subject.version)).collect();
    versions.dedup();
    let line = match kind {
        Kind::Client => {
            format!("pop3 audit --recipe {} --only {id}", finding.name())
        }
        Kind::Server => format!("pop3 check --only {id} pop3://USER@HOST"),
    };
    format!("{}; `{line}`", versions.join(", "))
}

/// What the server of a scenario does, as its file says it.
fn scenario(page: &mut String, id: &str) {
    let text = scenario_files().iter().find(|(name, _)| *name == id);
    let text = text.map_or("", |(_, text)| text);
    let lines = text.lines().filter(|line| {
        let told = ["why", "shows", "seen"];
        !told
            .iter()
            .any(|key| line.starts_with(&format!("{key} = ")))
    });
    let lines: Vec<_> = lines.collect();
    let _ = write!(
        page,
        "\nThe scenario [{id}](../crates/pop3-conformance/scenarios/{id}.toml):\n\n```toml\n{}\n```\n",
        lines.join("\n").trim()
    );
}

/// What was said, as the check shows it.
fn exchange(page: &mut String, row: &Row) {
    let _ = write!(
        page,
        "\n```text\n{}\n```\n",
        row.evidence.replace("```", "` ` `")
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DEFECTS, Kind, is_harmless};
    use crate::shell::root;

    const STALE: &str = "docs/FINDINGS.md is stale: run `cargo xtask matrix --pages`";

    /// A failure of the matrix: of a client or server, in this row, with the line
    /// that tells it.
    fn failures(page: &str) -> Vec<(Kind, String, String)> {
        let mut failures = Vec::new();
        let (mut kind, mut row) = (Kind::Server, String::new());
        let (_, page) = page.split_once("\n## Where mail is lost").expect(STALE);
        for line in page.lines() {
            if line == "### Clients" {
                kind = Kind::Client;
            } else if let Some(rest) = line.strip_prefix("[`") {
                row = rest.split('`').next().unwrap_or_default().to_owned();
            } else if let Some(found) = line.strip_prefix("- ") {
                failures.push((kind, row.clone(), found.to_owned()));
            }
        }
        failures
    }

    #[test]
    fn every_failure_of_the_matrix_that_costs_mail_has_an_entry() {
        let read = |file: &str| fs::read_to_string(root().join("docs").join(file)).expect(STALE);
        let (matrix, findings) = (read("MATRIX.md"), read("FINDINGS.md"));
        let mut told = 0;
        for (kind, row, found) in failures(&matrix) {
            let (whom, verdict) = found.split_once(": ").expect(STALE);
            let (word, deeds) = verdict.split_once(": ").unwrap_or((verdict, ""));
            if is_harmless(&row, word, deeds) {
                continue;
            }
            let mut defects = DEFECTS.iter();
            // The page writes Markdown, in which some octets are escaped.
            let text = verdict.replace('\\', "");
            let defect = defects.find(|defect| defect.is_shown_by(kind, &row, &text));
            let defect = defect.unwrap_or_else(|| panic!("no entry for {row}: {found}"));
            let (_, section) = findings
                .split_once(&format!(". {}\n", defect.title))
                .expect(STALE);
            let section = section.split("\n## ").next().unwrap_or_default();
            let name = whom.split(" (").next().unwrap_or_default();
            let is_named = [" (", ": "]
                .iter()
                .any(|end| section.contains(&format!("\n- {name}{end}")));
            assert!(is_named, "{STALE}: {whom}: {row}");
            told += 1;
        }
        assert!(told > 10, "{told}");
    }

    #[test]
    fn no_entry_is_without_a_run() {
        let read = |file: &str| fs::read_to_string(root().join("docs").join(file)).expect(STALE);
        let (matrix, findings) = (read("MATRIX.md"), read("FINDINGS.md"));
        let failures = failures(&matrix);
        let noted = matrix.replace(['*', '\\'], "");
        let lines = findings.lines().filter_map(|line| line.strip_prefix("- "));
        let mut entries = 0;
        for line in lines {
            let mut parts = line.splitn(3, ": ");
            let (whom, row) = (parts.next().unwrap_or_default(), parts.next().expect(STALE));
            let verdict = parts.next().expect(STALE).trim_end();
            let found = format!("{whom}: {verdict}");
            let is_failure = failures
                .iter()
                .any(|failure| failure.1 == row && failure.2 == found);
            let is_noted = noted.contains(&format!("\n| {row} | ")) && verdict.starts_with("warn");
            assert!(is_failure || is_noted, "{STALE}: {line}");
            entries += 1;
        }
        assert!(entries > 10, "{entries}");
        for section in findings.split("\n## ").skip(1) {
            assert!(
                section.contains("\n- ") && section.contains("\nTo fix it: "),
                "{section}"
            );
        }
    }
}

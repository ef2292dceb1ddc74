//! docs/MATRIX.md

use std::fmt::Write as _;

use super::subject::{Kind, Outcome, Row, Subject, alike, findings, ids, programs, with_releases};

/// The page: its head is kept, and everything after it is written again.
pub(super) fn page(old: &str, subjects: &[Subject]) -> String {
    let mut page = old.split("\n## ").next().unwrap_or_default().to_owned();
    let kinds = [Kind::Server, Kind::Client].map(|kind| (kind, programs(kind, subjects)));
    for (kind, programs) in &kinds {
        let (list, table) = (list(programs), table(programs));
        let _ = write!(page, "\n## {kind:?}s\n\n{list}\n{table}");
    }
    page += "\n## Where mail is lost or changed, and other failures\n\n\
             Each failure of the tables, with what was seen.\n";
    for (kind, programs) in &kinds {
        let after = match kind {
            Kind::Server => "After the verdict stands what Outlook does with such a server.",
            Kind::Client => "After the verdict stands what the client did.",
        };
        let _ = write!(page, "\n### {kind:?}s\n\n{after}\n");
        let mut id = "";
        for (whom, row) in findings(programs, Outcome::Bad) {
            if id != row.id {
                id = &row.id;
                let _ = write!(page, "\n`{id}`: {}\n\n", plain(&row.title));
            }
            let separator = if row.consequence.is_empty() { "" } else { ": " };
            let consequence = plain(&row.consequence);
            let _ = writeln!(page, "- {whom}: {}{separator}{consequence}", row.verdict);
        }
    }
    page
}

/// The programs that ran.
fn list(programs: &[Vec<&Subject>]) -> String {
    let mut text = "| name | release | version | day | found |\n|---|---|---|---|---|\n".to_owned();
    for subject in programs.iter().flatten() {
        let Subject { name, release, .. } = subject;
        let (version, found) = (plain(&subject.version), plain(&subject.summary()));
        let day: String = subject.report.date.chars().take(10).collect();
        let _ = writeln!(text, "| {name} | {release} | {version} | {day} | {found} |");
    }
    text
}

/// A row for each check or scenario.
fn table(programs: &[Vec<&Subject>]) -> String {
    let names: Vec<_> = programs.iter().map(|program| &*program[0].name).collect();
    let rules = "---|".repeat(names.len() + 2);
    let mut text = format!("| row | {} | |\n|{rules}\n", names.join(" | "));
    for (id, title) in ids(programs) {
        let cells: Vec<_> = programs.iter().map(|program| cell(program, id)).collect();
        let _ = writeln!(text, "| {id} | {} | {} |", cells.join(" | "), plain(title));
    }
    text
}

/// A verdict; where the releases of a program differ, the verdict for each.
fn cell(program: &[&Subject], id: &str) -> String {
    let words = alike(program, id, word);
    let of =
        |(row, subjects): &(&Row, Vec<_>)| with_releases(&word(row), subjects, words.len() == 1);
    words.iter().map(of).collect::<Vec<_>>().join(", ")
}

fn word(row: &Row) -> String {
    match row.outcome {
        Outcome::Good => "ok".to_owned(),
        Outcome::Skipped => "–".to_owned(),
        Outcome::Noted => row.verdict.clone(),
        Outcome::Bad => format!("**{}**", row.verdict),
    }
}

/// Text on one line, with all Markdown escaped.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => safe.push_str("&lt;"),
            '\n' => safe.push(' '),
            char => {
                if "\\`*_{}[]>#|~&".contains(char) {
                    safe.push('\\');
                }
                safe.push(char);
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_the_text_of_a_peer_in_a_cell() {
        let hostile = "<script>a|b`c`\n[d](e)</script>";
        let plain = "&lt;script\\>a\\|b\\`c\\` \\[d\\](e)&lt;/script\\>";
        assert_eq!(super::plain(hostile), plain);
    }
}

//! docs/MATRIX.md

use std::fmt::Write as _;

use super::{
    Outcome,
    cases::{Finding, cases, cell},
    subject::{Kind, Row, Subject, ids, of, releases},
};

/// The page.
pub(super) fn page(subjects: &[Subject]) -> String {
    let mut page = "\
# Matrix

Written by `cargo xtask matrix`, which makes this page and [matrix.html](matrix.html) again; the latter has the exchange
that shows each answer. [FINDINGS.md](FINDINGS.md) describes what loses, forges or leaks mail.

The programs are those of Debian 12, 13 (stable) and unstable. As root on a Debian machine, the last two are run again by

```sh
cargo xtask peers --suite stable      # or unstable: installs into a directory of its own
cargo xtask matrix --suite stable     # names of programs may follow
```

and what the machine has by the same without `--suite`. Only what ran is listed. Where the releases of a program differ, a cell
says which one is meant.

`pop3 check` was run against each server, over a maildrop with what the checks ask for, and `pop3 audit` with each client.
A row is a check or a scenario of theirs; `pop3 check --help` and `pop3 audit --list` say more.
**ok** is what should be, a word in bold a failure, another word something worth knowing, and – what could not be seen.
"
    .to_owned();
    for (kind, title) in [(Kind::Server, "Servers"), (Kind::Client, "Clients")] {
        let subjects = of(kind, subjects);
        let _ = write!(
            page,
            "\n## {title}\n\n{}\n{}",
            list(&subjects),
            table(&subjects)
        );
    }
    page.push_str(
        "\n## Where mail is lost or changed, and other failures\n\n\
         Each failure of the tables, with what the lab saw; the name of the row leads to the exchange.\n",
    );
    for (kind, title) in [(Kind::Server, "Servers"), (Kind::Client, "Clients")] {
        let _ = write!(page, "\n### {title}\n\n{}\n", whose(kind));
        for case in cases(&of(kind, subjects), Outcome::Bad) {
            let _ = write!(
                page,
                "\n[`{}`](matrix.html#{}): {}\n\n",
                case.id,
                anchor(kind, Outcome::Bad, case.id),
                plain(case.title)
            );
            for Finding { whom, row, .. } in case.found {
                let _ = write!(page, "- {whom}: {}", row.verdict);
                if !row.consequence.is_empty() {
                    let _ = write!(page, ": {}", plain(&row.consequence));
                }
                page.push('\n');
            }
        }
    }
    page
}

/// Of whom a consequence tells.
pub(super) fn whose(kind: Kind) -> &'static str {
    match kind {
        Kind::Server => "After the verdict stands what Outlook does with such a server.",
        Kind::Client => "After the verdict stands what the client did.",
    }
}

/// Where the HTML page shows a row with such an outcome.
pub(super) fn anchor(kind: Kind, outcome: Outcome, id: &str) -> String {
    let kind = match kind {
        Kind::Server => "server",
        Kind::Client => "client",
    };
    match outcome {
        Outcome::Noted => format!("{kind}-{id}-noted"),
        _ => format!("{kind}-{id}"),
    }
}

/// What was tried.
fn list(subjects: &[&Subject]) -> String {
    let mut text = "| name | release | version | day | found |\n|---|---|---|---|---|\n".to_owned();
    for subject in subjects {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            subject.name,
            subject.release,
            plain(&subject.version),
            subject.date,
            plain(&subject.summary())
        );
    }
    text
}

/// A row for each check or scenario.
fn table(subjects: &[&Subject]) -> String {
    let programs = releases(subjects);
    let names = programs.iter().map(|program| program[0].name.as_str());
    let names: Vec<_> = names.collect();
    let mut text = format!("| row | {} | |\n|---|", names.join(" | "));
    text.push_str(&"---|".repeat(names.len() + 1));
    text.push('\n');
    for (id, title) in ids(subjects) {
        let cells = programs.iter().map(|program| words(program, id));
        let cells: Vec<_> = cells.collect();
        let _ = writeln!(text, "| {id} | {} | {} |", cells.join(" | "), plain(title));
    }
    text
}

fn words(program: &[&Subject], id: &str) -> String {
    let words = cell(program, id).into_iter();
    let words: Vec<_> = words
        .map(|(row, releases)| format!("{}{releases}", word(row)))
        .collect();
    words.join(", ")
}

fn word(row: &Row) -> String {
    match row.outcome {
        Outcome::Bad => format!("**{}**", row.word()),
        _ => row.word().to_owned(),
    }
}

/// Text that means nothing to Markdown, on one line.
pub(super) fn plain(text: &str) -> String {
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

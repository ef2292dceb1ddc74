//! docs/matrix.html: one file without scripts, fonts or pictures.

use std::fmt::Write as _;

use pop3_conformance::report::escaped;

use super::{
    Outcome,
    cases::{self, Case, Finding, cases},
    markdown::{anchor, whose},
    subject::{Kind, Subject, ids, of, releases},
};

const STYLE: &str = "
:root{color-scheme:light dark;--text:#1f2328;--paper:#fff;--soft:#f6f8fa;--line:#d1d9e0;--quiet:#59636e;
--good:#1a7f37;--noted:#9a6700;--bad:#cf222e;--badly:#ffebe9;--notedly:#fff8c5}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--paper:#0d1117;--soft:#161b22;--line:#30363d;--quiet:#9198a1;
--good:#3fb950;--noted:#d29922;--bad:#ff7b72;--badly:#3c1618;--notedly:#332a10}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--paper);max-width:84rem;margin:2rem auto;padding:0 1rem}
a{color:inherit}
h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem}h3{margin-top:2rem}h4{margin:1.2rem 0 .3rem;font-weight:normal}
p{max-width:60rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em}
code{white-space:nowrap}
pre{background:var(--soft);padding:.6rem .8rem;margin:.3rem 0 .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{overflow-x:auto}.list td{white-space:nowrap}
@media(min-width:84rem){.scroll{overflow:visible}}
table{border-collapse:collapse;margin:1rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
thead th{position:sticky;top:0;z-index:1;background:var(--soft)}
.matrix td,.matrix thead th+th{text-align:center;min-width:4.6rem}
.matrix tbody th{font-weight:normal;min-width:17rem;max-width:24rem}
.matrix tbody tr:hover{background:var(--soft)}
.matrix a{display:block;text-decoration:none}
th small{display:block;color:var(--quiet);line-height:1.35}
.ours{box-shadow:inset 2px 0 var(--line),inset -2px 0 var(--line)}
.good{color:var(--good)}.skipped{color:var(--quiet)}
.noted{color:var(--noted);background:var(--notedly)}
.bad{color:var(--bad);background:var(--badly);font-weight:600}
summary{cursor:pointer;padding:.15rem 0}summary b{font-weight:600}
";

/// The page.
pub(super) fn page(subjects: &[Subject]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>POP3 servers and clients: the matrix</title>\n<style>{STYLE}</style>\n\
         <h1>POP3 servers and clients: the matrix</h1>\n\
         <p>Written by <code>cargo xtask matrix</code>. <code>pop3 check</code> was run against each \
         server, over a maildrop with what the checks ask for, and <code>pop3 audit</code> with each \
         client. A row is a check or a scenario of theirs. <span class=\"good\">ok</span> is what should \
         be, <span class=\"bad\">a red word</span> a failure, <span class=\"noted\">a yellow one</span> \
         worth knowing, <span class=\"skipped\">–</span> what could not be seen. A word leads to the \
         exchange that shows it, which is that of the newest release. Releases are those of Debian; where \
         those of a program differ, a cell says which one is meant.</p>\n"
    );
    for (kind, title) in [(Kind::Server, "Servers"), (Kind::Client, "Clients")] {
        let subjects = of(kind, subjects);
        let _ = writeln!(page, "<h2>{title}</h2>");
        list(&mut page, &subjects);
        matrix(&mut page, kind, &subjects);
    }
    page.push_str("<h2>Where mail is lost or changed, and what else was found</h2>\n");
    for (kind, title) in [(Kind::Server, "Servers"), (Kind::Client, "Clients")] {
        let _ = writeln!(page, "<h3>{title}</h3>\n<p>{}</p>", whose(kind));
        for outcome in [Outcome::Bad, Outcome::Noted] {
            for case in cases(&of(kind, subjects), outcome) {
                show(&mut page, kind, outcome, &case);
            }
        }
    }
    page.push_str("</html>\n");
    page
}

fn list(page: &mut String, subjects: &[&Subject]) {
    page.push_str(
        "<div class=\"scroll\"><table class=\"list\">\n<thead><tr><th>Name<th>Release<th>Version<th>Day<th>Found</thead>\n<tbody>\n",
    );
    for subject in subjects {
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}",
            escaped(&subject.name),
            escaped(&subject.release),
            escaped(&subject.version),
            escaped(&subject.date),
            escaped(&subject.summary())
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}

fn matrix(page: &mut String, kind: Kind, subjects: &[&Subject]) {
    let programs = releases(subjects);
    page.push_str("<div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><th>Row");
    for program in &programs {
        let _ = write!(page, "<th>{}", escaped(&program[0].name));
    }
    page.push_str("</thead>\n<tbody>\n");
    for (id, title) in ids(subjects) {
        let _ = write!(
            page,
            "<tr data-row=\"{}\"><th><code>{}</code><small>{}</small>",
            escaped(id),
            escaped(id),
            escaped(title)
        );
        for program in &programs {
            cell(page, kind, program, id);
        }
        page.push('\n');
    }
    page.push_str("</tbody>\n</table></div>\n");
}

fn cell(page: &mut String, kind: Kind, program: &[&Subject], id: &str) {
    let words = cases::cell(program, id);
    let Some(worst) = words.iter().map(|(row, _)| row.outcome).max() else {
        page.push_str("<td>");
        return;
    };
    let ours = if program[0].is_ours() { " ours" } else { "" };
    let _ = write!(page, "<td class=\"{}{ours}\">", class(worst));
    for (row, releases) in words {
        let (word, releases) = (escaped(row.word()), escaped(&releases));
        match row.outcome {
            Outcome::Good | Outcome::Skipped if releases.is_empty() => page.push_str(&word),
            Outcome::Good | Outcome::Skipped => {
                let _ = write!(page, "<small>{word}{releases}</small>");
            }
            Outcome::Noted | Outcome::Bad => {
                let case = anchor(kind, row.outcome, &row.id);
                let _ = write!(page, "<a href=\"#{case}\">{word}{releases}</a>");
            }
        }
    }
}

const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Good => "good",
        Outcome::Skipped => "skipped",
        Outcome::Noted => "noted",
        Outcome::Bad => "bad",
    }
}

/// A case, and the exchanges that show it.
fn show(page: &mut String, kind: Kind, outcome: Outcome, case: &Case<'_>) {
    let _ = writeln!(
        page,
        "<h4 id=\"{}\"><code>{}</code>: {}</h4>",
        anchor(kind, outcome, case.id),
        escaped(case.id),
        escaped(case.title)
    );
    for Finding { whom, row, .. } in &case.found {
        let _ = writeln!(
            page,
            "<details><summary><b>{}</b>: {}{}</summary><pre>{}</pre></details>",
            escaped(whom),
            escaped(&row.verdict),
            match row.consequence.is_empty() {
                true => String::new(),
                false => format!(": {}", escaped(&row.consequence)),
            },
            escaped(&row.evidence)
        );
    }
}

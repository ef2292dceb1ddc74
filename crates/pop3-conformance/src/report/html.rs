//! An HTML page without external scripts, fonts or images.

use std::fmt::Write as _;

use super::{Outcome, Report, Row};

const STYLE: &str = "\
:root{color-scheme:light dark;--good:#1a7f37;--skipped:#6e7781;--noted:#9a6700;--bad:#cf222e}\
@media(prefers-color-scheme:dark){:root{--good:#3fb950;--skipped:#8b949e;--noted:#d29922;--bad:#f85149}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #8884}\
pre{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}\
td:first-child,td:nth-child(2){white-space:nowrap}\
.good{color:var(--good)}.skipped{color:var(--skipped)}.noted{color:var(--noted)}.bad{color:var(--bad);font-weight:bold}";

pub(super) fn render(report: &Report) -> String {
    let title = escaped(&report.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <h1>{title}</h1>\n<p>{}<br>{}<br>{}</p>\n\
         <table>\n<thead><tr><th>Id<th>Verdict<th>What was found</thead>\n<tbody>\n",
        escaped(&report.subject),
        report.date(),
        escaped(&report.summary()),
    );
    report
        .rows
        .iter()
        .for_each(|row| render_row(&mut page, row));
    page.push_str("</tbody>\n</table>\n</html>\n");
    page
}

fn render_row(page: &mut String, row: &Row) {
    let class = match row.verdict.outcome {
        Outcome::Good => "good",
        Outcome::Skipped => "skipped",
        Outcome::Noted => "noted",
        Outcome::Bad => "bad",
    };
    let id = escaped(&row.id);
    let _ = write!(
        page,
        "<tr id=\"{id}\"><td>{id}<td class=\"{class}\">{}<td>{}",
        escaped(row.verdict.word),
        escaped(&row.title)
    );
    if !row.consequence.is_empty() && row.verdict.outcome != Outcome::Good {
        let _ = write!(page, "<br>{}", escaped(&row.consequence));
    }
    if !row.evidence.is_empty() {
        let _ = write!(page, "<pre>{}</pre>", escaped(&row.evidence));
    }
    page.push('\n');
}

/// Escapes text for HTML, inside attributes and outside.
///
/// ```
/// assert_eq!(pop3_conformance::report::escaped("<a href=\"\">"), "&lt;a href=&quot;&quot;&gt;");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            char => safe.push(char),
        }
    }
    safe
}

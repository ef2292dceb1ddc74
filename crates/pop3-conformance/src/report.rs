//! What was found, row by row, and the forms to show it in.
//!
//! `pop3 check` and `pop3 audit` both end with a [`Report`]. It can be a table
//! for a terminal, JSON, JUnit or a page of HTML. What a peer sent is hostile:
//! every text that goes into a report is [made safe](shown) and bounded first,
//! so no form can carry a control character, or grow without end.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use pop3_conformance::report::{Outcome, Report, Row, Verdict, shown};
//!
//! const PASS: Verdict = Verdict::new("pass", Outcome::Good);
//! const FAIL: Verdict = Verdict::new("fail", Outcome::Bad);
//!
//! let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
//! let mut report = Report::new("Can Outlook use this server?", "mail.example.org:110", date);
//! report.push(Row::new("C0002", "The server greets", PASS));
//! report.push(
//!     Row::new("C0029", "NOOP is answered with +OK", FAIL)
//!         .with_evidence(format!("C: NOOP\nS: {}", shown(b"-ERR \x1b[2J\r\n", 80)))
//!         .with_consequence("Outlook takes the connection for broken."),
//! );
//! assert!(report.fails());
//! assert!(report.text().contains(r"S: -ERR \x1b[2J\r\n"));
//! assert!(report.json().contains(r#""date": "2023-11-14T22:13:20Z""#));
//! ```

use std::{io, time::SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

mod html;
mod junit;
mod safe;
mod text;

pub use html::escaped;
pub use safe::shown;

use safe::{line, lines};

/// The most octets of a line in a report.
pub const MAX_LINE: usize = 240;

/// The most lines of a row's evidence.
pub const MAX_EVIDENCE_LINES: usize = 24;

/// Rows, and what they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    title: String,
    subject: String,
    #[serde(serialize_with = "date")]
    date: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_short: Option<String>,
    rows: Vec<Row>,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    id: String,
    title: String,
    #[serde(flatten)]
    verdict: Verdict,
    evidence: String,
    consequence: String,
}

/// The word for an answer, and what kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Verdict {
    #[serde(rename = "verdict")]
    word: &'static str,
    outcome: Outcome,
}

/// What an answer means for the whole: decides colour, exit status and how
/// JUnit counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Good,
    /// Not asked, or no answer to be had.
    Skipped,
    /// Worth knowing; nothing fails.
    Noted,
    /// A failure.
    Bad,
}

impl Report {
    /// A report without rows. The subject is what was tried, with its version
    /// if that is known.
    #[must_use]
    pub fn new(title: &str, subject: &str, date: SystemTime) -> Self {
        Self {
            title: line(title),
            subject: line(subject),
            date: date.into(),
            cut_short: None,
            rows: Vec::new(),
        }
    }

    /// Adds a row below the others.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Notes why the run ended before all rows could be tried.
    pub fn cut_short(&mut self, why: &str) {
        self.cut_short = Some(line(why));
    }

    /// Why the run ended before all rows could be tried, if it did.
    #[must_use]
    pub fn why_cut_short(&self) -> Option<&str> {
        self.cut_short.as_deref()
    }

    /// What the report answers.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What was tried.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When, in UTC to the second, such as `2026-11-25T01:02:03Z`.
    #[must_use]
    pub fn date(&self) -> String {
        self.date.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether a row's outcome is [`Outcome::Bad`].
    #[must_use]
    pub fn fails(&self) -> bool {
        self.rows
            .iter()
            .any(|row| row.verdict.outcome == Outcome::Bad)
    }

    /// How many rows have each verdict, in the order in which they first came.
    #[must_use]
    pub fn counts(&self) -> Vec<(Verdict, usize)> {
        let mut counts: Vec<(Verdict, usize)> = Vec::new();
        for row in &self.rows {
            match counts.iter_mut().find(|(known, _)| *known == row.verdict) {
                Some((_, count)) => *count += 1,
                None => counts.push((row.verdict, 1)),
            }
        }
        counts
    }

    /// A table for people. Evidence and consequence follow each row that is not
    /// [`Outcome::Good`].
    #[must_use]
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// One JSON object, indented: `title`, `subject`, `date`, `cut_short` if the
    /// run ended early, and `rows`, each with `id`, `title`, `verdict`, `outcome`, `evidence`, `consequence`.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and nothing else: this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// JUnit's XML: one suite, one case for each row.
    ///
    /// # Errors
    ///
    /// If the XML cannot be written, which no row brings about.
    pub fn junit(&self) -> io::Result<String> {
        junit::render(self)
    }

    /// A page of HTML that needs no other file.
    #[must_use]
    pub fn html(&self) -> String {
        html::render(self)
    }

    /// The verdicts and how many rows have them, on one line.
    fn summary(&self) -> String {
        let counts = self.counts();
        let words = counts
            .iter()
            .map(|(verdict, count)| format!("{count} {}", verdict.word));
        let summary = words.collect::<Vec<_>>().join(", ");
        match &self.cut_short {
            Some(why) => format!("{summary}; the run ended early: {why}"),
            None => summary,
        }
    }
}

impl Row {
    /// A row without evidence.
    #[must_use]
    pub fn new(id: &str, title: &str, verdict: Verdict) -> Self {
        Self {
            id: line(id),
            title: line(title),
            verdict,
            evidence: String::new(),
            consequence: String::new(),
        }
    }

    /// What shows it, in at most [`MAX_EVIDENCE_LINES`] lines of at most
    /// [`MAX_LINE`] octets; what is more is left out, and the place marked.
    #[must_use]
    pub fn with_evidence(mut self, text: impl AsRef<str>) -> Self {
        self.evidence = lines(text.as_ref());
        self
    }

    /// What follows from it, in a sentence or two.
    #[must_use]
    pub fn with_consequence(mut self, text: impl AsRef<str>) -> Self {
        self.consequence = lines(text.as_ref());
        self
    }

    /// The name of the row: a statement, a clause or a scenario.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The question.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The answer.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What shows it; empty if nothing does.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// What follows from it; empty if nothing does.
    #[must_use]
    pub fn consequence(&self) -> &str {
        &self.consequence
    }
}

impl Verdict {
    /// A verdict.
    #[must_use]
    pub const fn new(word: &'static str, outcome: Outcome) -> Self {
        Self { word, outcome }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// What it means for the whole.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        self.outcome
    }
}

fn date<S: Serializer>(date: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

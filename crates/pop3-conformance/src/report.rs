//! Reports, and their output formats.
//!
//! `pop3 check` and `pop3 audit` both end with a [`Report`], which can be written
//! as a table for a terminal, JSON, JUnit or an HTML page. Texts of a peer are
//! hostile: every text in a report is first [made safe](shown) and bounded, so that
//! no format can contain a control character or grow without limit.
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
//!         .with_consequence("Outlook treats the connection as broken."),
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

/// A list of rows, with its title, subject and date.
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

/// One rule and its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    id: String,
    title: String,
    #[serde(flatten)]
    verdict: Verdict,
    evidence: String,
    consequence: String,
}

/// The word for a result, and its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Verdict {
    #[serde(rename = "verdict")]
    word: &'static str,
    outcome: Outcome,
}

/// What a verdict means for the whole report: it decides the colour, the exit
/// status, and how JUnit counts the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Good,
    /// Not tested, or not testable.
    Skipped,
    /// Worth knowing, but not a failure.
    Noted,
    /// A failure.
    Bad,
}

impl Report {
    /// A report without rows. The subject is the program or server that was tested,
    /// with its version if that is known.
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

    /// Appends a row.
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

    /// The question that the report answers.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The program or server that was tested.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The date and time in UTC, such as `2026-11-25T01:02:03Z`.
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

    /// The number of rows with each verdict, in the order of their first rows.
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
    /// If the XML cannot be written, which no row can cause.
    pub fn junit(&self) -> io::Result<String> {
        junit::render(self)
    }

    /// An HTML page that needs no other file.
    #[must_use]
    pub fn html(&self) -> String {
        html::render(self)
    }

    /// The verdicts and their numbers of rows, on one line.
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

    /// Adds evidence: at most [`MAX_EVIDENCE_LINES`] lines of at most [`MAX_LINE`]
    /// octets. Excess lines are left out, and the place is marked.
    #[must_use]
    pub fn with_evidence(mut self, text: impl AsRef<str>) -> Self {
        self.evidence = lines(text.as_ref());
        self
    }

    /// Adds the consequence, in one or two sentences.
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

    /// The rule.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The verdict.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The evidence; empty if there is none.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// The consequence; empty if there is none.
    #[must_use]
    pub fn consequence(&self) -> &str {
        &self.consequence
    }
}

impl Verdict {
    /// A verdict with this word and outcome.
    #[must_use]
    pub const fn new(word: &'static str, outcome: Outcome) -> Self {
        Self { word, outcome }
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// The outcome.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        self.outcome
    }
}

fn date<S: Serializer>(date: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

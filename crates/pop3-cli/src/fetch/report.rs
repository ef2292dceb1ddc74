//! The report of a run: a progress bar on a terminal, a line at the end, or JSON.

use std::{
    cell::RefCell,
    io::{IsTerminal as _, Write as _},
};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use pop3_fetch::{Key, Place, Plan, Summary};
use pop3_proto::{Counted, Escaped, MessageNumber};
use pop3_tokio::client::Redactor;
use serde::Serialize;

use super::{NAME, job::Job};
use crate::{exit::say, headers::Fields};

/// A line of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Message {
        account: &'a str,
        #[serde(rename = "unique-id")]
        unique_id: String,
        copy: u32,
        octets: u64,
    },
    Plan {
        account: &'a str,
        retrieve: usize,
        delete: usize,
        held: usize,
    },
    Header {
        account: &'a str,
        number: u32,
        #[serde(flatten)]
        fields: &'a Fields,
    },
    Summary {
        account: &'a str,
        delivered: usize,
        octets: u64,
        deleted: usize,
        caught_up: usize,
        held: usize,
        too_large: usize,
        over_limit: usize,
        nameless: usize,
        changed: usize,
        refused: usize,
        declined: usize,
        doubtful: usize,
    },
}

/// Where the report goes, and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    account: String,
    json: bool,
    quiet: bool,
    /// Whether standard output carries the messages.
    stdout_taken: bool,
    catch_up: bool,
    repeats: bool,
}

impl Report {
    pub(crate) fn new(job: &Job) -> Self {
        Self {
            account: job.remote.account(),
            json: job.json,
            quiet: job.quiet,
            stdout_taken: job.to == Some(Place::Stdout),
            catch_up: job.catches_up(),
            repeats: job.repeats,
        }
    }

    /// Reports a delivered message.
    pub(crate) fn message(&self, key: &Key, octets: u64) {
        if self.json {
            self.json(&Line::Message {
                account: &self.account,
                unique_id: Escaped(&key.unique_id).to_string(),
                copy: key.copy,
                octets,
            });
        }
    }

    /// Reports what a run without `--dry-run` would do.
    pub(crate) fn plan(&self, plan: &Plan) {
        let (retrieve, held) = (plan.retrieve.len() + plan.doubtful.len(), plan.held);
        let delete = plan.delete.len()
            + match plan.delete_retrieved {
                true => retrieve,
                false => 0,
            };
        if self.json {
            self.json(&Line::Plan {
                account: &self.account,
                retrieve,
                delete,
                held,
            });
        } else {
            self.line(&format!(
                "{}: {retrieve} to fetch, {delete} to delete, {held} fetched before{}",
                self.account,
                left(&Summary {
                    too_large: plan.too_large,
                    over_limit: plan.over_limit,
                    nameless: plan.nameless,
                    ..Summary::default()
                })
            ));
        }
    }

    /// Reports the header of a message that a run without `--dry-run` would fetch.
    pub(crate) fn header(&self, number: u32, fields: &Fields) {
        match self.json {
            true => self.json(&Line::Header {
                account: &self.account,
                number,
                fields,
            }),
            false => self.line(&format!("{number:>8} {fields}")),
        }
    }

    /// Reports the end of the run. A single run without news prints this on a terminal
    /// only.
    pub(crate) fn summary(&self, summary: &Summary, is_success: bool) {
        if self.json {
            self.json(&Line::Summary {
                account: &self.account,
                delivered: summary.delivered,
                octets: summary.octets,
                deleted: summary.deleted,
                caught_up: summary.caught_up,
                held: summary.held,
                too_large: summary.too_large,
                over_limit: summary.over_limit,
                nameless: summary.nameless,
                changed: summary.changed,
                refused: summary.refused,
                declined: summary.declined,
                doubtful: summary.doubtful,
            });
            return;
        }
        if self.catch_up && !self.quiet {
            let recorded = Counted(summary.caught_up, "message");
            self.line(&format!(
                "{}: {recorded} recorded as fetched, {} known before{}",
                self.account,
                summary.held,
                left(summary)
            ));
            return;
        }
        let news = summary.delivered > 0 || summary.deleted > 0;
        // With `--every`, each run prints one line: this, or why it failed.
        let is_due = news || (self.repeats && is_success);
        if self.quiet || !(is_due || std::io::stdout().is_terminal()) {
            return;
        }
        let mut line = format!("{}: {} new", self.account, summary.delivered);
        if summary.delivered > 0 {
            line.push_str(&format!(" ({})", HumanBytes(summary.octets)));
        }
        if summary.deleted > 0 {
            line.push_str(&format!(", {} deleted on the server", summary.deleted));
        }
        line.push_str(&left(summary));
        self.line(&line);
    }

    /// Prints a warning.
    pub(crate) fn warn(&self, what: impl std::fmt::Display) {
        say(NAME, format_args!("{}: {what}", self.account));
    }

    fn json(&self, line: &Line<'_>) {
        if let Ok(line) = serde_json::to_string(line) {
            self.line(&line);
        }
    }

    fn line(&self, line: &str) {
        let line: String = line.chars().chain(['\n']).collect();
        // A failure to write the report does not fail the run.
        let _ = match self.stdout_taken {
            true => std::io::stderr().write_all(line.as_bytes()),
            false => std::io::stdout().write_all(line.as_bytes()),
        };
    }

    /// A bar of octets, rate and time left, drawn on a terminal only.
    pub(crate) fn bar(&self, bars: &MultiProgress, octets: u64) -> ProgressBar {
        if self.quiet || bars.is_hidden() {
            return ProgressBar::hidden();
        }
        let template = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        let style = ProgressStyle::with_template(template);
        let bar = bars.add(ProgressBar::new(octets));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(self.account.clone());
        bar
    }
}

/// The report of one session, with a bar while messages arrive.
pub(crate) struct Progress<'a> {
    pub(super) report: &'a Report,
    bars: &'a MultiProgress,
    redactor: Redactor,
    bar: RefCell<ProgressBar>,
    /// What a run without `--dry-run` would retrieve.
    planned: RefCell<Vec<MessageNumber>>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(report: &'a Report, bars: &'a MultiProgress, redactor: Redactor) -> Self {
        Self {
            report,
            bars,
            redactor,
            bar: RefCell::new(ProgressBar::hidden()),
            planned: RefCell::default(),
        }
    }

    pub(super) fn planned(&self) -> Vec<MessageNumber> {
        self.planned.borrow().clone()
    }
}

impl pop3_fetch::Report for Progress<'_> {
    fn begins(&self, octets: u64) {
        self.bar.replace(self.report.bar(self.bars, octets));
    }

    fn received(&self, octets: u64) {
        self.bar.borrow().inc(octets);
    }

    fn ends(&self) {
        self.bar.borrow().finish_and_clear();
    }

    fn warn(&self, what: &str) {
        self.report.warn(what);
    }

    fn shown(&self, text: &[u8]) -> String {
        self.redactor.shown(text)
    }

    fn plan(&self, plan: &Plan) {
        let all = plan.retrieve.iter().chain(&plan.doubtful);
        self.planned
            .replace(all.map(|message| message.number).collect());
        self.report.plan(plan);
    }
}

/// The messages that stay on the server unfetched, and why.
fn left(summary: &Summary) -> String {
    let mut text = String::new();
    for (count, what) in [
        (summary.too_large, "larger than --max-size"),
        (summary.over_limit, "left by --limit"),
        (summary.nameless, "without a unique-id"),
        (summary.refused, "refused by the server"),
        (summary.declined, "declined by --to"),
        (summary.doubtful, "in doubt"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

//! What a run says: a bar on a terminal, a line at the end, or JSON.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{NAME, delivery::Place, job::Job, journal::Key, plan::Plan};
use crate::exit::say;

/// What was done for one account.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) account: String,
    /// Messages delivered by this run.
    pub(crate) delivered: usize,
    /// Their octets on the wire, decoded.
    pub(crate) octets: u64,
    /// Messages deleted on the server, confirmed.
    pub(crate) deleted: usize,
    /// Messages on the server that were delivered before.
    pub(crate) held: usize,
    pub(crate) too_large: usize,
    pub(crate) over_limit: usize,
    pub(crate) nameless: usize,
    pub(crate) changed: usize,
    pub(crate) refused: usize,
}

impl Summary {
    pub(crate) fn of(account: String, plan: &Plan) -> Self {
        Self {
            account,
            held: plan.held,
            too_large: plan.too_large,
            over_limit: plan.over_limit,
            nameless: plan.nameless,
            changed: plan.changed,
            ..Self::default()
        }
    }
}

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
    Summary {
        #[serde(flatten)]
        summary: &'a Summary,
    },
}

/// Where to and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    account: String,
    json: bool,
    quiet: bool,
    /// Standard output has the messages.
    stdout_taken: bool,
}

impl Report {
    pub(crate) fn new(job: &Job) -> Self {
        Self {
            account: job.remote.account(),
            json: job.json,
            quiet: job.quiet,
            stdout_taken: job.to == Place::Stdout,
        }
    }

    /// A message was delivered.
    pub(crate) fn message(&self, key: &Key, octets: u64) {
        if self.json {
            self.json(&Line::Message {
                account: &self.account,
                unique_id: key.unique_id.escape_ascii().to_string(),
                copy: key.copy,
                octets,
            });
        }
    }

    /// What `--dry-run` would do.
    pub(crate) fn plan(&self, plan: &Plan) {
        let (retrieve, held) = (plan.retrieve.len(), plan.held);
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
                left(&Summary::of(String::new(), plan))
            ));
        }
    }

    /// The end. Without news only a terminal is told.
    pub(crate) fn summary(&self, summary: &Summary) {
        if self.json {
            self.json(&Line::Summary { summary });
            return;
        }
        let news = summary.delivered > 0 || summary.deleted > 0;
        if self.quiet || !(news || std::io::stdout().is_terminal()) {
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

    /// Something to know that is no failure.
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
        // If nobody can read it, so be it.
        let _ = match self.stdout_taken {
            true => std::io::stderr().write_all(line.as_bytes()),
            false => std::io::stdout().write_all(line.as_bytes()),
        };
    }

    /// Octets, rate and time left; drawn on a terminal only.
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

/// What stays on the server unfetched, and why.
fn left(summary: &Summary) -> String {
    let mut text = String::new();
    for (count, what) in [
        (summary.too_large, "larger than --max-size"),
        (summary.over_limit, "left by --limit"),
        (summary.nameless, "without a unique-id"),
        (summary.refused, "refused by the server"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

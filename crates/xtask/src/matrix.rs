//! `cargo xtask matrix`

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    matrix::subject::{Kind, Subject},
    shell::{command, root, run},
};

mod cases;
mod client;
mod html;
mod markdown;
mod material;
mod server;
mod subject;
#[cfg(test)]
mod tests;
mod timed;

/// Audit every client and check every server that is installed, ours among
/// them; write docs/MATRIX.md and docs/matrix.html
#[derive(clap::Args)]
pub(crate) struct Matrix {
    /// Only these, such as mpop or popa3d; the others as they were found last
    #[arg(value_name = "SUBJECT")]
    only: Vec<String>,
    /// Run nothing; write the pages of what was found last
    #[arg(long, conflicts_with = "only")]
    pages: bool,
    /// Stop a subject after so many minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
}

/// What an answer is to a judgement of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Good,
    Skipped,
    Noted,
    Bad,
}

impl Matrix {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let names: Vec<_> = [Kind::Server, Kind::Client]
            .into_iter()
            .flat_map(|kind| names(kind).into_iter().map(move |name| (kind, name)))
            .collect();
        self.know_all(&names)?;
        if !self.pages {
            run(&mut command("cargo build --release --locked -p pop3-cli"))?;
        }
        let mut subjects = Vec::new();
        for (at, (kind, name)) in names.iter().enumerate() {
            subjects.push(match self.wants(name) {
                true => {
                    eprintln!("[{}/{}] {name}", at + 1, names.len());
                    self.found_now(*kind, name)?
                }
                false => found_last(name)?,
            });
        }
        let docs = root().join("docs");
        fs::write(docs.join("MATRIX.md"), markdown::page(&subjects))?;
        fs::write(docs.join("matrix.html"), html::page(&subjects))?;
        eprintln!("written: docs/MATRIX.md, docs/matrix.html");
        let failing = ours_failing(&subjects);
        ensure!(
            failing.is_empty(),
            "ours does not pass: {}",
            failing.join(", ")
        );
        Ok(())
    }

    fn know_all(&self, names: &[(Kind, &str)]) -> anyhow::Result<()> {
        for only in &self.only {
            let names: Vec<_> = names.iter().map(|(_, name)| *name).collect();
            ensure!(
                names.contains(&only.as_str()),
                "no such subject as {only}; there are {}",
                names.join(", ")
            );
        }
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        !self.pages && (self.only.is_empty() || self.only.iter().any(|only| only == name))
    }

    /// Runs a subject, and keeps what is found.
    fn found_now(&self, kind: Kind, name: &str) -> anyhow::Result<Subject> {
        let limit = Duration::from_secs(60 * self.minutes);
        let subject = match kind {
            Kind::Server => server::check(name, limit)?,
            Kind::Client => client::audit(name, limit)?,
        };
        eprintln!("    {}", subject.summary());
        fs::create_dir_all(root().join(KEPT))?;
        fs::write(kept(name), serde_json::to_string(&subject)?)?;
        Ok(subject)
    }
}

/// All servers, or all clients, ours first.
fn names(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Server => server::names(),
        Kind::Client => client::names(),
    }
}

fn found_last(name: &str) -> anyhow::Result<Subject> {
    let text = fs::read_to_string(kept(name))
        .with_context(|| format!("{name} was never run: run it as well"))?;
    serde_json::from_str(&text).with_context(|| format!("what is kept of {name}"))
}

/// Where results are kept.
const KEPT: &str = "target/matrix";

/// Where the last result of a subject is.
fn kept(name: &str) -> PathBuf {
    root().join(KEPT).join(format!("{name}.json"))
}

/// The rows that our own server and client fail, or what they were not run for.
fn ours_failing(subjects: &[Subject]) -> Vec<String> {
    let ours = subjects.iter().filter(|subject| subject.is_ours());
    ours.flat_map(|subject| match &subject.found {
        Ok(rows) => rows
            .iter()
            .filter(|row| row.outcome == Outcome::Bad)
            .map(|row| format!("{} {}", subject.name, row.id))
            .collect(),
        Err(why) => vec![format!("{} ({why})", subject.name)],
    })
    .collect()
}

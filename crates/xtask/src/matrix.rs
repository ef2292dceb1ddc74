//! `cargo xtask matrix`

use std::{env, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    matrix::subject::{Kind, Subject},
    shell::{command, root, run},
};

pub(crate) use suite::Suite;

mod cases;
mod client;
mod findings;
mod html;
mod markdown;
mod material;
mod server;
mod subject;
mod suite;
#[cfg(test)]
mod tests;
mod timed;

/// Audit every client and check every server that is installed, ours among
/// them; write docs/MATRIX.md, docs/matrix.html and docs/FINDINGS.md
#[derive(clap::Args)]
pub(crate) struct Matrix {
    /// Only these, such as mpop or popa3d; the others as they were found last
    #[arg(value_name = "SUBJECT")]
    only: Vec<String>,
    /// Run nothing; write the pages of what was found last
    #[arg(long, conflicts_with = "only")]
    pages: bool,
    /// Run the programs of this release of Debian, which `cargo xtask peers --suite`
    /// installs
    #[arg(long, value_enum, default_value_t = Suite::Machine)]
    suite: Suite,
    /// Stop a subject after so many minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// This process is in the suite already
    #[arg(long, hide = true)]
    inside: bool,
}

/// What an answer is to a judgement of the whole.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Good,
    Skipped,
    Noted,
    Bad,
}

impl Matrix {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if self.inside {
            return self.run_subjects();
        }
        self.know_all()?;
        if !self.pages {
            run(&mut command("cargo build --release --locked -p pop3-cli"))?;
            match self.suite {
                Suite::Machine => self.run_subjects()?,
                suite => self.enter(suite)?,
            }
        }
        let subjects = found_last()?;
        let docs = root().join("docs");
        fs::write(docs.join("MATRIX.md"), markdown::page(&subjects))?;
        fs::write(docs.join("matrix.html"), html::page(&subjects))?;
        fs::write(docs.join("FINDINGS.md"), findings::page(&subjects)?)?;
        eprintln!("written: docs/MATRIX.md, docs/matrix.html, docs/FINDINGS.md");
        let failing = ours_failing(&subjects);
        ensure!(
            failing.is_empty(),
            "ours does not pass: {}",
            failing.join(", ")
        );
        Ok(())
    }

    fn know_all(&self) -> anyhow::Result<()> {
        let names: Vec<_> = all_names().into_iter().map(|(_, name)| name).collect();
        for only in &self.only {
            ensure!(
                names.contains(&only.as_str()),
                "no such subject as {only}; there are {}",
                names.join(", ")
            );
        }
        Ok(())
    }

    /// Runs this program again, where the suite is what is installed.
    fn enter(&self, suite: Suite) -> anyhow::Result<()> {
        let mut inside = suite.command(&env::current_exe()?)?;
        inside
            .args(["matrix", "--inside", "--suite", suite.name(), "--minutes"])
            .arg(self.minutes.to_string())
            .args(&self.only);
        run(&mut inside)
    }

    fn run_subjects(&self) -> anyhow::Result<()> {
        let mut names = all_names();
        names.retain(|(_, name)| self.wants(name));
        for (at, (kind, name)) in names.iter().enumerate() {
            eprintln!("[{}/{}] {name}", at + 1, names.len());
            self.find(*kind, name)?;
        }
        Ok(())
    }

    /// Ours is of no suite.
    fn wants(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|only| only == name))
            && (self.suite == Suite::Machine || !subject::is_ours(name))
    }

    /// Runs a subject, and keeps what is found.
    fn find(&self, kind: Kind, name: &str) -> anyhow::Result<()> {
        let limit = Duration::from_secs(60 * self.minutes);
        let subject = match kind {
            Kind::Server => server::check(name, limit)?,
            Kind::Client => client::audit(name, limit)?,
        };
        eprintln!("    {}", subject.summary());
        fs::create_dir_all(self.suite.kept())?;
        fs::write(kept(self.suite, name), serde_json::to_string(&subject)?)?;
        Ok(())
    }
}

/// All servers, or all clients, ours first.
fn names(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Server => server::names(),
        Kind::Client => client::names(),
    }
}

/// The names of all, with what they are.
fn all_names() -> Vec<(Kind, &'static str)> {
    let kinds = [Kind::Server, Kind::Client].into_iter();
    kinds
        .flat_map(|kind| names(kind).into_iter().map(move |name| (kind, name)))
        .collect()
}

/// What was found of each that ran, the releases of a program side by side.
fn found_last() -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for (_, name) in all_names() {
        for suite in Suite::ALL {
            let path = kept(suite, name);
            if !path.exists() {
                continue;
            }
            let subject: Subject = serde_json::from_str(&fs::read_to_string(&path)?)
                .with_context(|| format!("what is kept in {}", path.display()))?;
            if subject.found.is_ok() || subject.is_ours() {
                subjects.push(subject);
            }
        }
    }
    for ours in [server::OURS, client::OURS] {
        ensure!(
            subjects.iter().any(|subject| subject.name == ours),
            "{ours} was never run: run it as well"
        );
    }
    Ok(subjects)
}

/// Where the last result of a subject is.
fn kept(suite: Suite, name: &str) -> PathBuf {
    suite.kept().join(format!("{name}.json"))
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

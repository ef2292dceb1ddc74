//! `cargo xtask matrix`

use std::{env, fs};

use anyhow::{Context as _, ensure};

use crate::shell::{command, root, run};
use subject::{Outcome, Subject};

pub(crate) use suite::Suite;

mod client;
mod markdown;
mod server;
mod subject;
mod suite;
#[cfg(test)]
mod tests;

/// Audit every installed client and check every installed server, including ours; write
/// docs/MATRIX.md
#[derive(clap::Args)]
pub(crate) struct Matrix {
    /// Run only these, such as mpop or popa3d; keep the last results of the others
    #[arg(value_name = "SUBJECT")]
    only: Vec<String>,
    /// Run nothing; write the page from the last results
    #[arg(long, conflicts_with = "only")]
    page: bool,
    /// Run the programs of this release of Debian, which `cargo xtask peers --suite` installs
    #[arg(long, value_enum, default_value_t = Suite::Machine)]
    suite: Suite,
    /// Stop a subject after this many minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// This process already runs in the suite
    #[arg(long, hide = true)]
    inside: bool,
}

impl Matrix {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if self.inside {
            return self.run_subjects();
        }
        let names = [server::names(), client::names()].concat();
        for only in &self.only {
            ensure!(
                names.contains(&only.as_str()),
                "no such subject as {only}; there are {}",
                names.join(", ")
            );
        }
        if !self.page {
            run(&mut command("cargo build --release --locked -p pop3-cli"))?;
            match self.suite {
                Suite::Machine => self.run_subjects()?,
                suite => self.enter(suite)?,
            }
        }
        let subjects = found_last(&names)?;
        let path = root().join("docs/MATRIX.md");
        let page = markdown::page(&fs::read_to_string(&path)?, &subjects);
        fs::write(path, page)?;
        eprintln!("written: docs/MATRIX.md");
        let ours = subjects.iter().filter(|subject| is_ours(&subject.name));
        let rows = ours.flat_map(|subject| &subject.report.rows);
        let failing = rows.filter(|row| row.outcome == Outcome::Bad);
        let failing: Vec<_> = failing.map(|row| &*row.id).collect();
        ensure!(failing.is_empty(), "ours fails: {}", failing.join(", "));
        Ok(())
    }

    /// Runs this program again inside the suite.
    fn enter(&self, suite: Suite) -> anyhow::Result<()> {
        let mut inside = suite.command("enter");
        inside
            .arg(env::current_exe()?)
            .args(["matrix", "--inside", "--suite", suite.name(), "--minutes"])
            .arg(self.minutes.to_string())
            .args(&self.only);
        run(&mut inside)
    }

    /// Runs the requested subjects and keeps the results; ours belong to no suite.
    fn run_subjects(&self) -> anyhow::Result<()> {
        let servers = server::names();
        for name in [servers.clone(), client::names()].concat() {
            let is_wanted = self.only.is_empty() || self.only.iter().any(|only| only == name);
            if !is_wanted || self.suite != Suite::Machine && is_ours(name) {
                continue;
            }
            let found = match servers.contains(&name) {
                true => server::check(name, self.minutes),
                false => client::audit(name, self.minutes),
            };
            let kept = self.suite.kept().join(format!("{name}.json"));
            match found {
                Ok(subject) => {
                    eprintln!("{name}: {}", subject.summary());
                    fs::create_dir_all(self.suite.kept())?;
                    fs::write(kept, serde_json::to_string(&subject)?)?;
                }
                Err(why) => {
                    eprintln!("{name}: not run here: {why:#}");
                    let _ = fs::remove_file(kept);
                }
            }
        }
        Ok(())
    }
}

/// Whether a name is that of our server or our client.
fn is_ours(name: &str) -> bool {
    [server::OURS, client::OURS].contains(&name)
}

/// The results of each subject that ran, with the releases of a program together.
fn found_last(names: &[&str]) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for name in names {
        let before = subjects.len();
        for suite in Suite::ALL {
            let path = suite.kept().join(format!("{name}.json"));
            if let Ok(text) = fs::read_to_string(&path) {
                let subject = serde_json::from_str(&text);
                subjects.push(subject.with_context(|| format!("in {}", path.display()))?);
            }
        }
        ensure!(
            !is_ours(name) || subjects.len() > before,
            "there is no result of {name}: run `cargo xtask matrix '{name}'`"
        );
    }
    Ok(subjects)
}

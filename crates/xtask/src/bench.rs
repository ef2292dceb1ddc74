//! `cargo xtask bench`

use std::{fs, path::PathBuf};

use anyhow::ensure;

use crate::{bench::measure::Measurements, shell::root, table::with_part};

mod last;
mod measure;
mod plot;
mod ratio;
mod report;
mod target;

/// Measure throughput beside peers and limits; write docs/BENCHMARKS.md,
/// docs/benchmarks.svg and the table of README.md
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// How often the subjects take turns; the median of the ratios counts
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// One round, for a first look; writes no files
    #[arg(long)]
    quick: bool,
    /// One payload only, such as base64; writes no files
    #[arg(long, value_name = "PAYLOAD")]
    filter: Option<String>,
    /// Compare with the ratios in this file, and leave those of this run there
    #[arg(long, value_name = "FILE")]
    last: Option<PathBuf>,
    /// Fail if a required ratio is missed
    #[arg(long)]
    check: bool,
}

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let rounds = if self.quick { 1 } else { self.rounds };
        let measured = Measurements::make(rounds, self.filter.as_deref())?;
        let verdicts = target::judge(&measured);
        let tables = report::tables(&measured, &verdicts);
        print!("{tables}");
        if self.quick || self.filter.is_some() {
            eprintln!("docs/ is left as it is: only a full run replaces it");
        } else {
            ensure!(
                verdicts.iter().all(|verdict| verdict.reached.is_some()),
                "not everything was measured, so docs/ is left as it is"
            );
            let docs = root().join("docs");
            fs::create_dir_all(&docs)?;
            fs::write(docs.join("BENCHMARKS.md"), report::page(&tables, rounds)?)?;
            fs::write(docs.join("benchmarks.svg"), plot::svg(&measured))?;
            let readme = root().join("README.md");
            let page = fs::read_to_string(&readme)?;
            fs::write(
                &readme,
                with_part(&page, "ratios", &report::required(&verdicts))?,
            )?;
            eprintln!("written: docs/BENCHMARKS.md, docs/benchmarks.svg, the table of README.md");
        }
        if let Some(path) = &self.last {
            last::compare(path, &verdicts)?;
        }
        let missed = verdicts.iter().filter(|verdict| !verdict.holds()).count();
        ensure!(
            !self.check || missed == 0,
            "required ratios missed: {missed}"
        );
        Ok(())
    }
}

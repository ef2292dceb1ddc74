//! Hours fuzzed in total, and the corpus that came of them, in VERIFICATION.md.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;

use crate::{
    fuzz::target::{Target, files},
    table::{Table, rows},
    verification,
};

/// How long one core has fuzzed a target.
#[derive(Clone, Copy, Default)]
struct Work {
    minutes: u64,
    executions: u64,
}

/// Adds a run that found no violation.
pub(crate) fn add(target: &Target, seconds: u32, executions: u64) -> anyhow::Result<()> {
    let page = verification::read()?;
    let mut done = BTreeMap::new();
    for row in rows(&page, "campaign")? {
        let number = |column: usize| {
            let cell = row.get(column).context("a cell is missing")?;
            cell.parse()
                .with_context(|| format!("VERIFICATION.md, campaign: {cell}"))
        };
        let work = Work {
            minutes: number(1)?,
            executions: number(2)?,
        };
        done.insert(row[0], work);
    }
    let work = done.entry(&target.name).or_default();
    work.minutes += u64::from(seconds / 60);
    work.executions += executions;

    let mut table = Table::new(
        &["target"],
        &["minutes", "executions", "inputs found", "octets"],
    );
    let mut minutes = 0;
    for target in Target::all()? {
        let work = done.get(&target.name[..]).copied().unwrap_or_default();
        minutes += work.minutes;
        let kept = files(&target.kept())?;
        let octets = kept
            .iter()
            .map(|path| Ok(fs::metadata(path)?.len()))
            .sum::<anyhow::Result<u64>>()?;
        let mut row = vec![target.name];
        row.extend(
            [work.minutes, work.executions, kept.len() as u64, octets]
                .map(|number| number.to_string()),
        );
        table.rows.push(row);
    }
    let hours = minutes as f64 / 60.0;
    verification::write(
        "campaign",
        &format!("{table}\n{hours:.1} hours of one core in total.\n"),
    )
}

//! The required ratios, beside those of the last run.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, ensure};

use crate::{
    bench::{ratio::digits, target::Verdict},
    table::Table,
};

/// How much of a ratio may be lost from one run to the next: identical code
/// scatters by nearly as much.
const TOLERANCE: f64 = 0.2;

/// Medians by what was measured.
type Medians = BTreeMap<String, f64>;

/// Compares with the medians that the last run has left in a file, if there
/// was one, and leaves those of this run there.
pub(crate) fn compare(path: &Path, verdicts: &[Verdict]) -> anyhow::Result<()> {
    let now = medians(verdicts);
    let last = match path.exists() {
        true => read(&fs::read_to_string(path)?)?,
        false => Medians::new(),
    };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let lines = now
        .iter()
        .map(|(what, median)| format!("{what}\t{median}\n"));
    fs::write(path, lines.collect::<String>())?;

    let mut table = Table::new(&["ratio"], &["last", "now", "change in %"]);
    for (what, &median) in &now {
        if let Some(&before) = last.get(what) {
            let change = (median / before - 1.0) * 100.0;
            let row = [digits(before), digits(median), format!("{change:+.0}")];
            table.rows.push([vec![what.clone()], row.to_vec()].concat());
        }
    }
    println!("{table}");
    let lost = lost(&last, &now);
    ensure!(
        lost.is_empty(),
        "slower than in the last run: {}",
        lost.join(", ")
    );
    Ok(())
}

fn medians(verdicts: &[Verdict]) -> Medians {
    let median = |verdict: &Verdict| {
        let id = &verdict.id;
        let what = format!(
            "{} {} {}, {}: {}",
            id.direction, id.payload, id.subject, id.form, verdict.against
        );
        Some((what, verdict.reached?.median))
    };
    verdicts.iter().filter_map(median).collect()
}

fn read(text: &str) -> anyhow::Result<Medians> {
    let median = |line: &str| {
        let (what, median) = line.split_once('\t').context("no tab")?;
        anyhow::Ok((what.to_owned(), median.parse()?))
    };
    text.lines()
        .map(|line| median(line).with_context(|| format!("not a ratio: {line}")))
        .collect()
}

fn lost<'a>(last: &Medians, now: &'a Medians) -> Vec<&'a str> {
    let is_lost = |(what, median): &(&String, &f64)| {
        let before = last.get(*what);
        before.is_some_and(|before| **median < before * (1.0 - TOLERANCE))
    };
    let lost = now.iter().filter(is_lost);
    lost.map(|(what, _)| &what[..]).collect()
}

#[cfg(test)]
mod tests {
    use super::{lost, read};

    #[test]
    fn only_what_is_much_slower_is_lost() {
        let last = read("a\t1.0\nb\t2.0\nc\t1\n").expect("ratios");
        let now = read("a\t0.7\nb\t1.9\nnew\t0.1\n").expect("ratios");
        assert_eq!(lost(&last, &now), ["a"]);
        assert!(read("a 1.0").is_err());
    }
}

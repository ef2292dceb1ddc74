//! The tables, for the terminal and for docs/BENCHMARKS.md alike.

use std::fs;

use crate::{
    bench::{
        measure::{Id, Kind, Measurements, Payload, Subject},
        ratio::digits,
        target::Verdict,
    },
    shell::{command, output},
    table::Table,
};

/// The page of the documentation.
pub(crate) fn page(tables: &str, rounds: u32) -> anyhow::Result<String> {
    let rustc = output(&mut command("rustc --version"))?;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find(|line| line.starts_with("model name"));
    let cpu = cpu.and_then(|line| line.split_once(": "));
    let cpu = cpu.map_or("an unnamed CPU", |(_, name)| name);
    let rustc = rustc.trim();
    Ok(format!(
        "# Benchmarks

Written by `cargo xtask bench`, which makes this page and the plot again.
Measured on {cpu}, one core, with {rustc}.

![Decoding speed relative to memchr](benchmarks.svg)

The output of every subject is compared with the oracle before its clock
starts. Blocks are 64 MiB and listings a million lines, far beyond the caches, so the fast subjects run at
the speed of memory, which drifts: subjects take turns, {rounds} rounds of them
(fewer for the slow ones), and each ratio is the median of the ratios within a
round. GB/s are 10⁹ octets of input a second, the median of the rounds, and
count the time of the thread alone.

{tables}"
    ))
}

/// The required ratios, and all others.
pub(crate) fn tables(measured: &Measurements, verdicts: &[Verdict]) -> String {
    let decode = ["memchr limit", "memcpy", "byte loop"];
    let encode = ["memchr limit", "memcpy", "memchr by line"];
    let limit = &decode[..1];
    let decode = [("whole", &decode[..]), ("reads", limit), ("cached", limit)];
    let encode = [("whole", &encode[..]), ("reads", limit)];
    let reply = [("long-reads", &["codec alone", "memchr line ends"][..])];
    [
        format!("## Required ratios\n\n{}", required(verdicts)),
        speeds(measured, "Decoding", "decode", &decode),
        speeds(measured, "Encoding", "encode", &encode),
        speeds(measured, "Replies", "reply", &reply),
    ]
    .join("\n")
}

/// The table of the required ratios.
pub(crate) fn required(verdicts: &[Verdict]) -> String {
    let mut table = Table::new(
        &["payload", "subject", "form", "against"],
        &["required", "median", "min", "max", "reached"],
    );
    for verdict in verdicts {
        let id = &verdict.id;
        let mut row = vec![
            id.payload.clone(),
            format!("{} {}", id.direction, id.subject),
            form_in_words(&id.form).to_owned(),
            verdict.against.clone(),
            digits(verdict.least),
        ];
        match verdict.reached {
            Some(ratio) => {
                row.extend([ratio.median, ratio.least, ratio.most].map(digits));
                row.push(if verdict.holds() { "yes" } else { "**no**" }.to_owned());
            }
            None => row.extend(["", "", "", "not measured"].map(str::to_owned)),
        }
        table.rows.push(row);
    }
    table.to_string()
}

/// All speeds of one direction: for each form, and against these subjects.
fn speeds(
    measured: &Measurements,
    title: &str,
    direction: &str,
    forms: &[(&str, &[&str])],
) -> String {
    let mut columns = Vec::new();
    for (form, limits) in forms {
        columns.push(format!("{}: GB/s", form_in_words(form)));
        columns.extend(limits.iter().map(|limit| format!("× {limit}")));
    }
    let columns: Vec<_> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(&["payload", "subject"], &columns);
    let subjects = measured.subjects_of(direction);
    let payloads = measured.payloads_of(direction);
    for payload in &payloads {
        let is_measured = |subject: &&&Subject| {
            let id = |form| Id::new(direction, &payload.name, &subject.name, form);
            forms
                .iter()
                .any(|(form, _)| measured.speed(&id(form)).is_some())
        };
        for subject in subjects.iter().filter(is_measured) {
            let mut row = vec![payload.name.clone(), shown(subject)];
            for (form, limits) in forms {
                let id = Id::new(direction, &payload.name, &subject.name, form);
                row.push(measured.speed(&id).map(digits).unwrap_or_default());
                row.extend(limits.iter().map(|limit| {
                    let ratio = measured.ratio(&id, &id.with_subject(limit));
                    ratio.map(|ratio| digits(ratio.median)).unwrap_or_default()
                }));
            }
            table.rows.push(row);
        }
    }
    let mut text = format!("## {title}\n\n{table}\n");
    for Payload { name, about } in payloads {
        text += &format!("- {name}: {about}\n");
    }
    for Subject { name, remark, .. } in subjects {
        if !remark.is_empty() {
            text += &format!("- {name}: {remark}\n");
        }
    }
    text
}

fn shown(subject: &Subject) -> String {
    match subject.kind {
        Kind::Ours => format!("**{}**", subject.name),
        _ => subject.name.clone(),
    }
}

fn form_in_words(form: &str) -> &str {
    match form {
        "whole" => "64 MiB",
        "reads" => "16 KiB reads",
        "cached" => "16 KiB in cache",
        "long-reads" => "64 KiB reads",
        other => other,
    }
}

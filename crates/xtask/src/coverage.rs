//! `cargo xtask coverage`

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::{
    shell::{command, host, output, root, run},
    table::Table,
    tool, verification,
};

/// Measure which lines and regions of the codec and the protocol run: by the
/// corpora alone, by generated input alone, and by all tests of what has no
/// sockets and files
#[derive(clap::Args)]
pub(crate) struct Coverage {
    /// Also write what does not run, line by line, into target/coverage
    #[arg(long)]
    text: bool,
}

/// A crate, and the least share of its lines and regions that the tests must
/// run, in percent.
const LEAST: [(&str, f64); 2] = [("dot-stuffing", 100.0), ("pop3-proto", 95.0)];

/// What runs, and the tests that make it run.
const RUNS: [(&str, &str); 3] = [
    ("the corpora alone", "--test corpus --test checks -- corpus"),
    (
        "generated input alone",
        "--test properties --test checks -- --skip corpus",
    ),
    ("all tests", ""),
];

/// Whose tests those are.
const TESTS: &str = "-p dot-stuffing -p pop3-proto -p pop3-testkit -p pop3-conformance";

impl Coverage {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::LLVM_COV.install()?;
        let llvm = llvm()?;
        let mut table = Table::new(
            &["crate", "what runs"],
            &["lines", "of", "%", "regions", "of", "%"],
        );
        let mut missed = Vec::new();
        for (what, tests) in RUNS {
            let report = self.measure(&llvm, what, tests)?;
            for (package, least) in LEAST {
                let Summary { lines, regions } = report.of(package);
                let mut row = vec![package.to_owned(), what.to_owned()];
                for part in [lines, regions] {
                    row.extend([part.covered.to_string(), part.count.to_string()]);
                    row.push(format!("{:.2}", part.percent()));
                    if tests.is_empty() && part.percent() < least {
                        missed.push(package);
                    }
                }
                table.rows.push(row);
            }
        }
        println!("{table}");
        verification::write("coverage", &table.to_string())?;
        missed.dedup();
        ensure!(
            missed.is_empty(),
            "too little runs of {}",
            missed.join(", ")
        );
        Ok(())
    }

    fn measure(&self, llvm: &Path, what: &str, tests: &str) -> anyhow::Result<Report> {
        let with_llvm = |mut command: Command| {
            command
                .env("LLVM_COV", llvm.join("llvm-cov"))
                .env("LLVM_PROFDATA", llvm.join("llvm-profdata"))
                .env("CARGO_LLVM_COV_SETUP", "no")
                // Longer strings reach no further lines.
                .env("POP3_EXHAUSTIVE_LENGTH", "5");
            command
        };
        let test = format!("cargo llvm-cov {TESTS} --all-features --no-report {tests}");
        // Programs too: what an earlier run has built would count as not run.
        run(&mut with_llvm(command("cargo llvm-cov clean --workspace")))?;
        run(&mut with_llvm(command(&test)))?;
        let report = "cargo llvm-cov report".to_owned();
        if self.text {
            let name = format!("{}.txt", what.replace(' ', "-"));
            let path = root().join("target/coverage").join(name);
            fs::create_dir_all(root().join("target/coverage"))?;
            let text = output(&mut with_llvm(command(&format!("{report} --text"))))?;
            fs::write(&path, text)?;
            eprintln!("written: {}", path.display());
        }
        let json = output(&mut with_llvm(command(&format!(
            "{report} --json --summary-only"
        ))))?;
        Report::read(&json)
    }
}

/// What llvm-cov says of each file.
struct Report(BTreeMap<PathBuf, Summary>);

impl Report {
    fn read(json: &str) -> anyhow::Result<Self> {
        let export: Export = serde_json::from_str(json).context("what llvm-cov says")?;
        let files = export.data.into_iter().flat_map(|part| part.files);
        Ok(Self(
            files.map(|file| (file.filename, file.summary)).collect(),
        ))
    }

    /// The sums over the sources of a crate.
    fn of(&self, package: &str) -> Summary {
        let directory = root().join("crates").join(package).join("src");
        let mut sum = Summary::default();
        for (path, summary) in &self.0 {
            if path.starts_with(&directory) {
                sum.lines.add(summary.lines);
                sum.regions.add(summary.regions);
            }
        }
        sum
    }
}

#[derive(Deserialize)]
struct Export {
    data: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: PathBuf,
    summary: Summary,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Summary {
    lines: Share,
    regions: Share,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Share {
    count: u64,
    covered: u64,
}

impl Share {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.covered += other.covered;
    }

    fn percent(self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.covered as f64 * 100.0 / count as f64,
        }
    }
}

/// Where the llvm-cov is that fits this rustc: the toolchain's own, or Debian's.
fn llvm() -> anyhow::Result<PathBuf> {
    let sysroot = output(&mut command("rustc --print sysroot"))?;
    let own = PathBuf::from(sysroot.trim())
        .join("lib/rustlib")
        .join(host()?)
        .join("bin");
    let version = output(&mut command("rustc -vV"))?;
    let version = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "));
    let major = version
        .and_then(|version| version.split('.').next())
        .context("rustc names no LLVM")?;
    let debian = PathBuf::from(format!("/usr/lib/llvm-{major}/bin"));
    for directory in [&own, &debian] {
        if directory.join("llvm-cov").exists() {
            return Ok(directory.clone());
        }
    }
    tool::debian(&[&format!("llvm-{major}")])?;
    match debian.join("llvm-cov").exists() {
        true => Ok(debian),
        false => bail!("there is no llvm-cov {major}; rustup calls it llvm-tools"),
    }
}

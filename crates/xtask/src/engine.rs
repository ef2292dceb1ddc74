//! `cargo xtask engine`

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};

use crate::{
    shell::{command, root, run},
    target::{Sanitizer, flag, is_violated, targets},
    tool,
};

/// Build the fuzz targets with .clusterfuzzlite/build.sh, as OSS-Fuzz and ClusterFuzzLite do, and
/// start each on its seeds; needs no Docker
#[derive(clap::Args)]
pub(crate) struct Engine {
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Engine {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let targets = targets()?;
        if !Path::new("/usr/bin/zip").exists() {
            tool::debian(&["zip"])?;
        }
        let scratch = tempfile::tempdir()?;
        let [source, out, work] = ["src", "out", "work"].map(|name| scratch.path().join(name));
        for directory in [&source, &out, &work] {
            fs::create_dir(directory)?;
        }
        std::os::unix::fs::symlink(root(), source.join("pop3-rs"))?;
        let mut build = command("bash .clusterfuzzlite/build.sh");
        build
            .env("SRC", &source)
            .env("OUT", &out)
            .env("WORK", &work)
            .env("FUZZING_LANGUAGE", "rust")
            .env("FUZZING_ENGINE", "libfuzzer")
            .env("ARCHITECTURE", "x86_64")
            .env("SANITIZER", self.sanitizer.name())
            // Otherwise everything would be compiled once more.
            .env("CARGO_TARGET_DIR", self.sanitizer.target_dir());
        if let Sanitizer::Address = self.sanitizer {
            // OSS-Fuzz uses a nightly rustc.
            build.env("RUSTC_BOOTSTRAP", "1");
        }
        run(&mut build)?;
        for target in targets {
            start(&target, &out)
                .with_context(|| format!("{target} as the engine would start it"))?;
        }
        Ok(())
    }
}

/// Starts a program with its options on its seeds.
fn start(target: &str, out: &Path) -> anyhow::Result<()> {
    let seeds = out.join(format!("{target}-seeds"));
    run(command("python3 -m zipfile --extract")
        .arg(out.join(format!("{target}_seed_corpus.zip")))
        .arg(&seeds))?;
    let packed = count_files(&seeds);
    let committed = ["", "regressions", "found"]
        .map(|part| count_files(&root().join("corpus").join(part).join(target)));
    let committed: usize = committed.iter().sum();
    ensure!(packed == committed, "{packed} seeds of {committed}");
    let options = fs::read_to_string(out.join(format!("{target}.options")))?;
    let options = options
        .strip_prefix("[libfuzzer]\n")
        .context("no section")?;
    let lengths = fs::read_to_string(root().join("fuzz/run"))?;
    let mut started = command("env");
    started.arg(out.join(target)).current_dir(out);
    for line in options.lines() {
        let option = format!("-{}", line.replacen(" = ", "=", 1));
        ensure!(
            !option.starts_with("-max_len") || lengths.contains(&format!("{option} ")),
            "fuzz/run has no {option}"
        );
        started.arg(option);
    }
    let artifacts = flag("-artifact_prefix=", &seeds.join(""));
    started.arg("-runs=0").arg(artifacts).arg(&seeds);
    ensure!(!is_violated(&mut started)?, "a seed violates the check");
    eprintln!("= {target}: {packed} seeds hold");
    Ok(())
}

/// The number of files in a directory; 0 if the directory is absent.
fn count_files(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

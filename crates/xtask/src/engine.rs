//! `cargo xtask engine`

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};

use crate::{
    fuzz::target::{MAX_LEN, Sanitizer, Target, Verdict, files, flag},
    shell::{command, program, root, run},
    tool,
};

/// Build the fuzz targets as OSS-Fuzz and ClusterFuzzLite do, by
/// .clusterfuzzlite/build.sh, and start each on its seeds; needs no Docker
#[derive(clap::Args)]
pub(crate) struct Engine {
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Engine {
    /// Without a sanitizer, whose build is the one for fuzzing here.
    pub(crate) const fn plain() -> Self {
        Self {
            sanitizer: Sanitizer::None,
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        tool::FUZZ.install()?;
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
            // Or everything would be compiled once more.
            .env("CARGO_TARGET_DIR", self.sanitizer.target_dir());
        if let Sanitizer::Address = self.sanitizer {
            // There, rustc is a nightly one.
            build.env("RUSTC_BOOTSTRAP", "1");
        }
        run(&mut build)?;
        for target in Target::all()? {
            start(&target, &out)
                .with_context(|| format!("{} as the engine would start it", target.name))?;
        }
        Ok(())
    }
}

/// Starts a program on its seeds, with its options.
fn start(target: &Target, out: &Path) -> anyhow::Result<()> {
    let beside = |end: &str| out.join(format!("{}{end}", target.name));
    let seeds = out.join(format!("{}-seeds", target.name));
    run(command("python3 -m zipfile --extract")
        .arg(beside("_seed_corpus.zip"))
        .arg(&seeds))?;
    let (packed, inputs) = (files(&seeds)?.len(), target.inputs()?.len());
    ensure!(packed == inputs, "{packed} seeds of {inputs}");
    let options = fs::read_to_string(beside(".options")).context("no options")?;
    let mut started = program(&out.join(&target.name));
    started.current_dir(out);
    let mut lines = options.lines();
    ensure!(lines.next() == Some("[libfuzzer]"), "options of what?");
    for line in lines {
        let (name, value) = line.split_once(" = ").context("an option has a value")?;
        ensure!(
            name != "max_len" || value == MAX_LEN.to_string(),
            "max_len is {MAX_LEN}"
        );
        started.arg(format!("-{name}={value}"));
    }
    started
        .arg("-runs=0")
        .arg(flag("-artifact_prefix=", &seeds.join("")))
        .arg(&seeds);
    let verdict = target.verdict(&mut started)?;
    ensure!(verdict == Verdict::Holds, "a seed violates the check");
    eprintln!("= {}: {packed} seeds hold", target.name);
    Ok(())
}

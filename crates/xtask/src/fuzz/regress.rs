//! `cargo xtask regress`

use std::{fs, path::PathBuf};

use anyhow::{Context as _, ensure};

use crate::{
    fuzz::target::{Sanitizer, Target, Verdict},
    shell::program,
};

/// Keep an input that violates a check, made small, in corpus/regressions
/// under the name of its bug; the tests replay it from then on
#[derive(clap::Args)]
pub(crate) struct Regress {
    /// The target that fails
    target: String,
    /// The input
    file: PathBuf,
    /// What the bug is, in small letters: `cr-before-dot-lost`
    name: String,
    /// What the target was built with when it failed
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
}

impl Regress {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        ensure!(
            is_name(&self.name),
            "`{}` is no name: small letters and digits, in words with hyphens between them",
            self.name
        );
        let target = &Target::chosen(Some(&self.target))?[0];
        let kept = target.regressions().join(&self.name);
        ensure!(!kept.exists(), "{} is there already", kept.display());
        let file = self
            .file
            .canonicalize()
            .with_context(|| format!("cannot find {}", self.file.display()))?;
        self.sanitizer.build()?;
        let replay = |path| {
            let mut program = program(&target.program(self.sanitizer)?);
            target.verdict(program.arg(path))
        };
        let (octets, verdict) = match replay(&file)? {
            Verdict::Violated => (target.minimize(self.sanitizer, &file)?, Verdict::Violated),
            Verdict::Holds => (fs::read(&file)?, Verdict::Holds),
        };
        fs::create_dir_all(target.regressions())?;
        fs::write(&kept, &octets)?;
        ensure!(replay(&kept)? == verdict, "what was kept behaves otherwise");
        println!("{}: `{}`", kept.display(), octets.escape_ascii());
        match verdict {
            Verdict::Violated => println!("It fails, as it should until the bug is fixed."),
            Verdict::Holds => println!("It holds: the bug is fixed, or was another target's."),
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        let is_right = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
        !word.is_empty() && word.bytes().all(is_right)
    };
    name.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_words_with_hyphens_between_them() {
        assert!(super::is_name("cr-before-dot-lost2"));
        for wrong in ["", "-", "a-", "A", "a b", "../a", "a_b"] {
            assert!(!super::is_name(wrong), "{wrong}");
        }
    }
}

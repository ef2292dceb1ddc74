//! The project's jobs as commands: `cargo xtask --help`. CI calls only these.

use std::process::ExitCode;

use clap::Parser;

mod api;
mod bare;
mod bench;
mod ci;
mod coverage;
mod engine;
mod exhaustive;
mod fuzz;
mod hosted;
#[cfg(unix)]
mod matrix;
mod mutants;
#[cfg(unix)]
mod peers;
mod powerloss;
mod shell;
mod table;
mod tool;
mod verification;
mod workflows;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The jobs of pop3-rs")]
enum Job {
    Advisories(hosted::Advisories),
    Api(api::Api),
    Bare(bare::Bare),
    Bench(bench::Bench),
    Ci(ci::Ci),
    Coverage(coverage::Coverage),
    Engine(engine::Engine),
    Exhaustive(exhaustive::Exhaustive),
    Fuzz(fuzz::Fuzz),
    Hunt(fuzz::hunt::Hunt),
    #[cfg(unix)]
    Matrix(matrix::Matrix),
    Miri(hosted::Miri),
    Mutants(mutants::Mutants),
    #[cfg(unix)]
    Peers(peers::Peers),
    Powerloss(powerloss::Powerloss),
    Regress(fuzz::regress::Regress),
    Replay(fuzz::replay::Replay),
    Strength(fuzz::strength::Strength),
    Targets(fuzz::targets::Targets),
    Workflows(workflows::Workflows),
}

fn main() -> ExitCode {
    let done = match Job::parse() {
        Job::Advisories(job) => job.run(),
        Job::Api(job) => job.run(),
        Job::Bare(job) => job.run(),
        Job::Bench(job) => job.run(),
        Job::Ci(job) => job.run(),
        Job::Coverage(job) => job.run(),
        Job::Engine(job) => job.run(),
        Job::Exhaustive(job) => job.run(),
        Job::Fuzz(job) => job.run(),
        Job::Hunt(job) => job.run(),
        #[cfg(unix)]
        Job::Matrix(job) => job.run(),
        Job::Miri(job) => job.run(),
        Job::Mutants(job) => job.run(),
        #[cfg(unix)]
        Job::Peers(job) => job.run(),
        Job::Powerloss(job) => job.run(),
        Job::Regress(job) => job.run(),
        Job::Replay(job) => job.run(),
        Job::Strength(job) => job.run(),
        Job::Targets(job) => job.run(),
        Job::Workflows(job) => job.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::{CommandFactory as _, Parser as _};

    use crate::{Job, fuzz::target::files, shell::root};

    /// What the workflows and .ci/run hand to `cargo xtask`: behind these words,
    /// or as an entry of a list named `job`.
    fn jobs(text: &str) -> Vec<String> {
        let mut jobs = Vec::new();
        let mut is_listed = false;
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.starts_with('#')) {
            is_listed = line == "job:" || is_listed && line.starts_with("- ");
            let job = match line.split_once("cargo xtask ") {
                // `<<<`: it is one of the list.
                Some((_, job)) => job.split([')', '"', '<']).next(),
                None if is_listed => line.strip_prefix("- "),
                None => None,
            };
            jobs.extend(job.filter(|job| !job.is_empty()).map(str::to_owned));
        }
        jobs
    }

    #[test]
    fn what_ci_calls_is_a_job() {
        let mut called = 0;
        let mut scripts = files(&root().join(".github/workflows")).expect("workflows");
        scripts.push(root().join(".ci/run"));
        for script in scripts {
            for job in jobs(&fs::read_to_string(&script).expect("a script")) {
                let words = ["cargo xtask"].into_iter().chain(job.split_whitespace());
                let parsed = Job::try_parse_from(words);
                assert!(parsed.is_ok(), "{}: `{job}`", script.display());
                called += 1;
            }
        }
        assert!(called > 10, "{called} jobs");
    }

    #[test]
    fn what_the_pages_tell_to_run_is_a_job() {
        let jobs = Job::command();
        for page in [
            "README.md",
            "CONTRIBUTING.md",
            "VERIFICATION.md",
            "docs/FUZZING.md",
        ] {
            let text = fs::read_to_string(root().join(page)).expect("a page");
            let words = text.split("cargo xtask ").skip(1);
            let words = words.filter_map(|rest| rest.split([' ', ',', '`', '\n']).next());
            let mut words = words.filter(|word| !word.starts_with('-')).peekable();
            assert!(words.peek().is_some(), "{page}");
            for word in words {
                assert!(jobs.find_subcommand(word).is_some(), "{page}: {word}");
            }
        }
    }

    #[test]
    fn jobs_are_found() {
        let text = "- run: a $(cargo xtask one --json)\njob:\n  - two\nenv:\n  - no\n";
        assert_eq!(jobs(text), ["one --json", "two"]);
    }
}

//! The project's jobs as commands: `cargo xtask --help`.

use std::process::ExitCode;

use clap::Parser;

mod bench;
mod ci;
#[cfg(unix)]
mod engine;
mod hunt;
#[cfg(unix)]
mod matrix;
#[cfg(unix)]
mod peers;
mod powerloss;
mod regress;
mod shell;
mod table;
mod target;
mod tool;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The jobs of pop3-rs")]
enum Job {
    Bench(bench::Bench),
    Ci(ci::Ci),
    #[cfg(unix)]
    Engine(engine::Engine),
    Hunt(hunt::Hunt),
    #[cfg(unix)]
    Matrix(matrix::Matrix),
    #[cfg(unix)]
    Peers(peers::Peers),
    Powerloss(powerloss::Powerloss),
    Regress(regress::Regress),
}

fn main() -> ExitCode {
    let done = match Job::parse() {
        Job::Bench(job) => job.run(),
        Job::Ci(job) => job.run(),
        #[cfg(unix)]
        Job::Engine(job) => job.run(),
        Job::Hunt(job) => job.run(),
        #[cfg(unix)]
        Job::Matrix(job) => job.run(),
        #[cfg(unix)]
        Job::Peers(job) => job.run(),
        Job::Powerloss(job) => job.run(),
        Job::Regress(job) => job.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// Some jobs are only for Unix.
#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use clap::Parser as _;

    use crate::{Job, shell::root};

    /// The arguments of `cargo xtask` in a page or script, up to the end of the command.
    fn jobs(text: &str) -> Vec<&str> {
        let ends = ['`', '\n', '"', ')', '#', ';', ','];
        let parts = text.split("cargo xtask ").skip(1);
        let commands = parts.filter_map(|rest| rest.split(ends).next());
        // Text after two blanks is a remark.
        let commands = commands.filter_map(|rest| rest.split("  ").next());
        commands.map(str::trim).collect()
    }

    #[test]
    fn pages_and_ci_only_name_existing_jobs() {
        for (page, least) in [
            (".ci/run", 2),
            (".github/workflows/nightly.yml", 3),
            ("README.md", 3),
            ("CONTRIBUTING.md", 2),
            ("VERIFICATION.md", 4),
            ("docs/FUZZING.md", 3),
            ("crates/xtask/src/ci.rs", 3),
        ] {
            let text = fs::read_to_string(root().join(page)).expect(page);
            let jobs = jobs(&text);
            assert!(jobs.len() >= least, "{page} has {} jobs", jobs.len());
            for job in jobs {
                let words = ["cargo xtask"].into_iter().chain(job.split_whitespace());
                if let Err(error) = Job::try_parse_from(words) {
                    let is_help = error.exit_code() == 0;
                    assert!(is_help, "{page}: `{job}`: {error}");
                }
            }
        }
    }

    #[test]
    fn jobs_are_found() {
        let text = "run: a $(cargo xtask one --json)\n`cargo xtask two`, three\n";
        assert_eq!(jobs(text), ["one --json", "two"]);
    }
}

//! The project's jobs as commands: `cargo xtask --help`. CI calls only these.

use std::process::ExitCode;

use clap::Parser;

mod bench;
mod ci;
mod exhaustive;
mod fuzz;
mod hunt;
#[cfg(unix)]
mod matrix;
#[cfg(unix)]
mod peers;
mod shell;
mod tool;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The jobs of pop3-rs")]
enum Job {
    Bench(bench::Bench),
    Ci(ci::Ci),
    Exhaustive(exhaustive::Exhaustive),
    Fuzz(fuzz::Fuzz),
    Hunt(hunt::Hunt),
    #[cfg(unix)]
    Matrix(matrix::Matrix),
    #[cfg(unix)]
    Peers(peers::Peers),
}

fn main() -> ExitCode {
    let done = match Job::parse() {
        Job::Bench(job) => job.run(),
        Job::Ci(job) => job.run(),
        Job::Exhaustive(job) => job.run(),
        Job::Fuzz(job) => job.run(),
        Job::Hunt(job) => job.run(),
        #[cfg(unix)]
        Job::Matrix(job) => job.run(),
        #[cfg(unix)]
        Job::Peers(job) => job.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

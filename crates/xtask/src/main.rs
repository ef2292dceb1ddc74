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
mod mutants;
mod peers;
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
    Miri(hosted::Miri),
    Mutants(mutants::Mutants),
    Peers(peers::Peers),
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
        Job::Miri(job) => job.run(),
        Job::Mutants(job) => job.run(),
        Job::Peers(job) => job.run(),
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

//! The mock client as a program for `pop3 audit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match pop3_peers::mock::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mock-client: {failure}");
            ExitCode::FAILURE
        }
    }
}

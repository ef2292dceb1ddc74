//! Replays the trace files given as arguments and reports where a session differs.

use std::{env, fs, process::ExitCode};

use pop3_testkit::{trace::Trace, view};

fn main() -> ExitCode {
    let mut failed = false;
    for path in env::args().skip(1) {
        let replayed = match fs::read_to_string(&path) {
            Ok(text) => Trace::parse(&text)
                .and_then(|trace| trace.replay(view::client, view::server))
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = replayed {
            println!("{path}: {error}");
            failed = true;
        }
    }
    ExitCode::from(u8::from(failed))
}

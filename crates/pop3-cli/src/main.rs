//! The `pop3` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod decode;
mod encode;
mod exit;
mod input;
mod inspection;
mod output;
#[cfg(unix)]
mod sample;
#[cfg(unix)]
mod serve;

/// POP3 and its byte-stuffed multi-line blocks
#[derive(Parser)]
#[command(name = "pop3", version)]
struct Pop3 {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Decode(decode::Decode),
    Encode(encode::Encode),
    // Boxed, since it has many more arguments than the others.
    #[cfg(unix)]
    Serve(Box<serve::Serve>),
}

fn main() -> ExitCode {
    let pop3 = match Pop3::try_parse() {
        Ok(pop3) => pop3,
        Err(error) => return exit::usage(&error),
    };
    let (command, done) = match pop3.command {
        Command::Decode(decode) => (decode::NAME, decode.run()),
        Command::Encode(encode) => (encode::NAME, encode.run()),
        #[cfg(unix)]
        Command::Serve(serve) => (serve::NAME, serve.run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(command),
    }
}

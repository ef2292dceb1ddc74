//! The `pop3` command.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

#[cfg(unix)]
mod audit;
mod check;
mod decode;
mod definitions;
#[cfg(unix)]
mod demo;
mod encode;
mod exit;
#[cfg(unix)]
mod fetch;
mod input;
mod inspection;
mod list;
mod output;
mod remote;
#[cfg(unix)]
mod sample;
#[cfg(unix)]
mod serve;

/// Tools for POP3 and its byte-stuffed multi-line blocks
#[derive(Parser)]
#[command(name = "pop3", version)]
struct Pop3 {
    #[command(subcommand)]
    command: Command,
}

// Boxed where a command has many more arguments than the others.
#[derive(Subcommand)]
enum Command {
    Check(Box<check::Check>),
    #[cfg(unix)]
    Audit(Box<audit::Audit>),
    #[cfg(unix)]
    Demo(demo::Demo),
    Decode(decode::Decode),
    Encode(encode::Encode),
    #[cfg(unix)]
    Fetch(Box<fetch::Fetch>),
    List(list::List),
    #[cfg(unix)]
    Serve(Box<serve::Serve>),
    Completions(definitions::Completions),
    Man(definitions::Man),
}

fn main() -> ExitCode {
    let pop3 = match Pop3::try_parse() {
        Ok(pop3) => pop3,
        Err(error) => return exit::usage(&error),
    };
    let (command, done) = match pop3.command {
        Command::Check(check) => (check::NAME, check.run()),
        #[cfg(unix)]
        Command::Audit(audit) => (audit::NAME, audit.run()),
        #[cfg(unix)]
        Command::Demo(demo) => (demo::NAME, demo.run()),
        Command::Decode(decode) => (decode::NAME, decode.run()),
        Command::Encode(encode) => (encode::NAME, encode.run()),
        #[cfg(unix)]
        Command::Fetch(fetch) => (fetch::NAME, fetch.run()),
        Command::List(list) => (list::NAME, list.run()),
        #[cfg(unix)]
        Command::Serve(serve) => (serve::NAME, serve.run()),
        Command::Completions(completions) => {
            (definitions::COMPLETIONS, completions.run(Pop3::command()))
        }
        Command::Man(man) => (definitions::MAN, man.run(Pop3::command())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(command),
    }
}

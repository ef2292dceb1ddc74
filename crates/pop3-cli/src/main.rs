//! The `pop3` command.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod accounts;
#[cfg(unix)]
mod audit;
mod check;
mod clock;
mod decode;
mod definitions;
#[cfg(unix)]
mod demo;
mod directories;
mod encode;
mod exit;
#[cfg(unix)]
mod fetch;
mod headers;
#[cfg(unix)]
mod import;
mod input;
mod inspection;
mod list;
mod login;
mod output;
mod remote;
#[cfg(unix)]
mod sample;
#[cfg(unix)]
mod serve;
#[cfg(not(unix))]
mod unix_only;

/// Tools for POP3 and its byte-stuffed multi-line blocks
#[derive(Parser)]
// Not the name of the file, which is pop3.exe on Windows.
#[command(name = "pop3", bin_name = "pop3", version)]
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
    #[cfg(not(unix))]
    #[command(about = unix_only::about(unix_only::AUDIT))]
    Audit(unix_only::UnixOnly),
    #[cfg(unix)]
    Demo(demo::Demo),
    #[cfg(not(unix))]
    #[command(about = unix_only::about(unix_only::DEMO))]
    Demo(unix_only::UnixOnly),
    Decode(decode::Decode),
    Encode(encode::Encode),
    #[cfg(unix)]
    Fetch(Box<fetch::Fetch>),
    #[cfg(not(unix))]
    #[command(about = unix_only::about(unix_only::FETCH))]
    Fetch(unix_only::UnixOnly),
    #[cfg(unix)]
    Import(import::Import),
    #[cfg(not(unix))]
    #[command(about = unix_only::about(unix_only::IMPORT))]
    Import(unix_only::UnixOnly),
    List(Box<list::List>),
    Login(Box<login::Login>),
    #[cfg(unix)]
    Serve(Box<serve::Serve>),
    #[cfg(not(unix))]
    #[command(about = unix_only::about(unix_only::SERVE))]
    Serve(unix_only::UnixOnly),
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
        #[cfg(not(unix))]
        Command::Audit(it) => ("audit", it.run(unix_only::AUDIT)),
        #[cfg(unix)]
        Command::Demo(demo) => (demo::NAME, demo.run()),
        #[cfg(not(unix))]
        Command::Demo(it) => ("demo", it.run(unix_only::DEMO)),
        Command::Decode(decode) => (decode::NAME, decode.run()),
        Command::Encode(encode) => (encode::NAME, encode.run()),
        #[cfg(unix)]
        Command::Fetch(fetch) => (fetch::NAME, fetch.run()),
        #[cfg(not(unix))]
        Command::Fetch(it) => ("fetch", it.run(unix_only::FETCH)),
        #[cfg(unix)]
        Command::Import(import) => (import::NAME, import.run()),
        #[cfg(not(unix))]
        Command::Import(it) => ("import", it.run(unix_only::IMPORT)),
        Command::List(list) => (list::NAME, list.run()),
        Command::Login(login) => (login::NAME, login.run()),
        #[cfg(unix)]
        Command::Serve(serve) => (serve::NAME, serve.run()),
        #[cfg(not(unix))]
        Command::Serve(it) => ("serve", it.run(unix_only::SERVE)),
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What a shell makes of each line, as arguments.
    #[test]
    fn the_examples_are_command_lines_of_this_program() {
        let lines = fetch::EXAMPLES.lines().map(str::trim_start);
        let lines: Vec<&str> = lines
            .filter_map(|line| Some(&line[line.find("pop3 ")?..]))
            .filter(|line| !line.contains("--help"))
            .collect();
        assert!(lines.len() > 10, "{lines:?}");
        for line in lines {
            let script = format!("pop3() {{ printf '%s\\n' \"$@\"; }}; notmuch() {{ :; }}; {line}");
            let shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            let words = String::from_utf8(shell.unwrap().stdout).unwrap();
            let parsed = Pop3::try_parse_from(["pop3"].into_iter().chain(words.lines()));
            if let Err(error) = parsed {
                panic!("{line}: {error}");
            }
        }
    }
}

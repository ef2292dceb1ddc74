//! Reads the password of a user, but never from the command line.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Read as _},
};

use super::usage;
use crate::exit::{Exit, Failure};

const VARIABLE: &str = "POP3_PASSWORD";

/// The most octets read from standard input. A client could not send a longer
/// password.
const MAX_LINE: u64 = 512;

/// Reads the password of a user from the environment or as `ask` does.
pub(super) fn of(name: &str) -> Result<String, Failure> {
    match env::var(VARIABLE) {
        Ok(password) => checked(password),
        Err(env::VarError::NotUnicode(_)) => Err(usage(format_args!("{VARIABLE} is not UTF-8"))),
        Err(env::VarError::NotPresent) => ask(name),
    }
}

/// Reads the password of a user from a prompt, or from standard input.
pub(super) fn ask(name: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Io,
            format_args!("cannot read the password of {name}: {error}"),
        )
    };
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let prompt = format!("Password for {}: ", name.escape_debug());
        return checked(rpassword::prompt_password(prompt).map_err(failed)?);
    }
    let mut line = String::new();
    stdin
        .lock()
        .take(MAX_LINE)
        .read_line(&mut line)
        .map_err(failed)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    checked(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn checked(password: String) -> Result<String, Failure> {
    if password.is_empty() {
        return Err(usage(format_args!(
            "the password is empty: set {VARIABLE}, or give it on standard input"
        )));
    }
    if password.chars().any(char::is_control) {
        return Err(usage(
            "the password contains a control character, which no client can send",
        ));
    }
    Ok(password)
}

//! Finds the password: in a file, from a program, in the environment, in `~/.netrc` or
//! at a prompt; never in an argument, which other users can see.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

mod netrc;

const VARIABLE: &str = "POP3_PASSWORD";

/// The most octets read as a password or token.
const MOST: u64 = 64 * 1024;

/// Where to look for the password. Without these options: in `POP3_PASSWORD`, then in
/// `~/.netrc`, then at a prompt.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PasswordOptions {
    /// Read the password, or the token for XOAUTH2, from the first line of FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// Read the password or token from the first line that this shell command
    /// prints
    #[arg(long, value_name = "COMMAND", conflicts_with = "password_file")]
    pub(crate) password_command: Option<String>,
}

impl PasswordOptions {
    #[cfg(unix)]
    pub(crate) fn or(self, others: &Self) -> Self {
        match self {
            Self {
                password_file: None,
                password_command: None,
            } => others.clone(),
            these => these,
        }
    }

    /// Whether the password of `user` at `host` comes from a prompt.
    #[cfg(unix)]
    pub(crate) fn is_typed(&self, user: &str, host: &str) -> bool {
        self.password_file.is_none()
            && self.password_command.is_none()
            && env::var_os(VARIABLE).is_none()
            && matches!(netrc::find(host, user), Ok(None))
    }

    /// Finds the password of `user` at `host`. `account` names both to the user.
    pub(crate) fn find(
        &self,
        account: &str,
        (user, host): (&str, &str),
    ) -> Result<Zeroizing<String>, Failure> {
        if let Some(file) = &self.password_file {
            return from_file(file, "the password", "--password-file");
        }
        if let Some(command) = &self.password_command {
            return ask_command(command);
        }
        if let Some(password) = env::var_os(VARIABLE) {
            let password = Zeroizing::new(password.into_encoded_bytes());
            return first_line(&password, VARIABLE);
        }
        if let Some(password) = netrc::find(host, user)? {
            return Ok(password);
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::new(
                Exit::Usage,
                format_args!(
                    "no password for {account}, and no terminal to ask on: use --password-file, \
                     --password-command, {VARIABLE} or ~/.netrc"
                ),
            ));
        }
        let password = rpassword::prompt_password(format!("Password for {account}: "));
        password.map(Zeroizing::new).map_err(|error| {
            Failure::new(
                Exit::NoInput,
                format_args!("cannot ask for the password: {error}"),
            )
        })
    }
}

/// Reads a secret from the first line of `file`. `what` is its name, and `option` the
/// one that named the file.
pub(crate) fn from_file(
    file: &Path,
    what: &str,
    option: &str,
) -> Result<Zeroizing<String>, Failure> {
    let octets = File::open(file).and_then(read_some).map_err(|error| {
        Failure::new(
            Exit::NoInput,
            format_args!(
                "cannot read {what} from {}: {error}; name another file with {option}",
                file.display()
            ),
        )
    })?;
    first_line(&octets, &file.display().to_string())
}

fn ask_command(command: &str) -> Result<Zeroizing<String>, Failure> {
    let octets = output_of(command).map_err(|error| {
        Failure::new(Exit::NoInput, format_args!("--password-command: {error}"))
    })?;
    first_line(&octets, "--password-command")
}

/// Returns what a shell command prints, if it succeeds.
pub(crate) fn output_of(command: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut child = shell(command).stdout(Stdio::piped()).spawn()?;
    let read = child.stdout.take().map(read_some);
    let status = child.wait()?;
    match status.success() {
        true => read.unwrap_or_else(|| Ok(Zeroizing::default())),
        false => Err(io::Error::other(status.to_string())),
    }
}

#[cfg(not(windows))]
pub(crate) fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]);
    shell
}

/// `cmd` takes its command as it is written, with no quoting but the outer pair.
#[cfg(windows)]
pub(crate) fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut shell = Command::new("cmd");
    shell.raw_arg(format!("/D /S /C \"{command}\""));
    shell
}

fn read_some(from: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Allocate the full capacity at once, so that growing leaves no copy.
    let mut octets = Zeroizing::new(Vec::with_capacity(MOST as usize));
    from.take(MOST).read_to_end(&mut octets)?;
    Ok(octets)
}

fn first_line(octets: &[u8], source: &str) -> Result<Zeroizing<String>, Failure> {
    let line = octets.split(|octet| *octet == b'\n').next().unwrap_or(&[]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(Failure::new(
            Exit::NoInput,
            format_args!("no password in {source}: its first line is empty"),
        )),
        Ok(line) => Ok(Zeroizing::new(line.to_owned())),
        Err(_) => Err(Failure::new(
            Exit::NoInput,
            format_args!("the password in {source} is not UTF-8"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_password_from_the_first_line_alone() {
        for (octets, password) in [
            (&b"secret"[..], Some("secret")),
            (b"secret\n", Some("secret")),
            (b"secret\r\nnote", Some("secret")),
            (b" two words \n", Some(" two words ")),
            (b"", None),
            (b"\nsecret", None),
            (b"\xff\n", None),
        ] {
            let found = first_line(octets, "a test").ok();
            assert_eq!(found.as_ref().map(|found| found.as_str()), password);
        }
    }

    #[test]
    fn takes_no_password_from_a_failed_command() {
        // cmd separates commands with an ampersand, sh with a semicolon.
        let and = if cfg!(windows) { '&' } else { ';' };
        assert!(ask_command(&format!("echo secret{and} exit 1")).is_err());
        assert_eq!(ask_command("echo secret").unwrap().as_str(), "secret");
    }

    #[test]
    fn reads_a_token_of_some_kilobytes() {
        let token = "0".repeat(4000);
        // On Windows, cmd could not read a file that is open.
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&file, &token).unwrap();
        let print = if cfg!(windows) { "type" } else { "cat" };
        let command = format!("{print} \"{}\"", file.display());
        assert_eq!(*ask_command(&command).unwrap(), token);
    }
}

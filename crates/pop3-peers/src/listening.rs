//! A server of this project that a test starts, such as `pop3 serve`.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Error, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// A program that prints, line by line, where it listens. Dropping it kills it.
#[derive(Debug)]
pub struct Listening {
    /// The first line that it printed, without its end.
    pub address: String,
    /// The process.
    pub child: Child,
    /// The lines after the first.
    pub stdout: BufReader<ChildStdout>,
}

impl Listening {
    /// Starts the program, and waits for its first line.
    ///
    /// # Errors
    ///
    /// If it does not start, or prints no line.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| Error::other("no standard output"))?;
        let mut listening = Self {
            address: String::new(),
            child,
            stdout: BufReader::new(stdout),
        };
        listening.address = listening.line()?;
        Ok(listening)
    }

    /// Waits for the next line, and returns it without its end.
    ///
    /// # Errors
    ///
    /// If the program prints no further line. The error contains what it wrote to stderr,
    /// if that is a pipe.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err(self.ended()?);
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// Ends the program, which prints nothing more.
    fn ended(&mut self) -> io::Result<Error> {
        let _ = self.child.kill();
        let status = self.child.wait()?;
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut said)?;
        }
        Ok(Error::other(format!(
            "the server printed no address, and ended: {status}: {said}"
        )))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes an empty Maildir.
///
/// # Errors
///
/// If a directory cannot be made.
pub fn make_maildir(maildir: &Path) -> io::Result<()> {
    ["tmp", "new", "cur"]
        .iter()
        .try_for_each(|part| fs::create_dir_all(maildir.join(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_program_printed_no_address() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo in use >&2; exec >&-; exec sleep 600"]);
        let error = Listening::start(command.stderr(Stdio::piped())).unwrap_err();
        let said = error.to_string();
        assert!(said.ends_with(": in use\n"), "{said}");
    }

    #[test]
    fn a_program_is_killed_when_it_is_dropped() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 1; echo 2; exec sleep 600"]);
        let mut listening = Listening::start(&mut command).unwrap();
        assert_eq!(listening.address, "1");
        assert_eq!(listening.line().unwrap(), "2");
        let process = format!("/proc/{}", listening.child.id());
        drop(listening);
        assert!(!Path::new(&process).exists());
    }
}

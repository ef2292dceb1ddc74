//! Delivery to a shell command, one run for each message.
//!
//! The command reads the message from a file without a name, not from a pipe. So it
//! gets all of it even if this program is killed meanwhile, and may end without
//! reading to the end.

use std::{
    fs,
    io::{self, PipeReader, Read as _, Seek as _, Write as _},
    os::unix::{fs::OpenOptionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use rustix::event::{PollFd, PollFlags, poll};

use super::{
    Form, Sealed,
    handover::{Answer, HandOver, Verdict, WORDS},
    spool::{Spool, Spooled, read},
};
use crate::{
    disk::{Directory, Disk, File, ignore_missing},
    failure::{Failure, Kind},
};

/// The status that asks to try again later: `EX_TEMPFAIL` of `sysexits.h`.
const TEMPORARY: i32 = 75;
/// The octets read from a pipe at once.
const BLOCK: usize = 4096;

pub(crate) fn open<D: Disk>(
    disk: &D,
    command: &str,
    spool: &Path,
) -> Result<Spool<<D::Directory as Directory>::File>, Failure> {
    let command = command.to_owned();
    let input = spool.with_extension("message");
    Spool::open(disk, spool, Form::Raw, move |spooled| {
        Sealed::Singly(Box::new(Runs {
            command: command.clone(),
            input: input.clone(),
            spooled,
        }))
    })
}

/// A group whose messages are given to the command one by one.
struct Runs<F> {
    command: String,
    /// The path at which the file for standard input is made.
    input: PathBuf,
    spooled: Spooled<F>,
}

impl<F: File> HandOver for Runs<F> {
    fn hand_over(
        &mut self,
        index: usize,
        _: &[String],
        _: &mut Vec<String>,
    ) -> Result<Answer, Failure> {
        let input = self.input(index);
        let input = input.map_err(|error| Failure::cannot_write(&self.input, &error))?;
        let (status, words) = run(&self.command, input).map_err(|error| {
            Failure::new(
                Kind::Io,
                format_args!("cannot run the command of --to with /bin/sh: {error}"),
            )
        })?;
        Ok(judge(status, &words))
    }
}

impl<F: File> Runs<F> {
    /// Makes the file that the command reads.
    fn input(&self, index: usize) -> io::Result<fs::File> {
        // A command that a killed run left may still read the previous one.
        ignore_missing(fs::remove_file(&self.input))?;
        let mut input = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.input)?;
        fs::remove_file(&self.input)?;
        let message = self.spooled.messages().nth(index).unwrap_or_default();
        read(
            &*self.spooled.file,
            message.start,
            message.end,
            |_, octets| input.write_all(octets),
        )?;
        input.rewind()?;
        Ok(input)
    }
}

/// Runs the command, and returns its status and the start of what it wrote.
fn run(command: &str, input: fs::File) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (output, end) = io::pipe()?;
    let (ended, end_of_wait) = io::pipe()?;
    thread::scope(|scope| {
        let listener = thread::Builder::new()
            .name(String::from("command"))
            .spawn_scoped(scope, move || listen(output, &ended))?;
        // The ends of the pipe in `Command` are dropped with it.
        let wait = move || {
            Command::new("/bin/sh")
                .args(["-c", command])
                // A command that prints its environment must not print the password.
                .env_remove("POP3_PASSWORD")
                .stdin(Stdio::from(input))
                .stdout(end.try_clone()?)
                .stderr(end)
                .spawn()?
                .wait()
        };
        let status = wait();
        drop(end_of_wait);
        let words = listener.join();
        let words = words.map_err(|_| io::Error::other("a worker thread panicked"))?;
        Ok((status?, words))
    })
}

/// Reads until the command has ended, even if a process that it left keeps the pipe
/// open and writes. Returns the first octets.
fn listen(mut output: PipeReader, ended: &PipeReader) -> Vec<u8> {
    let mut words = Vec::new();
    let mut block = [0; BLOCK];
    loop {
        let mut both = [
            PollFd::new(&output, PollFlags::IN),
            PollFd::new(ended, PollFlags::IN),
        ];
        match poll(&mut both, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
            Ok(_) => {}
        }
        let [says, has_ended] = both.map(|one| !one.revents().is_empty());
        if !says || (has_ended && words.len() == WORDS) {
            // Everything is read that the command wrote, or that is kept.
            break;
        }
        match output.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(octets) => {
                let room = WORDS.saturating_sub(words.len());
                words.extend_from_slice(&block[..octets.min(room)]);
            }
        }
    }
    words
}

fn judge(status: ExitStatus, words: &[u8]) -> Answer {
    let (verdict, how) = match (status.code(), status.signal()) {
        (Some(0), _) => (Verdict::Accepted, String::from("the command says")),
        (Some(TEMPORARY), _) => (
            Verdict::Deferred,
            format!("the command ended with status {TEMPORARY} (try again later)"),
        ),
        (Some(126), _) => (
            Verdict::Refused,
            String::from("the command ended with status 126 (it cannot be executed)"),
        ),
        (Some(127), _) => (
            Verdict::Refused,
            String::from("the command ended with status 127 (it is not found)"),
        ),
        (Some(code), _) => (
            Verdict::Refused,
            format!("the command ended with status {code}"),
        ),
        (None, signal) => (
            Verdict::Refused,
            format!(
                "the command was ended by signal {}",
                signal.unwrap_or_default()
            ),
        ),
    };
    Answer::new(verdict, how, words)
}

#[cfg(test)]
mod tests;

//! The input of a filter: a file or standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
};

use crate::exit::{Exit, Failure, say};

/// The number of octets read at once. A larger buffer is no faster and takes more
/// of the second-level cache.
const BUFFER: usize = 64 * 1024;

/// The keys that end the input on a terminal.
const END: &str = if cfg!(windows) {
    "Ctrl-Z and Enter"
} else {
    "Ctrl-D"
};

/// A buffered input whose errors name it.
pub(crate) struct Input {
    name: String,
    from: BufReader<Box<dyn Read>>,
}

impl Input {
    /// Opens `file`, or standard input if `file` is absent or `-`. On a terminal,
    /// prints that `command` waits for `what`.
    pub(crate) fn open(file: Option<&Path>, command: &str, what: &str) -> Result<Self, Failure> {
        let (name, from): (_, Box<dyn Read>) = match file {
            Some(path) if path.as_os_str() != "-" => {
                (path.display().to_string(), Box::new(open(path)?))
            }
            _ => {
                let stdin = io::stdin();
                if stdin.is_terminal() {
                    say(
                        command,
                        format_args!(
                            "waiting for {what} from the terminal; name a FILE, or end the input with {END}"
                        ),
                    );
                }
                (String::from("standard input"), Box::new(stdin.lock()))
            }
        };
        Ok(Self {
            name,
            from: BufReader::with_capacity(BUFFER, from),
        })
    }

    /// Returns the buffered octets; reads if the buffer is empty. Returns none only
    /// at the end of the input.
    pub(crate) fn fill(&mut self) -> Result<&[u8], Failure> {
        while let Err(error) = self.from.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(Failure::new(
                    Exit::Io,
                    format_args!("cannot read {}: {error}", self.name),
                ));
            }
        }
        Ok(self.from.buffer())
    }

    pub(crate) fn consume(&mut self, octets: usize) {
        self.from.consume(octets);
    }

    /// Closes the file, so that an output can replace it: Windows cannot replace an open
    /// file.
    pub(crate) fn close(self) {}
}

fn open(path: &Path) -> Result<File, Failure> {
    let opened = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    opened.map_err(|error| {
        Failure::new(
            Exit::NoInput,
            format_args!("cannot open {}: {error}", path.display()),
        )
    })
}

//! The end of a command: an exit status and at most one line on stderr.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
    process::ExitCode,
};

/// The statuses of sysexits.h that `pop3` uses, and 1 for a negative answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exit {
    /// A comparison found a difference, or a check failed.
    Differs = 1,
    Usage = 64,
    /// Malformed data, such as a truncated block.
    Data = 65,
    /// An input that cannot be opened.
    NoInput = 66,
    /// An unavailable service: a server that cannot be reached, an address in use.
    Unavailable = 69,
    /// An output that cannot be created.
    CannotCreate = 73,
    /// Reading or writing that fails after the file was opened.
    Io = 74,
    /// Not now: try later.
    Temporary = 75,
    /// The other side broke the protocol or refused a command.
    Protocol = 76,
    /// The server refused the name or the password.
    NoPermission = 77,
}

/// The status that a shell reports for a filter that SIGPIPE has ended: 128 + 13.
const READER_GONE: u8 = 141;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    Said {
        exit: Exit,
        what: String,
    },
    /// The reader of the output closed it, as in `pop3 decode | head`.
    ///
    /// As usual for a filter, nothing is printed. The status is still not 0,
    /// because the input was not read to its end. Rust ignores SIGPIPE, and that
    /// cannot be undone without `unsafe`, so the status is the one of the signal.
    ReaderGone,
}

impl Failure {
    /// A failure; `what` says what went wrong, where, and what to do.
    pub(crate) fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self::Said {
            exit,
            what: what.to_string(),
        }
    }

    /// The failure to start a tokio runtime.
    pub(crate) fn of_runtime(error: io::Error) -> Self {
        Self::new(
            Exit::Io,
            format_args!("cannot start the tokio runtime: {error}"),
        )
    }

    /// The failure, with the account that it is about.
    #[cfg(unix)]
    pub(crate) fn about(self, account: &str) -> Self {
        match self {
            Self::Said { exit, what } => {
                let what = format!("account {account}: {what}");
                Self::Said { exit, what }
            }
            Self::ReaderGone => Self::ReaderGone,
        }
    }

    /// Prints what went wrong, in a command that goes on.
    #[cfg(unix)]
    pub(crate) fn say(self, command: &str) {
        let _ = self.report(command);
    }

    /// Prints what went wrong and returns the exit status.
    pub(crate) fn report(self, command: &str) -> ExitCode {
        match self {
            Self::Said { exit, what } => {
                say(command, what);
                ExitCode::from(exit as u8)
            }
            Self::ReaderGone => ExitCode::from(READER_GONE),
        }
    }
}

#[cfg(unix)]
impl From<pop3_fetch::Failure> for Failure {
    fn from(failure: pop3_fetch::Failure) -> Self {
        use pop3_fetch::Kind;
        let pop3_fetch::Failure::Said { kind, what } = failure else {
            return Self::ReaderGone;
        };
        let exit = match kind {
            Kind::Data => Exit::Data,
            Kind::Unavailable => Exit::Unavailable,
            Kind::CannotCreate => Exit::CannotCreate,
            Kind::Temporary => Exit::Temporary,
            Kind::Protocol => Exit::Protocol,
            _ => Exit::Io,
        };
        Self::Said { exit, what }
    }
}

/// Prints one line on stderr, and ignores a failure to write it.
pub(crate) fn say(command: &str, what: impl fmt::Display) {
    let mut line = format!("pop3 {command}: ");
    // A file name may contain a newline or another control character.
    for char in what.to_string().chars() {
        let _ = match char.is_control() {
            true => write!(line, "{}", char.escape_default()),
            false => line.write_char(char),
        };
    }
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Prints clap's message. Help and version are a success; everything else is wrong
/// usage.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::from(Exit::Usage as u8),
        false => ExitCode::SUCCESS,
    }
}

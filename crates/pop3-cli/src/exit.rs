//! How a command ends: an exit status and at most one line on stderr.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
    process::ExitCode,
};

/// The statuses of sysexits.h that `pop3` uses, and one for answers that are no.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exit {
    /// What was compared differs; what was checked fails.
    Differs = 1,
    Usage = 64,
    /// Malformed data, a truncated block among them.
    Data = 65,
    /// An input that cannot be opened.
    NoInput = 66,
    /// A service that cannot be had: a server that is not reached, an address
    /// that is taken.
    Unavailable = 69,
    /// An output that cannot be created.
    CannotCreate = 73,
    /// Input or output that fails later.
    Io = 74,
    /// Not now: try later.
    Temporary = 75,
    /// The other side broke the protocol, or refused.
    Protocol = 76,
    /// Name or password were refused.
    NoPermission = 77,
}

/// What a shell gives for a filter that SIGPIPE has ended: 128 + 13.
const READER_GONE: u8 = 141;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    Said {
        exit: Exit,
        what: String,
    },
    /// Whoever read the output wants no more, as in `pop3 decode | head`.
    ///
    /// Not a word about it, as from any filter. The status is not 0 all the
    /// same, since the input was not seen to its end. Rust ignores SIGPIPE and
    /// cannot undo that without `unsafe`, so the status stands for the signal.
    ReaderGone,
}

impl Failure {
    /// `what` says what went wrong, where, and what to do.
    pub(crate) fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self::Said {
            exit,
            what: what.to_string(),
        }
    }

    /// Says what went wrong and gives the status to end with.
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

/// One line on stderr. If nobody can read it, so be it.
pub(crate) fn say(command: &str, what: impl fmt::Display) {
    let mut line = format!("pop3 {command}: ");
    // A file may have a newline in its name, or worse.
    for char in what.to_string().chars() {
        let _ = match char.is_control() {
            true => write!(line, "{}", char.escape_default()),
            false => line.write_char(char),
        };
    }
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Prints what clap has to say: help and version are a success, all else is
/// wrong usage.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::from(Exit::Usage as u8),
        false => ExitCode::SUCCESS,
    }
}

//! Why a fetch stops, and what can be done about it.

use core::fmt;
use std::{io, path::Path};

/// What kind of failure it is. The numbers of `sysexits.h` are in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A journal that this version cannot understand (65).
    Data,
    /// The server does not offer what is needed (69).
    Unavailable,
    /// The place for mail, or the journal, cannot be opened (73).
    CannotCreate,
    /// Reading or writing failed (74).
    Io,
    /// It may work later (75).
    Temporary,
    /// The server does not keep to the protocol, or refuses a message (76).
    Protocol,
}

/// Why a fetch stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A failure that a user should read about.
    Said {
        /// What kind it is.
        kind: Kind,
        /// What failed, where, and what to do.
        what: String,
    },
    /// The reader of standard output has closed it.
    ReaderGone,
}

impl Failure {
    /// `what` says what failed, where, and what to do.
    pub fn new(kind: Kind, what: impl fmt::Display) -> Self {
        Self::Said {
            kind,
            what: what.to_string(),
        }
    }

    /// A file or directory could not be opened, made or locked.
    pub(crate) fn cannot_open(path: &Path, error: &io::Error) -> Self {
        let (path, advice) = (path.display(), advice(error));
        Self::new(
            Kind::CannotCreate,
            format_args!("cannot open {path}: {error}{advice}"),
        )
    }

    /// A file or directory could not be written.
    pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Kind::CannotCreate
            }
            _ => Kind::Io,
        };
        let (path, advice) = (path.display(), advice(error));
        Self::new(kind, format_args!("cannot write {path}: {error}{advice}"))
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Said { kind, .. } => *kind,
            Self::ReaderGone => Kind::Io,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { what, .. } => f.write_str(what),
            Self::ReaderGone => f.write_str("the reader of standard output closed it"),
        }
    }
}

impl core::error::Error for Failure {}

/// What helps.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space there and run it again: no mail is lost"
        }
        _ => "",
    }
}

//! Why a fetch stops, and what to do about it.

use core::fmt;
use std::{io, path::Path};

/// The kind of a failure, with its number in `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// This version cannot read the journal (65).
    Data,
    /// The server lacks something that is needed (69).
    Unavailable,
    /// The place for mail or the journal cannot be opened (73).
    CannotCreate,
    /// Reading or writing failed (74).
    Io,
    /// A later run may succeed (75).
    Temporary,
    /// The server breaks the protocol or refuses a message (76).
    Protocol,
}

/// Why a fetch stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A failure that the user should see.
    Said {
        /// The kind.
        kind: Kind,
        /// What failed, where, and what to do.
        what: String,
    },
    /// The reader of standard output closed it.
    ReaderGone,
}

impl Failure {
    /// A failure; `what` says what failed, where, and what to do.
    pub fn new(kind: Kind, what: impl fmt::Display) -> Self {
        Self::Said {
            kind,
            what: what.to_string(),
        }
    }

    /// A failure to open, create or lock a file or directory.
    pub(crate) fn cannot_open(path: &Path, error: &io::Error) -> Self {
        let (path, advice) = (path.display(), advice(error));
        Self::new(
            Kind::CannotCreate,
            format_args!("cannot open {path}: {error}{advice}"),
        )
    }

    /// A failure to write a file or directory.
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

    /// Returns the kind of the failure.
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

/// What the user can do.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space there and run the command again; no mail is lost"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_cannot_be_written_why_and_what_to_do() {
        use io::ErrorKind::*;
        for (error, kind, advises) in [
            (PermissionDenied, Kind::CannotCreate, false),
            (ReadOnlyFilesystem, Kind::CannotCreate, false),
            (StorageFull, Kind::Io, true),
            (QuotaExceeded, Kind::Io, true),
            (BrokenPipe, Kind::Io, false),
        ] {
            let error = io::Error::from(error);
            let failure = Failure::cannot_write(Path::new("Mail"), &error);
            assert_eq!(failure.kind(), kind, "{failure}");
            let said = failure.to_string();
            let what = format!("cannot write Mail: {error}");
            assert!(said.starts_with(&what), "{said}");
            assert_eq!(said.contains("free some space"), advises, "{said}");
            assert_eq!(said.len() > what.len(), advises, "{said}");
        }
    }
}

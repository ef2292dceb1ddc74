//! The commands that exist only on Unix, elsewhere: their help and their error say why.

use std::ffi::OsString;

use clap::Args;

use crate::exit::{Exit, Failure};

/// The arguments of a command that cannot run here.
#[derive(Args)]
pub(crate) struct UnixOnly {
    /// Ignored
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

impl UnixOnly {
    /// Fails with the reason.
    pub(crate) fn run(self, reason: &str) -> Result<(), Failure> {
        Err(Failure::new(Exit::Unavailable, about(reason)))
    }
}

/// The command's help.
pub(crate) fn about(reason: &str) -> String {
    format!("not available on this system: {reason}")
}

pub(crate) const AUDIT: &str =
    "it runs client programs in process groups with limits, which only Unix has";
pub(crate) const DEMO: &str = "it runs `pop3 fetch` and `pop3 serve`, which are only for Unix";
pub(crate) const FETCH: &str = "its journal, which every run needs, and what it stores rest on locks, syncs and file names that only Unix has";
pub(crate) const IMPORT: &str = "it writes the journal of `pop3 fetch`, which is only for Unix";
pub(crate) const SERVE: &str = "signals control it, and its access to Maildirs rests on descriptors of directories, which only Unix has";

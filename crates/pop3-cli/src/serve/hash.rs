//! `pop3 serve --hash`: prints a line for the file of users.

use std::io::{self, Write as _};

use clap::Args;
use pop3_tokio::server::{ScramKeys, hash_password};

use super::{password, usage};
use crate::exit::{Exit, Failure};

#[derive(Args)]
pub(super) struct HashOptions {
    /// Print a line for the FILE of --users, with the hash of a password read from
    /// a prompt or from the first line of standard input
    #[arg(long, value_name = "USER")]
    pub(super) hash: Option<String>,

    /// With --hash: print the keys of SCRAM-SHA-256 instead of an Argon2 hash, so
    /// that the user can log in without sending the password
    #[arg(long, requires = "hash")]
    scram: bool,
}

impl HashOptions {
    pub(super) fn print(&self, name: &str) -> Result<(), Failure> {
        if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
            return Err(usage(
                "the user name of --hash is empty, or contains a colon or a control character",
            ));
        }
        let password = password::ask(name)?;
        let hash = match self.scram {
            true => ScramKeys::new(&password).map(|keys| keys.to_string()),
            false => hash_password(&password),
        };
        hash.and_then(|hash| writeln!(io::stdout(), "{name}:{hash}"))
            .map_err(|error| {
                Failure::new(
                    Exit::Io,
                    format_args!("cannot print the hash for {name}: {error}"),
                )
            })
    }
}

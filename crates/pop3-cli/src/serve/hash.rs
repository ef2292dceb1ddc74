//! `pop3 serve --hash`: a line for the file of users.

use std::io::{self, Write as _};

use clap::Args;
use pop3_tokio::server::{ScramKeys, hash_password};

use super::{password, usage};
use crate::exit::{Exit, Failure};

#[derive(Args)]
pub(super) struct HashOptions {
    /// Print a line for the file of users, with the hash of a password that
    /// comes from a prompt or the first line of standard input
    #[arg(long, value_name = "USER")]
    pub(super) hash: Option<String>,

    /// With --hash: the keys of SCRAM-SHA-256, which lets the user log in
    /// without sending the password, in place of an Argon2 hash
    #[arg(long, requires = "hash")]
    scram: bool,
}

impl HashOptions {
    pub(super) fn print(&self, name: &str) -> Result<(), Failure> {
        if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
            return Err(usage(
                "the name is empty, or has a colon or a control character",
            ));
        }
        let password = password::ask(name)?;
        let hash = match self.scram {
            true => ScramKeys::new(&password).map(|keys| keys.to_string()),
            false => hash_password(&password),
        };
        hash.and_then(|hash| writeln!(io::stdout(), "{name}:{hash}"))
            .map_err(|error| Failure::new(Exit::Io, error))
    }
}

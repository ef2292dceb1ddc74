//! The users who may log in: `--users`, `--user`, or the user of the demo.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use pop3_tokio::server::Accounts;

use super::{password, usage};
use crate::exit::{Exit, Failure};

/// The name and the password of the demo's only user.
const DEMO: &str = "demo";

#[derive(Args)]
pub(super) struct AccountOptions {
    /// Read users and the hashes of their passwords from FILE
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    pub(super) users: Option<PathBuf>,

    /// Serve a single user; the password comes from POP3_PASSWORD, or else from a
    /// prompt or the first line of standard input
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,

    /// Accept a password that was right in the last MINUTES without computing its
    /// hash again, for clients that poll often. Only its HMAC with a random key is
    /// kept, in memory, until the FILE of --users changes. Off by default
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..=1440))]
    remember_logins: Option<u16>,
}

impl AccountOptions {
    pub(super) const fn is_none(&self) -> bool {
        self.users.is_none() && self.user.is_none()
    }

    /// How long a right password is remembered; zero if it is not.
    pub(super) fn remember_logins(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.remember_logins.unwrap_or(0)))
    }

    /// The directory at which relative maildirs in the file of users start.
    pub(super) fn directory(&self) -> &Path {
        self.users
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""))
    }

    pub(super) fn load(&self, demo: bool) -> Result<Accounts, Failure> {
        if let Some(path) = &self.users {
            return load(path);
        }
        let accounts = match &self.user {
            Some(name) => Accounts::single(name, &password::of(name)?),
            None if demo => Accounts::single(DEMO, DEMO),
            None => {
                return Err(usage(
                    "no user could log in: give --users FILE or --user NAME",
                ));
            }
        };
        accounts.map_err(|error| {
            Failure::new(Exit::Io, format_args!("cannot hash the password: {error}"))
        })
    }
}

fn load(path: &Path) -> Result<Accounts, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::NoInput, format_args!("cannot read {shown}: {error}"))
    })?;
    let accounts = Accounts::parse(&text)
        .map_err(|error| Failure::new(Exit::Data, format_args!("{shown}, {error}")))?;
    if accounts.users().next().is_none() {
        return Err(Failure::new(
            Exit::Data,
            format_args!("{shown} names no user; add a line with pop3 serve --hash USER >> FILE"),
        ));
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_remembered_for_minutes() {
        for (remember_logins, seconds) in [(None, 0), (Some(5), 300)] {
            let options = AccountOptions {
                users: None,
                user: None,
                remember_logins,
            };
            assert_eq!(options.remember_logins(), Duration::from_secs(seconds));
        }
    }
}

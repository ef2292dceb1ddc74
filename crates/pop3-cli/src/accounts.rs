//! Accounts: how a command line names one, and where its files are.

#[cfg(unix)]
use std::path::{Path, PathBuf};

use clap::Args;

#[cfg(unix)]
use crate::{
    directories,
    exit::Exit,
    fetch::config::{self, Account},
};
use crate::{
    exit::Failure,
    remote::{Remote, RemoteOptions},
};

/// An account on the command line.
#[derive(Args)]
pub(crate) struct Named {
    /// pop3s://user@host:port (TLS), pop3://user@host:port (STLS), user@host (TLS),
    /// or, on Unix, the name of an account in the configuration file
    #[arg(value_name = "URL")]
    name: String,

    /// Read accounts from FILE
    #[cfg(unix)]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Named {
    /// The server of the account, with the options of the configuration file where
    /// `options` says nothing.
    #[cfg(unix)]
    pub(crate) fn remote(&self, options: RemoteOptions) -> Result<Remote, Failure> {
        let account = find(&self.name, self.config.as_deref())?;
        options.or(&account.remote).remote(&account.url)
    }

    /// The server of the account. There is no configuration file here.
    #[cfg(not(unix))]
    pub(crate) fn remote(&self, options: RemoteOptions) -> Result<Remote, Failure> {
        let url = match self.name.contains("://") {
            true => None,
            false => url_of_host(&self.name),
        };
        options.remote(url.as_deref().unwrap_or(&self.name))
    }
}

/// The account that `name` stands for: a URL; the name of an account in the
/// configuration file; or `[user@]host[:port]`, which means `pop3s://`, and `pop3://`
/// for port 110.
#[cfg(unix)]
pub(crate) fn find(name: &str, config: Option<&Path>) -> Result<Account, Failure> {
    let of_url = |url: String| Account {
        url,
        ..Account::default()
    };
    if name.contains("://") {
        return Ok(of_url(name.to_owned()));
    }
    let file = match config {
        Some(file) => Ok(file.to_owned()),
        None => directories::config_file(),
    };
    let url = url_of_host(name);
    // A host needs no configuration file.
    let accounts = match file.as_deref() {
        Ok(file) if config.is_none() && url.is_some() && !file.exists() => Vec::new(),
        Ok(file) => config::read(file).map_err(|failure| failure.about(name))?,
        Err(_) => Vec::new(),
    };
    let found = accounts.into_iter().find(|(known, _)| known == name);
    match (found, url) {
        (Some((_, account)), _) => Ok(account),
        (None, Some(url)) => Ok(of_url(url)),
        (None, None) => Err(Failure::new(
            Exit::Usage,
            format_args!(
                "{name} is neither a URL (pop3s://user@host) nor user@host nor an account in {}",
                file?.display()
            ),
        )),
    }
}

/// The URL of `[user@]host[:port]`. A single word is not taken for a host: it is
/// more likely the name of an account.
fn url_of_host(name: &str) -> Option<String> {
    let place = name.rsplit_once('@').map_or(name, |(_, place)| place);
    let is_host = name.contains('@') || place.contains(['.', ':']);
    let scheme = match place.ends_with(":110") {
        true => "pop3",
        false => "pop3s",
    };
    is_host.then(|| format!("{scheme}://{name}"))
}

/// The file of the journal, unless another one is given.
#[cfg(unix)]
pub(crate) fn journal_file() -> Result<PathBuf, Failure> {
    Ok(directories::state("--journal FILE")?.join("journal.sqlite"))
}

#[cfg(test)]
mod tests {
    use super::url_of_host;

    #[test]
    fn a_host_without_a_scheme_is_reached_over_tls() {
        for (name, url) in [
            ("mail.example.org", Some("pop3s://mail.example.org")),
            ("me@mail.example.org", Some("pop3s://me@mail.example.org")),
            ("me@localhost", Some("pop3s://me@localhost")),
            (
                "me@example.org@host:995",
                Some("pop3s://me@example.org@host:995"),
            ),
            ("me@host:110", Some("pop3://me@host:110")),
            ("me@[::1]:110", Some("pop3://me@[::1]:110")),
            ("me@host:1110", Some("pop3s://me@host:1110")),
            ("localhost:1995", Some("pop3s://localhost:1995")),
            ("home", None),
            ("work mail", None),
        ] {
            assert_eq!(url_of_host(name).as_deref(), url, "{name}");
        }
    }
}

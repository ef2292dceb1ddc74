//! The tokens of an account, in a file that only its owner can read or with a command
//! of the user.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use oauth2::{TokenResponse as _, basic::BasicTokenResponse, url::form_urlencoded};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    directories,
    exit::{Exit, Failure},
    remote::password,
};

/// A token is renewed this many seconds before it expires, because the clocks of
/// both sides differ and a login takes time.
const EARLY: i64 = 120;

/// What a provider issued.
#[derive(Deserialize, Serialize)]
pub(super) struct Tokens {
    pub(super) refresh: Zeroizing<String>,
    pub(super) access: Option<Zeroizing<String>>,
    /// When the access token expires, in seconds since 1970.
    expires: i64,
}

impl Tokens {
    /// The tokens in an answer that came at `now`; `refresh` is used if it has no
    /// refresh token. `None` without any.
    pub(super) fn of(
        answer: &BasicTokenResponse,
        now: i64,
        refresh: Option<Zeroizing<String>>,
    ) -> Option<Self> {
        let issued = answer.refresh_token();
        let issued = issued.map(|token| Zeroizing::new(token.secret().clone()));
        let lifetime = answer.expires_in().map_or(0, |lifetime| lifetime.as_secs());
        Some(Self {
            refresh: issued.or(refresh)?,
            access: Some(Zeroizing::new(answer.access_token().secret().clone())),
            expires: now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX)),
        })
    }

    /// The access token, if it is valid at `now` and for a while afterwards.
    pub(super) fn valid_at(&self, now: i64) -> Option<Zeroizing<String>> {
        let access = self.access.as_ref()?;
        (now.saturating_add(EARLY) < self.expires).then(|| access.clone())
    }
}

/// Keeps the tokens of one account.
#[derive(Clone)]
pub(super) enum Store {
    File(PathBuf),
    Command(String),
}

/// Held while tokens are renewed.
pub(super) struct Lock {
    _file: Option<fs::File>,
}

impl Store {
    pub(super) fn new(account: &str, command: Option<&str>) -> Result<Self, Failure> {
        if let Some(command) = command {
            return Ok(Self::Command(command.to_owned()));
        }
        let name: String = form_urlencoded::byte_serialize(account.as_bytes()).collect();
        let tokens = directories::state("--oauth-store-command COMMAND")?.join("tokens");
        Ok(Self::File(tokens.join(name + ".json")))
    }

    /// Where the tokens are, in words.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File(file) => file.display().to_string(),
            Self::Command(_) => String::from("--oauth-store-command"),
        }
    }

    /// Waits until no other process renews the tokens of this account.
    pub(super) fn lock(&self) -> Result<Lock, Failure> {
        let Self::File(file) = self else {
            return Ok(Lock { _file: None });
        };
        let file = file.with_extension("lock");
        let locked = make_directory(&file).and_then(|()| lock(&file));
        match locked {
            Ok(file) => Ok(Lock { _file: Some(file) }),
            Err(error) => Err(cannot("lock", &file, &error)),
        }
    }

    /// Returns the tokens, if there are any.
    pub(super) fn get(&self) -> Result<Option<Tokens>, Failure> {
        let octets = match self {
            Self::File(file) => match fs::read(file) {
                Ok(octets) => Zeroizing::new(octets),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(cannot("read", file, &error)),
            },
            Self::Command(command) => {
                let octets = password::output_of(&format!("{command} get"))
                    .map_err(|error| self.failed(&error))?;
                if octets.is_empty() {
                    return Ok(None);
                }
                octets
            }
        };
        // The error does not show the text, which is secret.
        serde_json::from_slice(&octets).map(Some).map_err(|error| {
            Failure::new(
                Exit::Data,
                format_args!(
                    "the tokens from {} are malformed at column {}; run pop3 login again",
                    self.place(),
                    error.column()
                ),
            )
        })
    }

    /// Replaces the tokens. They are on disk when this returns.
    pub(super) fn put(&self, tokens: &Tokens) -> Result<(), Failure> {
        let octets = serde_json::to_vec(tokens).map_err(|error| self.failed(&error))?;
        let octets = Zeroizing::new(octets);
        match self {
            Self::File(file) => {
                write_whole(file, &octets).map_err(|error| cannot("write", file, &error))
            }
            Self::Command(command) => feed(command, &octets).map_err(|error| self.failed(&error)),
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::new(Exit::Io, format_args!("{}: {error}", self.place()))
    }
}

/// Runs `COMMAND store` with the tokens as its input.
fn feed(command: &str, octets: &[u8]) -> io::Result<()> {
    let mut child = password::shell(&format!("{command} store"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let written = match child.stdin.take() {
        Some(mut to) => to.write_all(octets),
        None => Ok(()),
    };
    let status = child.wait()?;
    match status.success() {
        true => written,
        false => Err(io::Error::other(format!("the command ended with {status}"))),
    }
}

fn make_directory(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Replaces a file so that each reader finds the old or the new content whole.
fn write_whole(file: &Path, octets: &[u8]) -> io::Result<()> {
    make_directory(file)?;
    let directory = file.parent().unwrap_or_else(|| Path::new("."));
    // Only its owner can read a temporary file, and it keeps that mode.
    let mut part = tempfile::NamedTempFile::new_in(directory)?;
    part.write_all(octets)?;
    part.as_file().sync_all()?;
    part.persist(file)?;
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    Ok(())
}

fn lock(file: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(file)?;
    #[cfg(unix)]
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

fn cannot(what: &str, file: &Path, error: &io::Error) -> Failure {
    let instead = "give --oauth-store-command, or another XDG_STATE_HOME";
    Failure::new(
        Exit::Io,
        format_args!("cannot {what} {}: {error}; {instead}", file.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_is_valid_until_two_minutes_before_it_expires() {
        let tokens = Tokens {
            refresh: Zeroizing::default(),
            access: Some(Zeroizing::default()),
            expires: 1000,
        };
        assert!(tokens.valid_at(879).is_some());
        assert!(tokens.valid_at(880).is_none());
    }
}

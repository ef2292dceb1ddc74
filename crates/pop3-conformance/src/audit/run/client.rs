//! The client program to audit: how it is started, and where it stores mail.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::stored::Store;

/// A client program.
///
/// In arguments, files and environment variables, `{host}`, `{port}`, `{user}`,
/// `{password}`, `{cafile}`, `{home}`, `{maildir}` and `{mbox}` are replaced for
/// each run. Other braces stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Its name in the report.
    pub name: String,
    /// How to start it if the server offers no TLS.
    pub plain: Option<Invocation>,
    /// How to start it so that it requires STLS.
    pub stls: Option<Invocation>,
    /// The kind of place where it stores mail.
    pub store: Store,
    /// The path of that place, within the scratch directory.
    pub place: PathBuf,
    /// The messages that it fetches.
    pub takes: Takes,
    /// Whether it refuses to run as root. If the audit runs as root, the client
    /// then runs as the user `nobody`.
    pub not_as_root: bool,
}

/// A way to start a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Invocation {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Files to write into the scratch directory, readable only for the owner.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Environment variables, in addition to `PATH`, `HOME`, `TMPDIR`, `USER`,
    /// `LOGNAME` and `LC_ALL`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// The messages of a maildrop that a client fetches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// All messages.
    #[default]
    All,
    /// Only the first message.
    First,
}

/// The values that replace names in braces.
pub(super) struct Values<'a> {
    pub(super) port: u16,
    pub(super) cafile: &'a Path,
    pub(super) home: &'a Path,
    pub(super) place: &'a Path,
}

/// The user name for the login.
pub(super) const USER: &str = "mrose";
const PASSWORD: &str = "tanstaaf";

impl Client {
    /// A client that is started by `command`; `stls` says whether its arguments
    /// make it require STLS.
    #[must_use]
    pub fn from_command(command: Vec<String>, stls: bool) -> Self {
        let name = command.first().cloned().unwrap_or_default();
        let invocation = Some(Invocation {
            command,
            ..Invocation::default()
        });
        let (plain, stls) = match stls {
            true => (None, invocation),
            false => (invocation, None),
        };
        Self {
            name,
            plain,
            stls,
            ..Self::default()
        }
    }
}

impl Values<'_> {
    pub(super) fn fill(&self, text: &str) -> String {
        let place = self.place.display().to_string();
        let values = [
            ("{host}", "127.0.0.1".to_owned()),
            ("{port}", self.port.to_string()),
            ("{user}", USER.to_owned()),
            ("{password}", PASSWORD.to_owned()),
            ("{cafile}", self.cafile.display().to_string()),
            ("{home}", self.home.display().to_string()),
            ("{maildir}", place.clone()),
            ("{mbox}", place),
        ];
        let filled = values.iter();
        filled.fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    /// Writes the files of an invocation.
    pub(super) fn write_files(&self, invocation: &Invocation) -> io::Result<()> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        for (name, text) in &invocation.files {
            let mut options = std::fs::OpenOptions::new();
            let options = options.write(true).create_new(true).mode(0o600);
            let mut file = options.open(self.home.join(name))?;
            file.write_all(self.fill(text).as_bytes())?;
        }
        Ok(())
    }
}

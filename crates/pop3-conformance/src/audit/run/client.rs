//! The client program to audit: how it is started, and where it puts mail.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::stored::Store;

/// A client program.
///
/// In arguments, files and variables of the environment `{host}`, `{port}`,
/// `{user}`, `{password}`, `{cafile}`, `{home}`, `{maildir}` and `{mbox}` are
/// filled in for each run. Other braces stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// What it is called in the report.
    pub name: String,
    /// How it is started where the server offers no TLS.
    pub plain: Option<Invocation>,
    /// How it is started to insist on STLS.
    pub stls: Option<Invocation>,
    /// What kind of place it puts mail in.
    pub store: Store,
    /// That place, as a path within the scratch directory.
    pub place: PathBuf,
    /// Which messages it fetches.
    pub takes: Takes,
    /// Whether it refuses to run as root, and so runs as `nobody` where the lab
    /// does.
    pub not_as_root: bool,
}

/// A way to start a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Invocation {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Files to write into the scratch directory, readable for the owner alone.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Variables of its environment, beside `PATH`, `HOME`, `TMPDIR`, `USER`,
    /// `LOGNAME` and `LC_ALL`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// Which messages of a maildrop a client fetches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// All.
    #[default]
    All,
    /// The first.
    First,
}

/// What is filled in.
pub(super) struct Values<'a> {
    pub(super) port: u16,
    pub(super) cafile: &'a Path,
    pub(super) home: &'a Path,
    pub(super) place: &'a Path,
}

/// Who logs in, and with what.
pub(super) const USER: &str = "mrose";
const PASSWORD: &str = "tanstaaf";

impl Client {
    /// A client that is one command, and whose arguments make it insist on
    /// STLS or not.
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

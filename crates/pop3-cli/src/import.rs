//! `pop3 import`: records what another program has fetched, so that `pop3 fetch`
//! does not fetch it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use pop3_fetch::{Journal, Key, Seen, Spelling};
use pop3_proto::Counted;

use crate::{
    accounts,
    clock::clock,
    exit::{Exit, Failure},
    remote::{Remote, RemoteOptions},
};

mod formats;

use formats::Listed;

pub(crate) const NAME: &str = "import";

const AFTER_HELP: &str = "\
The journal then has these messages as fetched: pop3 fetch does not fetch them, and deletes them on the server only with \
--delete-imported. Either all unique-ids of the account are imported or, if a line is malformed, none. Stop the other \
program first, so that it fetches nothing after this.

    pop3 import pop3s://me@mail.example.org --fetchmail ~/.fetchids
    pop3 import home --mpop ~/.mpop_uidls/me_at_mail.example.org
    pop3 import home --getmail ~/.config/getmail/oldmail-mail.example.org-995-me

Without such a file, pop3 fetch --catch-up records what is on the server now.

Exit status:
   0  the unique-ids are in the journal
  64  wrong usage
  65  the file, the configuration file or the journal is malformed, or the file does not name this account
  66  a file cannot be read
  73  the journal cannot be opened
  74  writing the journal failed
  75  try again later: pop3 fetch is fetching this account";

/// Record the messages that another program has fetched
///
/// Reads the unique-ids that fetchmail, mpop or getmail keeps, so that `pop3 fetch`
/// does not fetch those messages again.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Import {
    #[command(flatten)]
    account: accounts::Named,

    #[command(flatten)]
    from: From,

    /// The name that the other program has for this account, if it is not the user
    /// and host given here: USER@HOST, or SERVER-PORT-USER for getmail
    #[arg(long, value_name = "NAME")]
    their_name: Option<String>,

    /// Keep the journal (the record of fetched messages) in FILE
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// The file to import.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct From {
    /// Import from fetchmail's idfile, usually ~/.fetchids
    #[arg(long, value_name = "FILE")]
    fetchmail: Option<PathBuf>,

    /// Import from mpop's uidls_file, usually ~/.mpop_uidls/USER_at_HOST
    #[arg(long, value_name = "FILE")]
    mpop: Option<PathBuf>,

    /// Import from getmail's oldmail-SERVER-PORT-USER
    #[arg(long, value_name = "FILE")]
    getmail: Option<PathBuf>,
}

impl Import {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let remote = self.account.remote(RemoteOptions::default())?;
        let account = remote.account();
        let journal = match &self.journal {
            Some(file) => file.clone(),
            None => accounts::journal_file()?,
        };
        let (file, all, spelling) = self.from.read()?;
        let is_wanted = |owner: &Owner| match &self.their_name {
            Some(name) => owner.is_named(name),
            None => owner.is_account(&remote),
        };
        let (ours, others): (Vec<Listed>, Vec<Listed>) =
            all.into_iter().partition(|listed| is_wanted(&listed.owner));
        if ours.is_empty() {
            return Err(self.has_none(file, &account, &others));
        }
        let now = clock();
        let mut listed = BTreeSet::new();
        let seen: Vec<Seen> = ours
            .into_iter()
            .filter(|message| listed.insert(message.unique_id.clone()))
            .map(|message| Seen {
                key: Key {
                    unique_id: message.unique_id,
                    copy: 0,
                },
                octets: None,
                since: message.since.unwrap_or(now),
            })
            .collect();
        let imported = Journal::open(&journal, &account)?.see(&seen, spelling)?;
        let mut text = format!("{account}: {} imported", Counted(imported, "unique-id"));
        if seen.len() > imported {
            let known = seen.len() - imported;
            text.push_str(&format!(", {known} in the journal already"));
        }
        text.push('\n');
        for (owner, count) in counts(&others) {
            let unique_ids = Counted(count, "unique-id");
            text.push_str(&format!("not imported: {unique_ids} of {owner}\n"));
        }
        // The import is done even if this cannot be printed.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(())
    }

    fn has_none(&self, file: &Path, account: &str, others: &[Listed]) -> Failure {
        let wanted = self.their_name.as_deref().unwrap_or(account);
        let names: Vec<String> = counts(others).into_keys().collect();
        let advice = match names.as_slice() {
            [] => String::from("it lists no message"),
            names => format!(
                "it lists those of {}; if one of these is the account, name it with --their-name",
                names.join(", ")
            ),
        };
        Failure::new(
            Exit::Data,
            format_args!(
                "{} lists no message of {wanted}, so nothing was imported: {advice}",
                file.display()
            ),
        )
    }
}

impl From {
    /// Reads the file that is given.
    fn read(&self) -> Result<(&Path, Vec<Listed>, Spelling), Failure> {
        let (file, parse): (_, fn(&str, &Path) -> _) = match self {
            Self {
                fetchmail: Some(file),
                ..
            } => (file, |text, _| formats::fetchmail(text)),
            Self {
                mpop: Some(file), ..
            } => (file, |text, _| formats::mpop(text)),
            Self {
                getmail: Some(file),
                ..
            } => (file, formats::getmail),
            _ => {
                return Err(Failure::new(
                    Exit::Usage,
                    "name a file with --fetchmail FILE",
                ));
            }
        };
        let octets = fs::read(file).map_err(|error| {
            Failure::new(
                Exit::NoInput,
                format_args!("cannot read {}: {error}", file.display()),
            )
        })?;
        let listed = formats::text(&octets).and_then(|text| parse(text, file));
        let listed = listed.map_err(|malformed| {
            Failure::new(
                Exit::Data,
                format_args!("{}: {malformed}; nothing was imported", file.display()),
            )
        })?;
        let spelling = match self.getmail {
            Some(_) => Spelling::SlashesAsDashes,
            None => Spelling::Exact,
        };
        Ok((file, listed, spelling))
    }
}

/// The account of a message, as the other program names it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Named {
        user: String,
        host: String,
    },
    /// The part of a file name that getmail makes of server, port and user.
    File(String),
    /// A file of getmail that was renamed: it names no account.
    Unnamed,
}

impl Owner {
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Unnamed => true,
            named => named.to_string() == name,
        }
    }

    fn is_account(&self, remote: &Remote) -> bool {
        let ours = &remote.endpoint.host;
        match self {
            Self::Named { user, host } => *user == remote.user && host.eq_ignore_ascii_case(ours),
            Self::File(name) => {
                let name = name.to_ascii_lowercase();
                let part = |text: &str| formats::in_file_name(text).to_ascii_lowercase();
                let rest = name.strip_prefix(&format!("{}-", part(ours)));
                let rest =
                    rest.map(|rest| rest.trim_start_matches(|char: char| char.is_ascii_digit()));
                rest.is_some_and(|rest| *rest == format!("-{}", part(&remote.user)))
            }
            Self::Unnamed => true,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { user, host } => write!(f, "{user}@{host}"),
            Self::File(name) => f.write_str(name),
            Self::Unnamed => f.write_str("an account without a name"),
        }
    }
}

/// The number of messages of each account, with its name in printable form.
fn counts(listed: &[Listed]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in listed {
        let owner = message.owner.to_string();
        let owner = owner.escape_debug().to_string();
        *counts.entry(owner).or_insert(0) += 1;
    }
    counts
}

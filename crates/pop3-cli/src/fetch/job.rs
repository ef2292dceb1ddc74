//! The work of one run for one account.

use std::path::{Path, PathBuf};

use pop3_fetch::{Address, Afterwards, Form, LineEnds, Place, Sorting, Wishes};
use pop3_proto::AfterSync;

use super::{
    Fetch, Output, WishOptions,
    config::{self, Account},
    matching::Match,
};
use crate::{
    accounts, directories,
    exit::{Exit, Failure},
    remote::{Remote, RemoteOptions},
};

pub(crate) struct Job {
    pub(crate) remote: Remote,
    /// Absent for `--catch-up`, which delivers nothing.
    pub(crate) to: Option<Place>,
    /// The Maildirs of `--match`, and that of `--to`.
    pub(crate) sorting: Option<Sorting>,
    pub(crate) form: Form,
    pub(crate) line_ends: LineEnds,
    pub(crate) received: bool,
    pub(crate) delivered_to: Option<Address>,
    pub(crate) wishes: Wishes,
    pub(crate) journal: PathBuf,
    pub(crate) any_size: bool,
    pub(crate) without_unique_id: bool,
    pub(crate) dry_run: bool,
    pub(crate) headers: bool,
    /// Whether this is one of many runs (`--every`).
    pub(crate) repeats: bool,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl Job {
    pub(crate) const fn catches_up(&self) -> bool {
        self.to.is_none()
    }
}

/// The job for the given URL or name, or one job for each account in the
/// configuration file.
pub(crate) fn jobs(fetch: &Fetch) -> Result<Vec<Job>, Failure> {
    let journal = match &fetch.journal {
        Some(file) => file.clone(),
        None => accounts::journal_file()?,
    };
    if let Some(name) = &fetch.from {
        let account = accounts::find(name, fetch.config.as_deref())?;
        return Ok(vec![job(fetch, account, &journal)?]);
    }
    let file = match &fetch.config {
        Some(file) => file.clone(),
        None => directories::config_file()?,
    };
    let accounts = config::read(&file)?.into_iter();
    let jobs = accounts.map(|(_, account)| job(fetch, account, &journal));
    let jobs: Vec<Job> = jobs.collect::<Result<_, _>>()?;
    match jobs.is_empty() {
        false => Ok(jobs),
        true => Err(Failure::new(
            Exit::Usage,
            format_args!(
                "{} has no table [accounts.NAME]; give a URL",
                file.display()
            ),
        )),
    }
}

fn job(fetch: &Fetch, account: Account, journal: &Path) -> Result<Job, Failure> {
    let Output {
        dry_run,
        headers,
        raw,
        json,
        quiet,
    } = fetch.output;
    let to = match fetch.catch_up {
        true => None,
        false => Some(place(fetch, &account)?),
    };
    let sorting = match &to {
        Some(to) => sorting(fetch, &account, to)?,
        None => None,
    };
    let remote: RemoteOptions = fetch.remote.clone().or(&account.remote);
    let remote = remote.remote(&account.url)?;
    let wishes = fetch.wishes.clone().or(&account.wishes);
    let line_ends = match to {
        // RFC 5321 §2.3.8
        Some(Place::Lmtp(_)) => LineEnds::Received,
        _ => wishes.line_ends.unwrap_or_default().into(),
    };
    let afterwards = wishes.afterwards(match to {
        // A pipe does not keep mail, so deleting takes an explicit option.
        Some(Place::Stdout) => AfterSync::Keep,
        _ => remote.settings.profile.after_sync,
    });
    if wishes.delete_imported && afterwards == Afterwards::Keep && !fetch.catch_up {
        return Err(Failure::new(
            Exit::Usage,
            "--delete-imported needs --delete or --delete-after DAYS, which say when to delete",
        ));
    }
    Ok(Job {
        wishes: Wishes {
            equal_unique_ids: remote.settings.profile.equal_unique_ids,
            afterwards,
            delete_imported: wishes.delete_imported,
            limit: wishes.limit.unwrap_or(usize::MAX),
            max_octets: wishes.max_size.unwrap_or(u64::MAX),
            // Each run has its own time.
            now: 0,
        },
        remote,
        to,
        sorting,
        form: match raw {
            true => Form::Raw,
            false => Form::Mbox,
        },
        line_ends,
        received: wishes.received,
        delivered_to: wishes.delivered_to,
        any_size: wishes.any_size,
        without_unique_id: wishes.without_unique_id,
        journal: journal.to_owned(),
        dry_run,
        headers,
        repeats: fetch.every.is_some(),
        json,
        quiet,
    })
}

/// The place to deliver to. What the command line says replaces what the file says.
fn place(fetch: &Fetch, account: &Account) -> Result<Place, Failure> {
    let usage = |what| Err(Failure::new(Exit::Usage, what));
    let Some(to) = fetch.to.as_ref().or(account.to.as_ref()) else {
        return usage(
            "no place to deliver to: add --to maildir:DIRECTORY, --to mbox:FILE, --to \
             command:COMMAND, --to lmtp:HOST:PORT or --to -",
        );
    };
    let Place::Lmtp(lmtp) = to else {
        return match fetch.recipient.is_empty() && fetch.sender.is_none() {
            true => Ok(to.clone()),
            false => usage("--recipient and --sender need --to lmtp:HOST:PORT or lmtp:/SOCKET"),
        };
    };
    let recipients = match fetch.recipient.as_slice() {
        [] => &account.recipient,
        recipients => recipients,
    };
    if recipients.is_empty() {
        return usage("no recipient for the LMTP server: add --recipient ADDRESS");
    }
    let sender = fetch.sender.clone().or_else(|| account.sender.clone());
    Ok(Place::Lmtp(lmtp.clone().between(sender, recipients)))
}

/// The rules for the place `to`, if there are any. Those of the file belong to the
/// place that the file names.
fn sorting(fetch: &Fetch, account: &Account, to: &Place) -> Result<Option<Sorting>, Failure> {
    let rules = match (fetch.rules.as_slice(), &fetch.to) {
        ([], None) => &account.rules,
        (rules, _) => rules,
    };
    match to {
        _ if rules.is_empty() => Ok(None),
        Place::Maildir(maildir) => Ok(Some(Sorting {
            rules: rules.iter().cloned().map(Match::rule).collect(),
            otherwise: maildir.clone(),
        })),
        place => Err(Failure::new(
            Exit::Usage,
            format_args!(
                "with --match (the key match), --to is for mail that no rule matches, so it must \
                 be a Maildir, and not {place}: write --to maildir:DIRECTORY"
            ),
        )),
    }
}

impl WishOptions {
    /// These options; those that are not given come from `others`.
    pub(super) fn or(self, others: &Self) -> Self {
        let says = self.keep || self.delete || self.delete_after.is_some();
        let afterwards = if says { &self } else { others };
        Self {
            keep: afterwards.keep,
            delete: afterwards.delete,
            delete_after: afterwards.delete_after,
            delete_imported: self.delete_imported || afterwards.delete_imported,
            limit: self.limit.or(others.limit),
            max_size: self.max_size.or(others.max_size),
            line_ends: self.line_ends.or(others.line_ends),
            received: self.received || others.received,
            delivered_to: self.delivered_to.or_else(|| others.delivered_to.clone()),
            any_size: self.any_size || others.any_size,
            without_unique_id: self.without_unique_id || others.without_unique_id,
        }
    }

    fn afterwards(&self, by_profile: AfterSync) -> Afterwards {
        match (self, by_profile) {
            (Self { keep: true, .. }, _) => Afterwards::Keep,
            (Self { delete: true, .. }, _) => Afterwards::Delete,
            (
                &Self {
                    delete_after: Some(days),
                    ..
                },
                _,
            ) => Afterwards::DeleteAfter(i64::from(days) * 24 * 60 * 60),
            (_, AfterSync::Delete) => Afterwards::Delete,
            (_, AfterSync::Keep) => Afterwards::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_decide_what_is_deleted_before_the_profile_does() {
        let days = |days| WishOptions {
            delete_after: Some(days),
            ..WishOptions::default()
        };
        let keep = WishOptions {
            keep: true,
            ..WishOptions::default()
        };
        let delete = WishOptions {
            delete: true,
            ..WishOptions::default()
        };
        for (options, decided) in [
            (keep, Afterwards::Keep),
            (delete, Afterwards::Delete),
            (days(0), Afterwards::DeleteAfter(0)),
            (days(14), Afterwards::DeleteAfter(1_209_600)),
            (
                days(u32::MAX),
                Afterwards::DeleteAfter(i64::from(u32::MAX) * 86_400),
            ),
        ] {
            for by_profile in [AfterSync::Keep, AfterSync::Delete] {
                assert_eq!(options.afterwards(by_profile), decided, "{options:?}");
            }
        }
        let silent = WishOptions::default();
        assert_eq!(silent.afterwards(AfterSync::Keep), Afterwards::Keep);
        assert_eq!(silent.afterwards(AfterSync::Delete), Afterwards::Delete);
    }

    #[test]
    fn what_the_command_line_says_of_deletion_replaces_all_that_the_file_says() {
        let keep = WishOptions {
            keep: true,
            ..WishOptions::default()
        };
        let delete = WishOptions {
            delete: true,
            ..WishOptions::default()
        };
        let later = WishOptions {
            delete_after: Some(3),
            ..WishOptions::default()
        };
        for (options, decided) in [
            (&keep, Afterwards::Keep),
            (&delete, Afterwards::Delete),
            (&later, Afterwards::DeleteAfter(259_200)),
        ] {
            for file in [&keep, &delete, &later, &WishOptions::default()] {
                let both = options.clone().or(file);
                assert_eq!(both.afterwards(AfterSync::Keep), decided);
                assert_eq!(both.afterwards(AfterSync::Delete), decided);
            }
            let of_file = WishOptions::default().or(options);
            assert_eq!(of_file.afterwards(AfterSync::Keep), decided);
        }
    }
}

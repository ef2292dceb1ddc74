//! The configuration file: accounts by name, with the options of the command line.

use std::{
    collections::BTreeMap,
    env, fs,
    net::IpAddr,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

use clap::ValueEnum as _;
use pop3_fetch::{Address, Place};
use serde::Deserialize;

use super::{LineEnds, Match, WishOptions};
use crate::{
    exit::{Exit, Failure},
    remote::{RemoteOptions, oauth::OAuthOptions, password::PasswordOptions},
};

/// One account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) to: Option<Place>,
    pub(crate) recipient: Vec<Address>,
    pub(crate) sender: Option<Address>,
    pub(crate) rules: Vec<Match>,
    pub(crate) wishes: WishOptions,
    pub(crate) remote: RemoteOptions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accounts: BTreeMap<String, Entry>,
}

/// A flat table, so that serde refuses unknown keys: a misspelt key must not count
/// as absent.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    url: String,
    to: Option<String>,
    recipient: Vec<String>,
    sender: Option<String>,
    #[serde(rename = "match")]
    rules: Vec<MatchEntry>,
    keep: bool,
    delete: bool,
    delete_after: Option<u32>,
    delete_imported: bool,
    limit: Option<usize>,
    max_size: Option<u64>,
    line_ends: Option<String>,
    received: bool,
    delivered_to: Option<String>,
    any_size: bool,
    without_unique_id: bool,
    profile: Option<String>,
    auth: Option<String>,
    password_file: Option<PathBuf>,
    password_command: Option<String>,
    oauth: Option<String>,
    oauth_client_id: Option<String>,
    oauth_client_secret_file: Option<PathBuf>,
    oauth_scope: Option<String>,
    oauth_store_command: Option<String>,
    ca_file: Option<PathBuf>,
    fingerprint: Option<String>,
    client_certificate: Option<PathBuf>,
    proxy: Option<String>,
    source_address: Option<IpAddr>,
    insecure_plaintext: bool,
    dangerous_token_in_cleartext: bool,
    require_tls: bool,
    dangerous_accept_invalid_certs: bool,
    no_pipelining: bool,
    timeout: Option<NonZeroU64>,
    session_timeout: Option<NonZeroU64>,
}

/// The keys of a rule, none of which may be absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchEntry {
    field: String,
    contains: String,
    to: String,
}

/// Reads the accounts and their names.
pub(crate) fn read(file: &Path) -> Result<Vec<(String, Account)>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::new(
            Exit::NoInput,
            format_args!(
                "cannot read the configuration file {}: {error}; give a URL (pop3s://user@host), \
                 or --config FILE",
                file.display()
            ),
        )
    })?;
    parse(&text).map_err(|what| {
        Failure::new(
            Exit::Data,
            format_args!("configuration file {}: {what}", file.display()),
        )
    })
}

fn parse(text: &str) -> Result<Vec<(String, Account)>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| {
            let before = text.get(..span.start).unwrap_or(text);
            before.matches('\n').count() + 1
        });
        match line {
            Some(line) => format!("line {line}: {}", error.message()),
            None => error.message().to_owned(),
        }
    })?;
    let accounts = file.accounts.into_iter();
    accounts
        .map(|(name, entry)| match account(entry) {
            Ok(account) => Ok((name, account)),
            Err(what) => Err(format!("account {name}: {what}")),
        })
        .collect()
}

fn account(entry: Entry) -> Result<Account, String> {
    if entry.url.is_empty() {
        return Err(String::from("url is missing"));
    }
    if usize::from(entry.keep)
        + usize::from(entry.delete)
        + usize::from(entry.delete_after.is_some())
        > 1
    {
        return Err(String::from(
            "keep, delete and delete-after exclude each other; remove all but one",
        ));
    }
    let to = match entry.to {
        Some(to) => Some(match to.parse().map_err(|error| format!("to: {error}"))? {
            Place::Maildir(directory) => Place::Maildir(at_home(directory)),
            Place::Mbox(file) => Place::Mbox(at_home(file)),
            place @ (Place::Command(_) | Place::Lmtp(_) | Place::Stdout) => place,
        }),
        None => None,
    };
    let recipient = entry.recipient.iter().map(|text| text.parse());
    let recipient = recipient.collect::<Result<_, _>>();
    let recipient = recipient.map_err(|error: String| format!("recipient: {error}"))?;
    let address = |key: &str, text: Option<String>| {
        let address = text.map(|text| text.parse::<Address>()).transpose();
        address.map_err(|error| format!("{key}: {error}"))
    };
    let sender = address("sender", entry.sender)?;
    let delivered_to = address("delivered-to", entry.delivered_to)?;
    let rules = entry.rules.iter().zip(1..).map(|(rule, number)| {
        let rule = Match::new(&rule.field, &rule.contains, &rule.to);
        let rule = rule.map(|rule| rule.at(at_home));
        rule.map_err(|error| format!("match {number}: {error}"))
    });
    let rules = rules.collect::<Result<_, _>>()?;
    let line_ends = match entry.line_ends {
        Some(name) => {
            Some(LineEnds::from_str(&name, false).map_err(|_| "line-ends must be lf or received")?)
        }
        None => None,
    };
    let fingerprint = match entry.fingerprint {
        Some(text) => Some(
            text.parse()
                .map_err(|error| format!("fingerprint: {error}"))?,
        ),
        None => None,
    };
    let proxy = match entry.proxy {
        Some(text) => Some(text.parse().map_err(|error| format!("proxy: {error}"))?),
        None => None,
    };
    Ok(Account {
        url: entry.url,
        to,
        recipient,
        sender,
        rules,
        wishes: WishOptions {
            keep: entry.keep,
            delete: entry.delete,
            delete_after: entry.delete_after,
            delete_imported: entry.delete_imported,
            limit: entry.limit,
            max_size: entry.max_size,
            line_ends,
            received: entry.received,
            delivered_to,
            any_size: entry.any_size,
            without_unique_id: entry.without_unique_id,
        },
        remote: RemoteOptions {
            profile: entry.profile,
            auth: entry.auth,
            password: PasswordOptions {
                password_file: entry.password_file.map(at_home),
                password_command: entry.password_command,
            },
            oauth: OAuthOptions {
                oauth: entry.oauth,
                oauth_client_id: entry.oauth_client_id,
                oauth_client_secret_file: entry.oauth_client_secret_file.map(at_home),
                oauth_scope: entry.oauth_scope,
                oauth_store_command: entry.oauth_store_command,
            },
            ca_file: entry.ca_file.map(at_home),
            fingerprint,
            client_certificate: entry.client_certificate.map(at_home),
            proxy,
            source_address: entry.source_address,
            insecure_plaintext: entry.insecure_plaintext,
            dangerous_token_in_cleartext: entry.dangerous_token_in_cleartext,
            require_tls: entry.require_tls,
            dangerous_accept_invalid_certs: entry.dangerous_accept_invalid_certs,
            no_pipelining: entry.no_pipelining,
            timeout: entry.timeout.map(NonZeroU64::get),
            session_timeout: entry.session_timeout.map(NonZeroU64::get),
        },
    })
}

/// Replaces `~/` with the home directory: no shell expands it in this file.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names every field, so that a new field without a key does not compile.
    #[test]
    fn reads_every_key_of_an_account() {
        let digits = "ab".repeat(32);
        let text = format!(
            "[accounts.home]\nurl = 'pop3s://me@example.org'\nto = 'maildir:/mail'\n\
             recipient = ['me@a', 'you@a']\nsender = 'they@a'\ndelete-after = 14\ndelete-imported = true\nlimit = 5\nmax-size = 6\nline-ends = 'received'\n\
             received = true\ndelivered-to = 'me@b'\nany-size = true\nwithout-unique-id = true\nprofile = 'outlook-2016'\nauth = 'PLAIN'\n\
             password-file = '/password'\npassword-command = 'pass mail'\n\
             oauth = 'google'\noauth-client-id = 'id'\noauth-client-secret-file = '/secret'\n\
             oauth-scope = 'mail'\noauth-store-command = 'keep'\n\
             ca-file = '/ca.pem'\nfingerprint = '{digits}'\n\
             client-certificate = '/me.pem'\nproxy = 'socks5://h:1'\n\
             source-address = '192.0.2.1'\ninsecure-plaintext = true\n\
             dangerous-token-in-cleartext = true\nrequire-tls = true\n\
             dangerous-accept-invalid-certs = true\nno-pipelining = true\n\
             timeout = 7\nsession-timeout = 8\n\
             [[accounts.home.match]]\nfield = 'List-Id'\ncontains = 'a'\nto = 'maildir:/a'\n\
             [[accounts.home.match]]\nfield = 'Subject'\ncontains = 'b'\nto = 'maildir:/b'\n\
             [accounts.kept]\nurl = 'pop3://w@example.com'\nkeep = true\n\
             [accounts.work]\nurl = 'pop3://w@example.com'\ndelete = true\n"
        );
        let accounts = parse(&text).unwrap();
        let [(home, account), (kept, keep), (work, delete)] = accounts.as_slice() else {
            panic!("{accounts:?}");
        };
        assert_eq!((&**home, &**kept, &**work), ("home", "kept", "work"));
        assert!(keep.wishes.keep && !keep.wishes.delete);
        assert!(delete.wishes.delete && !delete.wishes.keep);
        assert!(!delete.remote.insecure_plaintext && !delete.wishes.any_size);
        let Account {
            url,
            to,
            recipient,
            sender,
            rules,
            wishes,
            remote,
        } = account;
        assert_eq!(url, "pop3s://me@example.org");
        assert_eq!(*to, Some(Place::Maildir("/mail".into())));
        let recipients: Vec<&str> = recipient.iter().map(Address::as_str).collect();
        assert_eq!(recipients, ["me@a", "you@a"]);
        assert_eq!(sender.as_ref().map(Address::as_str), Some("they@a"));
        let written = ["List-Id: a => maildir:/a", "Subject: b => maildir:/b"];
        assert_eq!(*rules, written.map(|rule| rule.parse().unwrap()));
        // The file decides where the command line says nothing.
        for wishes in [wishes.clone(), WishOptions::default().or(wishes)] {
            let WishOptions {
                keep,
                delete,
                delete_after,
                delete_imported,
                limit,
                max_size,
                line_ends,
                received,
                delivered_to,
                any_size,
                without_unique_id,
            } = wishes;
            assert!(!keep && !delete && any_size && without_unique_id && received);
            assert_eq!(delivered_to, Some("me@b".parse().unwrap()));
            assert!(delete_imported);
            let numbers = (delete_after, limit, max_size);
            assert_eq!(numbers, (Some(14), Some(5), Some(6)));
            assert_eq!(line_ends, Some(LineEnds::Received));
        }
        for remote in [remote, &RemoteOptions::default().or(remote)] {
            let RemoteOptions {
                profile,
                auth,
                password,
                oauth,
                ca_file,
                fingerprint,
                client_certificate,
                proxy,
                source_address,
                insecure_plaintext,
                dangerous_token_in_cleartext,
                require_tls,
                dangerous_accept_invalid_certs,
                no_pipelining,
                timeout,
                session_timeout,
            } = remote;
            let PasswordOptions {
                password_file,
                password_command,
            } = password;
            let OAuthOptions {
                oauth,
                oauth_client_id,
                oauth_client_secret_file,
                oauth_scope,
                oauth_store_command,
            } = oauth;
            let words = [oauth, oauth_client_id, oauth_scope, oauth_store_command];
            assert_eq!(
                words.map(Option::as_deref),
                [Some("google"), Some("id"), Some("mail"), Some("keep")]
            );
            assert_eq!(
                oauth_client_secret_file.as_deref(),
                Some(Path::new("/secret"))
            );
            let paths = (password_file.as_deref(), ca_file.as_deref());
            assert_eq!(
                paths,
                (Some(Path::new("/password")), Some(Path::new("/ca.pem")))
            );
            assert_eq!(client_certificate.as_deref(), Some(Path::new("/me.pem")));
            assert_eq!(*proxy, Some("socks5://h:1".parse().unwrap()));
            assert_eq!(*source_address, Some([192, 0, 2, 1].into()));
            let words = [profile, auth, password_command].map(Option::as_deref);
            assert_eq!(
                words,
                [Some("outlook-2016"), Some("PLAIN"), Some("pass mail")]
            );
            assert_eq!(*fingerprint, Some(digits.parse().unwrap()));
            assert!(insecure_plaintext & dangerous_token_in_cleartext & require_tls);
            assert!(dangerous_accept_invalid_certs & no_pipelining);
            assert_eq!((*timeout, *session_timeout), (Some(7), Some(8)));
        }
    }

    #[test]
    fn reads_a_fingerprint_and_refuses_a_malformed_one() {
        let digits = "ab".repeat(32);
        let entry = |text: &str| {
            parse(&format!(
                "[accounts.a]\nurl = 'pop3s://me@example.org'\nfingerprint = '{text}'\n"
            ))
        };
        let accounts = entry(&digits).unwrap();
        let found = accounts[0].1.remote.fingerprint;
        assert_eq!(found, Some(digits.parse().unwrap()));
        let error = entry(&digits[1..]).unwrap_err();
        assert!(
            error.starts_with("account a: fingerprint: a SHA-256 fingerprint is"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_the_line_or_the_account() {
        for (text, said) in [
            (
                "[accounts.a]\nurl = 'x'\n\ndelte = true\n",
                "line 4: unknown field `delte`",
            ),
            ("[acounts.a]\n", "line 1: unknown field `acounts`"),
            ("[accounts.a]\nkeep = true\n", "account a: url is missing"),
            (
                "[accounts.a]\nurl = 'x'\nkeep = true\ndelete = true\n",
                "account a: keep, delete and delete-after exclude each other",
            ),
            (
                "[accounts.a]\nurl = 'x'\nto = 'maildir'\n",
                "account a: to: write maildir:",
            ),
            (
                "[accounts.a]\nurl = 'x'\nto = 'lmtp:localhost'\n",
                "account a: to: write lmtp:HOST:PORT",
            ),
            (
                "[accounts.a]\nurl = 'x'\nrecipient = ['a', '<b>']\n",
                "account a: recipient: write an address",
            ),
            (
                "[accounts.a]\nurl = 'x'\nsender = ''\n",
                "account a: sender: write an address",
            ),
            (
                "[accounts.a]\nurl = 'x'\ndelivered-to = 'a b'\n",
                "account a: delivered-to: write an address",
            ),
            (
                "[accounts.a]\nurl = 'x'\nmatch = ['List-Id']\n",
                "line 3: invalid type: string",
            ),
            (
                "[accounts.a]\nurl = 'x'\n[[accounts.a.match]]\nfield = 'S'\nto = 'maildir:a'\n",
                "line 3: missing field `contains`",
            ),
            (
                "[accounts.a]\nurl = 'x'\n[[accounts.a.match]]\nfeild = 'S'\n",
                "line 4: unknown field `feild`",
            ),
            (
                "[accounts.a]\nurl = 'x'\n[[accounts.a.match]]\nfield = 'S:'\ncontains = ''\n\
                 to = 'maildir:a'\n",
                "account a: match 1: field: `S:` is not the name",
            ),
            (
                "[accounts.a]\nurl = 'x'\n[[accounts.a.match]]\nfield = 'S'\ncontains = ''\n\
                 to = 'mbox:a'\n",
                "account a: match 1: to: `mbox:a` is not a Maildir",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn refuses_the_key_password() {
        assert!(parse("[accounts.a]\nurl = 'x'\npassword = 'y'\n").is_err());
    }
}

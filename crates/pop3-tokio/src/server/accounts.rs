//! Who may log in: names, hashes of passwords, and whose maildrop is where.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
};

use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash,
};
use sha2::{Digest as _, Sha256};

use super::ScramKeys;
use crate::sasl::prepared_name;

/// Someone who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: String,
    maildir: Option<PathBuf>,
}

impl User {
    /// The name that was given with USER or by SASL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The third field of the user's line, as it stands there.
    #[must_use]
    pub fn maildir(&self) -> Option<&Path> {
        self.maildir.as_deref()
    }
}

/// The users of a server.
///
/// Read from lines of `user:hash` or `user:hash:maildir`. The hash is one of
/// Argon2 in the PHC string format (`$argon2id$…`), or [`ScramKeys`] in their
/// written form. A user may have a line of each kind, made from the same
/// password. Empty lines and those that begin with `#` are skipped. Names are
/// compared as SASLprep leaves them (RFC 4013), however a login spells them.
///
/// ```
/// use pop3_tokio::server::{Accounts, ScramKeys};
///
/// let line = format!("mrose:{}:/home/mrose/Maildir", ScramKeys::new("tanstaaf")?);
/// let accounts = Accounts::parse(&line)?;
/// assert_eq!(accounts.check("mrose", "tanstaaf").unwrap().name(), "mrose");
/// assert!(accounts.check("mrose", "wrong").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Accounts {
    /// By the names as they are compared.
    accounts: HashMap<String, Account>,
    /// What strangers' passwords are tried on, so that they take as long as
    /// those of users: the first of each kind.
    argon2: Option<PasswordHash>,
    scram: Option<ScramKeys>,
    /// For [`ScramKeys::of_nobody`]. The same as long as the file is.
    secret: [u8; 32],
}

#[derive(Debug)]
struct Account {
    user: User,
    argon2: Option<PasswordHash>,
    scram: Option<ScramKeys>,
}

/// A line that says nothing usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsError {
    /// Which line, counted from 1.
    line: usize,
    what: &'static str,
}

impl AccountsError {
    /// Which line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// What and where; never the line itself, which holds a hash.
impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for AccountsError {}

impl Accounts {
    /// Reads the lines described above.
    ///
    /// # Errors
    ///
    /// The first line that is not of that form, repeats a kind of hash for a
    /// name, or names another maildir than an earlier line of that name.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let mut accounts = Self {
            accounts: HashMap::new(),
            argon2: None,
            scram: None,
            secret: Sha256::digest(text).into(),
        };
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line_number = index + 1;
            let added = Entry::parse(line).and_then(|entry| accounts.add(entry));
            added.map_err(|what| AccountsError {
                line: line_number,
                what,
            })?;
        }
        Ok(accounts)
    }

    /// A single user, who may log in by every mechanism.
    ///
    /// # Errors
    ///
    /// If the operating system has no random octets, or SASLprep forbids the name
    /// or leaves nothing of it.
    pub fn single(name: &str, password: &str) -> io::Result<Self> {
        let prepared = prepared_name(name).ok_or_else(|| io::Error::other(NAME))?;
        let keys = ScramKeys::new(password)?;
        let user = User {
            name: name.to_owned(),
            maildir: None,
        };
        let account = Account {
            user,
            argon2: None,
            scram: Some(keys.clone()),
        };
        Ok(Self {
            accounts: HashMap::from([(prepared.into_owned(), account)]),
            argon2: None,
            secret: Sha256::digest(keys.to_string()).into(),
            scram: Some(keys),
        })
    }

    /// The user, if there is one of that name with that password.
    ///
    /// Takes long, so call it where that stops nothing else. It does the work of
    /// one hash of each kind that the file has, whoever asks: where all hashes
    /// of a kind have the same cost, time does not tell whether there is such a
    /// user.
    #[must_use]
    pub fn check(&self, name: &str, password: &str) -> Option<&User> {
        let account = prepared_name(name).and_then(|name| self.accounts.get(&*name));
        let own = account.and_then(|account| account.argon2.as_ref());
        let argon2 = own.or(self.argon2.as_ref()).is_some_and(|hash| {
            let verified = Argon2::default().verify_password(password.as_bytes(), hash);
            verified.is_ok() && own.is_some()
        });
        let own = account.and_then(|account| account.scram.as_ref());
        let scram = own
            .or(self.scram.as_ref())
            .is_some_and(|keys| keys.is_password(password) && own.is_some());
        account
            .filter(|_| argon2 | scram)
            .map(|account| &account.user)
    }

    /// All users, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.accounts.values().map(|account| &account.user)
    }

    /// Whether SCRAM-SHA-256 is offered: every user has the keys for it. The
    /// mechanisms that are offered cannot depend on the user, whose name comes
    /// later, and a client that fails by the best of them tries no other.
    #[must_use]
    pub fn offers_scram(&self) -> bool {
        self.without_scram().next().is_none()
    }

    /// The users who have no keys for SCRAM-SHA-256.
    pub fn without_scram(&self) -> impl Iterator<Item = &User> {
        let accounts = self.accounts.values();
        accounts
            .filter(|account| account.scram.is_none())
            .map(|account| &account.user)
    }

    /// The keys to run SCRAM with, those of nobody for a stranger; and who it
    /// is, for a user.
    pub(super) fn scram(&self, name: &str) -> Option<(ScramKeys, Option<&User>)> {
        let like = self.scram.as_ref()?;
        let prepared = prepared_name(name);
        let name = prepared.as_deref().unwrap_or(name);
        let account = self.accounts.get(name);
        let own = account.and_then(|account| Some((&account.user, account.scram.as_ref()?)));
        Some(match own {
            Some((user, keys)) => (keys.clone(), Some(user)),
            None => (ScramKeys::of_nobody(name, &self.secret, like), None),
        })
    }

    fn add(&mut self, entry: Entry<'_>) -> Result<(), &'static str> {
        let new = || Account {
            user: User {
                name: entry.name.to_owned(),
                maildir: None,
            },
            argon2: None,
            scram: None,
        };
        let prepared = prepared_name(entry.name).ok_or(NAME)?;
        let account = self.accounts.entry(prepared.into_owned());
        let account = account.or_insert_with(new);
        if let Some(maildir) = entry.maildir {
            let known = account.user.maildir.get_or_insert_with(|| maildir.into());
            if known.as_path() != Path::new(maildir) {
                return Err("the user has another maildir in an earlier line");
            }
        }
        let repeated = match entry.hash {
            Hash::Argon2(hash) => {
                self.argon2.get_or_insert_with(|| hash.clone());
                account.argon2.replace(hash).is_some()
            }
            Hash::Scram(keys) => {
                self.scram.get_or_insert_with(|| keys.clone());
                account.scram.replace(keys).is_some()
            }
        };
        match repeated {
            true => Err("the user has a hash of this kind in an earlier line"),
            false => Ok(()),
        }
    }
}

/// How many users; no hashes.
impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("users", &self.accounts.len())
            .field("scram", &self.offers_scram())
            .finish_non_exhaustive()
    }
}

/// The Argon2id hash of a password, with a salt of its own and the cost that
/// the library recommends, for [`Accounts`].
///
/// # Errors
///
/// If the operating system has no random octets.
pub fn hash_password(password: &str) -> io::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(io::Error::other)
}

/// What is wrong with a name.
const NAME: &str = "the name is empty, or has a character that no name may have (RFC 4013)";

struct Entry<'a> {
    name: &'a str,
    hash: Hash,
    maildir: Option<&'a str>,
}

enum Hash {
    Argon2(PasswordHash),
    Scram(ScramKeys),
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Result<Self, &'static str> {
        let (name, rest) = line.split_once(':').ok_or("not user:hash")?;
        // The keys of SCRAM have two colons of their own.
        let colons = match rest.starts_with("SCRAM-") {
            true => 2,
            false => 0,
        };
        let (hash, maildir) = match rest.match_indices(':').nth(colons) {
            Some((at, _)) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let hash = if colons > 0 {
            let keys = ScramKeys::parse(hash).ok_or("not the keys of SCRAM-SHA-256")?;
            Hash::Scram(keys)
        } else {
            Hash::Argon2(parse_argon2(hash).ok_or("the hash is neither Argon2 nor SCRAM-SHA-256")?)
        };
        Ok(Self {
            name,
            hash,
            maildir: maildir.filter(|path| !path.is_empty()),
        })
    }
}

/// A hash that a password can be tried on.
fn parse_argon2(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    let known = argon2::Algorithm::try_from(hash.algorithm.as_str()).is_ok();
    let whole = hash.salt.is_some() && hash.hash.is_some();
    let costs = argon2::Params::try_from(&hash).is_ok();
    (known && whole && costs).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the time that a login takes tells who is a user.
    #[test]
    fn has_a_hash_of_each_kind_to_try_for_a_stranger() {
        let argon2 = hash_password("x").unwrap();
        let scram = ScramKeys::new("x").unwrap();
        for (text, kinds) in [
            (format!("a:{argon2}"), (true, false)),
            (format!("a:{scram}"), (false, true)),
            (format!("a:{argon2}\nb:{scram}"), (true, true)),
        ] {
            let accounts = Accounts::parse(&text).unwrap();
            let found = (accounts.argon2.is_some(), accounts.scram.is_some());
            assert_eq!(found, kinds, "{text}");
        }
    }
}

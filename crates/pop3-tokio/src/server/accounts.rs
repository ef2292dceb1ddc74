//! The users of a server: names, password hashes, and maildirs.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
};

use argon2::{Argon2, PasswordHasher as _};
use sha2::{Digest as _, Sha256};

use super::{
    ScramKeys,
    argon::{Argon2Hash, Memory},
};
use crate::sasl::prepared_name;

/// A user who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: String,
    maildir: Option<PathBuf>,
}

impl User {
    /// The name given by USER or SASL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The third field of the user's line, unchanged.
    #[must_use]
    pub fn maildir(&self) -> Option<&Path> {
        self.maildir.as_deref()
    }
}

/// The users of a server.
///
/// They are read from lines of the form `user:hash` or `user:hash:maildir`. The
/// hash is an Argon2 hash in the PHC string format (`$argon2id$…`), or
/// [`ScramKeys`] in their text form. A user may have a line of each kind, for the
/// same password. Empty lines and lines that begin with `#` are skipped. Names are
/// compared after SASLprep (RFC 4013), however a login spells them.
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
    /// The accounts, by prepared names.
    accounts: HashMap<String, Account>,
    /// The first hash of each kind. Passwords for unknown names are tried on it, so
    /// that they take as long as those of users.
    argon2: Option<Argon2Hash>,
    scram: Option<ScramKeys>,
    /// The secret for [`ScramKeys::of_nobody`], derived from the file.
    secret: [u8; 32],
}

struct Account {
    user: User,
    argon2: Option<Argon2Hash>,
    scram: Option<ScramKeys>,
}

/// An error in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsError {
    /// The number of the line, from 1.
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

/// Writes the error and its line number, but never the line, which contains a hash.
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
    /// Names the first line that does not have that form, repeats a kind of hash
    /// for a name, or gives a name another maildir than an earlier line.
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

    /// A single user, who may log in with every mechanism.
    ///
    /// # Errors
    ///
    /// If the operating system returns no random octets, or SASLprep forbids the
    /// name or leaves nothing of it.
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

    /// Returns the user with this name and password, if there is one.
    ///
    /// This takes long, so call it on a blocking thread. For any name, it computes
    /// one hash of each kind in the file. So if all hashes of a kind have the same
    /// cost, the time does not reveal whether the user exists.
    #[must_use]
    pub fn check(&self, name: &str, password: &str) -> Option<&User> {
        self.check_in(&mut Memory::default(), name, password)
    }

    /// As [`check`](Self::check), in memory that is used again.
    pub(super) fn check_in(
        &self,
        memory: &mut Memory,
        name: &str,
        password: &str,
    ) -> Option<&User> {
        let account = prepared_name(name).and_then(|name| self.accounts.get(&*name));
        let own = account.and_then(|account| account.argon2.as_ref());
        let argon2 = own
            .or(self.argon2.as_ref())
            .is_some_and(|hash| hash.is_of(password, memory) && own.is_some());
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

    /// Whether SCRAM-SHA-256 is offered: only if every user has keys for it. The
    /// offer cannot depend on the user, whose name comes later, and a client that
    /// fails with the best mechanism tries no other.
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

    /// The user of this name, however it is spelled.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        let account = self.accounts.get(&*prepared_name(name)?);
        account.map(|account| &account.user)
    }

    /// Whether both were read from the same text.
    pub(super) fn is_same_text(&self, other: &Self) -> bool {
        self.secret == other.secret
    }

    /// Returns the keys for SCRAM, and the user. For an unknown name, the keys
    /// match no password.
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
                return Err("an earlier line gives this user another maildir");
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
            true => Err("an earlier line gives this user a hash of this kind"),
            false => Ok(()),
        }
    }
}

/// Writes the number of users, and no hashes.
impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("users", &self.accounts.len())
            .field("scram", &self.offers_scram())
            .finish_non_exhaustive()
    }
}

/// Computes the Argon2id hash of a password for [`Accounts`], with a new salt and
/// the cost that the library recommends.
///
/// # Errors
///
/// If the operating system returns no random octets.
pub fn hash_password(password: &str) -> io::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(io::Error::other)
}

/// The error text for a name.
const NAME: &str = "the name is empty or contains a forbidden character (RFC 4013)";

struct Entry<'a> {
    name: &'a str,
    hash: Hash,
    maildir: Option<&'a str>,
}

enum Hash {
    Argon2(Argon2Hash),
    Scram(ScramKeys),
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Result<Self, &'static str> {
        let (name, rest) = line
            .split_once(':')
            .ok_or("the line does not have the form user:hash")?;
        // SCRAM keys contain two colons themselves.
        let colons = match rest.starts_with("SCRAM-") {
            true => 2,
            false => 0,
        };
        let (hash, maildir) = match rest.match_indices(':').nth(colons) {
            Some((at, _)) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let hash = if colons > 0 {
            let keys =
                ScramKeys::parse(hash).ok_or("the hash is not a set of SCRAM-SHA-256 keys")?;
            Hash::Scram(keys)
        } else {
            Hash::Argon2(
                Argon2Hash::parse(hash).ok_or("the hash is neither Argon2 nor SCRAM-SHA-256")?,
            )
        };
        Ok(Self {
            name,
            hash,
            maildir: maildir.filter(|path| !path.is_empty()),
        })
    }
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

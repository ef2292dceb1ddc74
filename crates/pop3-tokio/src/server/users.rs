//! The users of a running server, which may be replaced.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{Accounts, User, argon::Memory, remembered::Remembered};

/// The users, and the logins that they have proven.
///
/// Both are replaced as one, so a proof never outlives the users that it was made
/// with.
pub(super) struct Users {
    pub(super) accounts: Accounts,
    remembered: Remembered,
}

impl Users {
    /// Finds a user who has proven this password in the last `time`.
    pub(super) fn recall(&self, name: &str, password: &str, time: Duration) -> Option<User> {
        if time.is_zero() {
            return None;
        }
        let user = self.accounts.user(name)?;
        let known = self.remembered.contains(user, password, time);
        known.then(|| user.clone())
    }

    /// Checks a password as [`Accounts::check`] does, and remembers it for `time` if
    /// it is right.
    pub(super) fn check(
        &self,
        memory: &mut Memory,
        name: &str,
        password: &str,
        time: Duration,
    ) -> Option<User> {
        let user = self.accounts.check_in(memory, name, password)?;
        if !time.is_zero() {
            self.remembered.insert(user, password);
        }
        Some(user.clone())
    }
}

/// The users at this moment.
pub(super) struct CurrentUsers(RwLock<Arc<Users>>);

impl CurrentUsers {
    pub(super) fn new(accounts: Accounts) -> Self {
        Self(RwLock::new(Arc::new(Users {
            accounts,
            remembered: Remembered::new(),
        })))
    }

    pub(super) fn get(&self) -> Arc<Users> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the users, unless these are the same. Returns whether they are others.
    pub(super) fn replace(&self, accounts: Accounts) -> bool {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let others = !users.accounts.is_same_text(&accounts);
        if others {
            *users = Arc::new(Users {
                accounts,
                remembered: Remembered::new(),
            });
        }
        others
    }

    /// Whether these users have not been replaced.
    pub(super) fn are(&self, users: &Arc<Users>) -> bool {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::ptr_eq(&current, users)
    }
}

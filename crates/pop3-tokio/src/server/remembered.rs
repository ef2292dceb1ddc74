//! Logins that were proven in the last minutes, so that a client that polls does not
//! pay for a hash each time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::User;
use crate::tls::random;

/// At most one proof for each user.
///
/// A proof is the HMAC of name and password with a key that is in no file and lives
/// as long as this value. It says nothing about the password to a reader of
/// anything but this memory; one who reads this memory can try passwords faster
/// than with the hash.
pub(super) struct Remembered {
    /// `None` if the operating system returned no random octets: then nothing is
    /// remembered.
    key: Option<Zeroizing<[u8; 32]>>,
    proofs: Mutex<HashMap<String, Proof>>,
}

struct Proof {
    tag: [u8; 32],
    since: Instant,
}

impl Remembered {
    pub(super) fn new() -> Self {
        Self {
            key: random().ok().map(Zeroizing::new),
            proofs: Mutex::default(),
        }
    }

    /// Remembers that this is the password of the user.
    pub(super) fn insert(&self, user: &User, password: &str) {
        let Some(tag) = self.tag(user, password) else {
            return;
        };
        let since = Instant::now();
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.insert(user.name().to_owned(), Proof { tag, since });
    }

    /// Whether this password of the user was proven in the last `time`. A wrong
    /// password changes nothing.
    pub(super) fn contains(&self, user: &User, password: &str, time: Duration) -> bool {
        let Some(tag) = self.tag(user, password) else {
            return false;
        };
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs
            .get(user.name())
            .is_some_and(|proof| proof.since.elapsed() < time && bool::from(proof.tag.ct_eq(&tag)))
    }

    fn tag(&self, user: &User, password: &str) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key.as_ref()?[..]).ok()?;
        mac.update(&(user.name().len() as u64).to_be_bytes());
        mac.update(user.name().as_bytes());
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time;

    use super::Remembered;
    use crate::server::{Accounts, User};

    const MINUTE: Duration = Duration::from_secs(60);

    fn user(name: &str) -> User {
        let accounts = Accounts::single(name, "any").unwrap();
        accounts.users().next().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn knows_one_password_of_a_user_for_a_time() {
        let remembered = Remembered::new();
        let (a, b) = (user("a"), user("b"));
        assert!(!remembered.contains(&a, "secret", MINUTE));
        remembered.insert(&a, "secret");
        time::advance(MINUTE - Duration::from_secs(1)).await;
        assert!(remembered.contains(&a, "secret", MINUTE));
        for (user, password) in [(&a, "wrong"), (&a, ""), (&b, "secret")] {
            assert!(!remembered.contains(user, password, MINUTE), "{password}");
        }
        // Neither use nor a wrong password changes the time.
        time::advance(Duration::from_secs(1)).await;
        assert!(!remembered.contains(&a, "secret", MINUTE));
    }

    #[tokio::test]
    async fn keeps_one_proof_for_each_user() {
        let remembered = Remembered::new();
        for number in 0..100 {
            remembered.insert(&user("a"), &number.to_string());
        }
        assert_eq!(remembered.proofs.lock().unwrap().len(), 1);
        assert!(remembered.contains(&user("a"), "99", MINUTE));
    }

    #[test]
    fn a_proof_is_valid_only_where_it_was_made() {
        let (one, other) = (Remembered::new(), Remembered::new());
        let tag = |remembered: &Remembered| remembered.tag(&user("a"), "secret").unwrap();
        assert_ne!(tag(&one), tag(&other));
        // The end of the name is not the start of the password.
        let ab = one.tag(&user("ab"), "c").unwrap();
        assert_ne!(ab, one.tag(&user("a"), "bc").unwrap());
    }
}

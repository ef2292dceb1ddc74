//! Messages without a valid unique-id, recognized by their octets.
//!
//! Their key in the journal is the SHA-256 digest of the octets received, in a form
//! that is longer than any unique-id may be (RFC 1939 §7: 70 octets).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::Key;

const PREFIX: &[u8] = b"sha256:";

/// The keys of one visit.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    current: Sha256,
    /// The number of messages received with these octets.
    seen: BTreeMap<Vec<u8>, u32>,
}

impl Digests {
    pub(crate) fn begin(&mut self) {
        self.current = Sha256::new();
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.current.update(octets);
    }

    /// The key of the message that has just ended.
    pub(crate) fn key(&mut self) -> Key {
        let digest = std::mem::take(&mut self.current).finalize();
        let mut unique_id = PREFIX.to_vec();
        for octet in digest {
            unique_id.extend_from_slice(format!("{octet:02x}").as_bytes());
        }
        let seen = self.seen.entry(unique_id.clone()).or_insert(0);
        let copy = *seen;
        *seen += 1;
        Key { unique_id, copy }
    }

    /// Forgets the last message with this key, which was discarded and will be
    /// retrieved again.
    pub(crate) fn forget(&mut self, key: &Key) {
        if let Some(seen) = self.seen.get_mut(&key.unique_id) {
            *seen = seen.saturating_sub(1);
        }
    }
}

/// Whether a key in the journal belongs to a message without a valid unique-id.
pub(crate) fn is_digest(unique_id: &[u8]) -> bool {
    unique_id.starts_with(PREFIX) && unique_id.len() == PREFIX.len() + 64
}

#[cfg(test)]
mod tests {
    use super::{Digests, is_digest};

    #[test]
    fn gives_a_message_that_is_retrieved_again_the_same_key() {
        let mut digests = Digests::default();
        let mut key = |octets: &[u8]| {
            digests.begin();
            digests.update(octets);
            digests.key()
        };
        let (one, other, copy) = (key(b"one"), key(b"other"), key(b"one"));
        assert!(is_digest(&one.unique_id) && !is_digest(b"sha256:one"));
        assert_ne!(one.unique_id, other.unique_id);
        assert_eq!((one.copy, copy.copy), (0, 1));
        digests.forget(&copy);
        digests.begin();
        digests.update(b"one");
        assert_eq!(digests.key(), copy);
    }
}

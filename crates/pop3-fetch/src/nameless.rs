//! Messages without a valid unique-id, known by their octets.
//!
//! Their key in the journal is the SHA-256 of the octets received, written so that
//! it is longer than any unique-id may be (RFC 1939 §7: 70 octets).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::Key;

const PREFIX: &[u8] = b"sha256:";

/// The keys of a visit.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    current: Sha256,
    /// How many messages with these octets came.
    seen: BTreeMap<Vec<u8>, u32>,
}

impl Digests {
    pub(crate) fn begin(&mut self) {
        self.current = Sha256::new();
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.current.update(octets);
    }

    /// The key of the message that is whole now.
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
}

/// Whether a key in the journal is that of such a message.
pub(crate) fn is_digest(unique_id: &[u8]) -> bool {
    unique_id.starts_with(PREFIX) && unique_id.len() == PREFIX.len() + 64
}

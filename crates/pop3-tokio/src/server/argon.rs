//! Argon2 hashes of passwords, computed in memory that is used again.

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::phc::{Output, Salt},
};

/// The memory in which hashes are computed. It is as large as the largest hash so
/// far needed.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.get(..count).is_none() {
            // Free the old blocks first, and do not copy them.
            self.0 = Vec::new();
            self.0 = vec![Block::new(); count];
        }
        &mut self.0[..count]
    }
}

/// The Argon2 hash of a password, with its salt and its costs.
#[derive(Clone)]
pub(super) struct Argon2Hash {
    argon2: Argon2<'static>,
    salt: Salt,
    hash: Output,
}

impl Argon2Hash {
    /// Parses the PHC string format; `None` if no password can be tried on it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::default(),
        };
        let params = Params::try_from(&hash).ok()?;
        Some(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt: hash.salt?,
            hash: hash.hash?,
        })
    }

    /// Whether this is the hash of the password.
    pub(super) fn is_of(&self, password: &str, memory: &mut Memory) -> bool {
        let mut octets = [0; Output::MAX_LENGTH];
        let octets = &mut octets[..self.hash.len()];
        let blocks = memory.blocks(self.argon2.params().block_count());
        let hashed = self.argon2.hash_password_into_with_memory(
            password.as_bytes(),
            &self.salt,
            octets,
            blocks,
        );
        // The comparison of `Output` takes the same time for all octets.
        hashed.is_ok() && Output::new(octets).is_ok_and(|output| output == self.hash)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, CustomizedPasswordHasher as _, Params};

    use super::{Argon2, Argon2Hash, Memory};

    /// Each kind and several costs, in memory that is too small, too large, and not
    /// empty.
    #[test]
    fn hashes_as_the_library_does_in_memory_that_was_used() {
        let mut memory = Memory::default();
        for costs in [16, 64, 8, 40] {
            for algorithm in [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id] {
                for version in [0x10, 0x13] {
                    let hash = Argon2::default().hash_password_customized(
                        b"tanstaaf",
                        b"salt of x",
                        Some(algorithm.as_str()),
                        Some(version),
                        Params::new(costs, 2, 1, None).unwrap(),
                    );
                    let hash = hash.unwrap().to_string();
                    let parsed = Argon2Hash::parse(&hash).unwrap();
                    assert!(parsed.is_of("tanstaaf", &mut memory), "{hash}");
                    assert!(!parsed.is_of("tanstaafl", &mut memory), "{hash}");
                }
            }
        }
        assert_eq!(memory.0.len(), 64);
    }
}

//! SCRAM-SHA-256: the keys that a server stores, and its half of the exchange (RFC
//! 5802, RFC 7677).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{sasl::ITERATIONS, tls::random};

/// The minimum number of iterations (RFC 7677 §4), which [`ScramKeys::new`] uses.
pub const SCRAM_ITERATIONS: u32 = *ITERATIONS.start();

/// Octets of a new salt.
const SALT: usize = 16;

/// The prefix of the text form.
const SCHEME: &str = "SCRAM-SHA-256$";

/// The keys that a server stores for a password with SCRAM-SHA-256 (RFC 5802 §3).
///
/// Their text form is `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, with the
/// last three in base64, as in other servers. The keys are enough to check
/// passwords and to impersonate the server, but not to log in.
///
/// ```
/// use pop3_tokio::server::ScramKeys;
///
/// let keys = ScramKeys::new("tanstaaf")?;
/// let read = ScramKeys::parse(&keys.to_string()).unwrap();
/// assert!(read.is_password("tanstaaf"));
/// assert!(!read.is_password("tanstaafl"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct ScramKeys {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl ScramKeys {
    /// Computes the keys of a password, with a new salt.
    ///
    /// # Errors
    ///
    /// If the operating system returns no random octets.
    pub fn new(password: &str) -> std::io::Result<Self> {
        let salt = random::<SALT>()?;
        Ok(Self::derive(password, salt.to_vec(), SCRAM_ITERATIONS))
    }

    /// Parses the text form; `None` if it is malformed, or has fewer than
    /// [`SCRAM_ITERATIONS`] or more than 1,000,000 iterations, which our client
    /// refuses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (parameters, keys) = text.strip_prefix(SCHEME)?.split_once('$')?;
        let (iterations, salt) = parameters.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let iterations = iterations.parse().ok()?;
        let salt = STANDARD.decode(salt).ok()?;
        let key = |text| STANDARD.decode(text).ok()?.try_into().ok();
        if !ITERATIONS.contains(&iterations) || salt.is_empty() {
            return None;
        }
        Some(Self {
            iterations,
            salt,
            stored_key: key(stored_key)?,
            server_key: key(server_key)?,
        })
    }

    /// Whether the keys were made from this password. Takes the time of the
    /// iterations.
    #[must_use]
    pub fn is_password(&self, password: &str) -> bool {
        let other = Self::derive(password, self.salt.clone(), self.iterations);
        other.stored_key.ct_eq(&self.stored_key).into()
    }

    /// Keys that match no password. They depend on `name` and `secret`, so that a
    /// client does not learn which names exist.
    pub(super) fn of_nobody(name: &str, secret: &[u8], like: &Self) -> Self {
        let octets = |what: &[u8]| mac(secret, &[what, name.as_bytes()]);
        let mut salt = octets(b"salt").to_vec();
        salt.resize(like.salt.len(), 0);
        Self {
            iterations: like.iterations,
            salt,
            stored_key: octets(b"stored"),
            server_key: octets(b"server"),
        }
    }

    fn derive(password: &str, salt: Vec<u8>, iterations: u32) -> Self {
        // RFC 5802 §2.2. A password that SASLprep forbids is used unchanged, and
        // matches no password that was prepared.
        let prepared = stringprep::saslprep(password).unwrap_or(password.into());
        let mut salted = [0; 32];
        pbkdf2_hmac::<Sha256>(prepared.as_bytes(), &salt, iterations, &mut salted);
        Self {
            iterations,
            salt,
            stored_key: Sha256::digest(mac(&salted, &[b"Client Key"])).into(),
            server_key: mac(&salted, &[b"Server Key"]),
        }
    }
}

/// Writes nothing that would help to find the password.
impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Writes the text form.
impl fmt::Display for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{SCHEME}{}:{}${}:{}",
            self.iterations,
            STANDARD.encode(&self.salt),
            STANDARD.encode(self.stored_key),
            STANDARD.encode(self.server_key)
        )
    }
}

/// The parts of the client's first message (RFC 5802 §7).
pub(super) struct ClientFirst {
    pub(super) name: String,
    gs2_header: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// Parses the message; `None` if it is malformed, asks for another identity, or
    /// binds a channel, which only SCRAM-SHA-256-PLUS does and is not offered.
    pub(super) fn parse(message: &str) -> Option<Self> {
        let mut parts = message.splitn(3, ',');
        let (binding, identity, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if !matches!(binding, "n" | "y") {
            return None;
        }
        // A mandatory extension would come first, as m=.
        let mut attributes = bare.split(',');
        let name = unescape(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let identity_is_name = match identity.strip_prefix("a=") {
            Some(identity) => unescape(identity)? == name,
            None => identity.is_empty(),
        };
        if nonce.is_empty() || !nonce.bytes().all(|octet| octet.is_ascii_graphic()) {
            return None;
        }
        identity_is_name.then(|| Self {
            gs2_header: format!("{binding},{identity},"),
            bare: bare.to_owned(),
            nonce: nonce.to_owned(),
            name,
        })
    }

    /// Returns the server's first message, and the check of the client's final
    /// message.
    pub(super) fn answer(self, keys: ScramKeys, server_nonce: &str) -> (String, Expected) {
        let nonce = format!("{}{server_nonce}", self.nonce);
        let salt = STANDARD.encode(&keys.salt);
        let message = format!("r={nonce},s={salt},i={}", keys.iterations);
        let expected = Expected {
            channel: STANDARD.encode(self.gs2_header),
            transcript: format!("{},{message}", self.bare),
            nonce,
            keys,
        };
        (message, expected)
    }
}

/// The check of the client's final message.
pub(super) struct Expected {
    channel: String,
    transcript: String,
    nonce: String,
    keys: ScramKeys,
}

impl Expected {
    /// Returns the server's final message, if the client's message proves that it
    /// knows the password.
    pub(super) fn check(&self, message: &str) -> Option<String> {
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let channel = attributes.next()?.strip_prefix("c=")?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if channel != self.channel || nonce != self.nonce {
            return None;
        }
        let mut client_key: [u8; 32] = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let transcript = [self.transcript.as_bytes(), b",", without_proof.as_bytes()];
        let signature = mac(&self.keys.stored_key, &transcript);
        for (octet, mask) in client_key.iter_mut().zip(signature) {
            *octet ^= mask;
        }
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        let proven: bool = stored_key.ct_eq(&self.keys.stored_key).into();
        proven.then(|| {
            let signature = mac(&self.keys.server_key, &transcript);
            format!("v={}", STANDARD.encode(signature))
        })
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC accepts keys of any length, so this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Decodes a name in which `=2C` stands for a comma and `=3D` for `=`.
fn unescape(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (escaped, rest) = piece.split_at_checked(2)?;
        plain.push(match escaped {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        plain.push_str(rest);
    }
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's final message: with this channel and nonce, and a proof that
    /// is right for them.
    fn client_final(transcript: &str, channel: &str, nonce: &str, keys: &ScramKeys) -> String {
        let mut salted = [0; 32];
        pbkdf2_hmac::<Sha256>(b"pencil", &keys.salt, keys.iterations, &mut salted);
        let mut proof = mac(&salted, &[b"Client Key"]);
        let stored_key = Sha256::digest(proof);
        let without_proof = format!("c={channel},r={nonce}");
        let transcript = format!("{transcript},{without_proof}");
        let signature = mac(&stored_key, &[transcript.as_bytes()]);
        for (octet, mask) in proof.iter_mut().zip(signature) {
            *octet ^= mask;
        }
        format!("{without_proof},p={}", STANDARD.encode(proof))
    }

    /// RFC 5802 §5.1: the channel and the nonce are those of this exchange, though
    /// the proof may be right for others.
    #[test]
    fn a_proof_is_for_its_channel_and_nonce_alone() {
        let keys = ScramKeys::new("pencil").unwrap();
        let check = |channel, nonce| {
            let first = ClientFirst::parse("n,,n=user,r=client").unwrap();
            let (server_first, expected) = first.answer(keys.clone(), "server");
            let transcript = format!("n=user,r=client,{server_first}");
            expected.check(&client_final(&transcript, channel, nonce, &keys))
        };
        assert!(check("biws", "clientserver").is_some());
        assert!(check("eSws", "clientserver").is_none());
        assert!(check("biws", "clientother").is_none());
        assert!(check("eSws", "clientother").is_none());
    }

    #[test]
    fn a_name_may_have_commas_and_equals_signs() {
        let name = |escaped| {
            let message = format!("n,,n={escaped},r=nonce");
            ClientFirst::parse(&message).map(|first| first.name)
        };
        assert_eq!(name("a=2Cb=3Dc=2C").as_deref(), Some("a,b=c,"));
        for escaped in ["a=2D", "a=", "a=2", ""] {
            assert_eq!(name(escaped), None, "{escaped}");
        }
    }
}

//! NTLM, only version 2 (MS-NLMP §3.3.2), as used by MS-OXPOP3 and MS-POP3:
//! NEGOTIATE, CHALLENGE, AUTHENTICATE, without signing, sealing or channel binding.
//!
//! The parser trusts no length that the server sends (CVE-2012-3482).

use md4::{Digest, Md4};
use zeroize::Zeroizing;

use super::{Octets, SaslError, decode, password::hmac_md5};
use crate::tls::random;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// Unicode, request target, NTLM, always sign, extended session security, 128
/// bits, 56 bits (MS-NLMP §2.2.2.5).
const FLAGS: u32 = 0xA008_8205;
const UNICODE: u32 = 1;

/// 100 nanoseconds from 1601 to 1970 (FILETIME).
const EPOCH: u64 = 116_444_736_000_000_000;

pub(in crate::client) struct Ntlm {
    domain: String,
    user: String,
    password: Zeroizing<String>,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Begin,
    Negotiated,
    Authenticated,
}

impl Ntlm {
    /// The user may be `DOMAIN\user`.
    pub(super) fn new(user: &str, password: &str) -> Self {
        let (domain, user) = user.split_once('\\').unwrap_or(("", user));
        Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            stage: Stage::Begin,
        }
    }

    pub(super) fn has_shown_proof(&self) -> bool {
        self.stage == Stage::Authenticated
    }

    pub(super) fn respond(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        match self.stage {
            Stage::Begin => {
                self.stage = Stage::Negotiated;
                Ok(Zeroizing::new(negotiate()))
            }
            Stage::Negotiated => {
                let message = decode(challenge)?;
                let challenge = Challenge::parse(&message).ok_or(SaslError::Malformed)?;
                let client = random().map_err(|_| SaslError::Random)?;
                let message = self.authenticate(&challenge, client, now())?;
                self.stage = Stage::Authenticated;
                Ok(message)
            }
            Stage::Authenticated => Err(SaslError::OneMore),
        }
    }

    fn authenticate(
        &self,
        challenge: &Challenge<'_>,
        client: [u8; 8],
        now: u64,
    ) -> Result<Octets, SaslError> {
        let key = self.key()?;
        let time = challenge.timestamp().unwrap_or(now.to_le_bytes());
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend_from_slice(&time);
        blob.extend_from_slice(&client);
        blob.extend_from_slice(&[0; 4]);
        blob.extend_from_slice(challenge.target_info);
        blob.extend_from_slice(&[0; 4]);
        let mut nt = hmac_md5(&key[..], &[challenge.server, &blob])?.to_vec();
        nt.extend_from_slice(&blob);
        // A server that sends the time wants no LM response (§3.1.5.1.2).
        let lm = match challenge.timestamp() {
            Some(_) => vec![0; 24],
            None => {
                let mut lm = hmac_md5(&key[..], &[challenge.server, &client])?.to_vec();
                lm.extend_from_slice(&client);
                lm
            }
        };
        let fields = [
            lm,
            nt,
            utf16(&self.domain),
            utf16(&self.user),
            vec![],
            vec![],
        ];
        let mut message = Zeroizing::new(SIGNATURE.to_vec());
        message.extend_from_slice(&3_u32.to_le_bytes());
        let mut offset = 64_usize;
        for field in &fields {
            let octets = u16::try_from(field.len()).map_err(|_| SaslError::Credentials)?;
            let at = u32::try_from(offset).map_err(|_| SaslError::Credentials)?;
            message.extend_from_slice(&octets.to_le_bytes());
            message.extend_from_slice(&octets.to_le_bytes());
            message.extend_from_slice(&at.to_le_bytes());
            offset += field.len();
        }
        message.extend_from_slice(&(challenge.flags & FLAGS).to_le_bytes());
        for field in &fields {
            message.extend_from_slice(field);
        }
        Ok(message)
    }

    /// NTOWFv2 (§3.3.2).
    fn key(&self) -> Result<Zeroizing<[u8; 16]>, SaslError> {
        let password = Zeroizing::new(utf16(&self.password));
        let hash: Zeroizing<[u8; 16]> = Zeroizing::new(Md4::digest(&password[..]).into());
        let user = utf16(&self.user.to_uppercase());
        let domain = utf16(&self.domain);
        hmac_md5(&hash[..], &[&user, &domain]).map(Zeroizing::new)
    }
}

fn negotiate() -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&1_u32.to_le_bytes());
    message.extend_from_slice(&FLAGS.to_le_bytes());
    // No domain and no workstation.
    message.extend_from_slice(&[0; 16]);
    message
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn now() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let tenths = since.map_or(0, |since| since.as_nanos() / 100);
    EPOCH.saturating_add(u64::try_from(tenths).unwrap_or_default())
}

/// The contents of a CHALLENGE (§2.2.1.2).
struct Challenge<'a> {
    flags: u32,
    server: &'a [u8],
    /// Pairs of a type, a length and a value.
    target_info: &'a [u8],
}

impl<'a> Challenge<'a> {
    fn parse(message: &'a [u8]) -> Option<Self> {
        let rest = message.strip_prefix(SIGNATURE)?;
        if number(rest.get(..4)?) != 2 {
            return None;
        }
        let flags = u32::try_from(number(message.get(20..24)?)).ok()?;
        let target_info = match message.get(40..48) {
            None => &[][..],
            Some(field) => {
                let octets = number(&field[..2]);
                let at = number(&field[4..]);
                message.get(at..at.checked_add(octets)?)?
            }
        };
        (flags & UNICODE != 0).then_some(Self {
            flags,
            server: message.get(24..32)?,
            target_info,
        })
    }

    /// MsvAvTimestamp (§2.2.2.1).
    fn timestamp(&self) -> Option<[u8; 8]> {
        let mut rest = self.target_info;
        loop {
            let (kind, octets) = (number(rest.get(..2)?), number(rest.get(2..4)?));
            let value = rest.get(4..4 + octets)?;
            match kind {
                0 => return None,
                7 => return value.try_into().ok(),
                _ => rest = &rest[4 + octets..],
            }
        }
    }
}

/// Reads a little-endian number of at most four octets.
fn number(octets: &[u8]) -> usize {
    octets
        .iter()
        .rev()
        .fold(0, |number, octet| number << 8 | usize::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::sasl::{encode, hex};

    /// MS-NLMP §4.2.4: the example for version 2.
    fn example() -> (Ntlm, Vec<u8>) {
        let mut challenge = SIGNATURE.to_vec();
        challenge.extend_from_slice(&2_u32.to_le_bytes());
        challenge.extend_from_slice(&[0; 8]);
        challenge.extend_from_slice(&0xE28A_8233_u32.to_le_bytes());
        challenge.extend_from_slice(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        challenge.extend_from_slice(&[0; 8]);
        let mut pairs = Vec::new();
        for (kind, text) in [(2_u16, "Domain"), (1, "Server")] {
            let text = utf16(text);
            pairs.extend_from_slice(&kind.to_le_bytes());
            pairs.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
            pairs.extend_from_slice(&text);
        }
        pairs.extend_from_slice(&[0; 4]);
        let octets = u16::try_from(pairs.len()).unwrap().to_le_bytes();
        challenge.extend_from_slice(&octets);
        challenge.extend_from_slice(&octets);
        challenge.extend_from_slice(&48_u32.to_le_bytes());
        challenge.extend_from_slice(&pairs);
        (Ntlm::new("Domain\\User", "Password"), challenge)
    }

    #[test]
    fn example_of_ms_nlmp() {
        let (ntlm, message) = example();
        assert_eq!(
            hex(&ntlm.key().unwrap()[..]),
            "0c868a403bfd7a93a3001ef22ef02e3f"
        );
        let challenge = Challenge::parse(&message).unwrap();
        let answer = ntlm.authenticate(&challenge, [0xaa; 8], 0).unwrap();
        let field = |at: usize| {
            let start = number(&answer[at + 4..at + 8]);
            &answer[start..start + number(&answer[at..at + 2])]
        };
        let lm = "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa";
        assert_eq!(hex(field(12)), lm);
        assert_eq!(hex(&field(20)[..16]), "68cd0ab851e51c96aabc927bebef6a1c");
        assert_eq!(field(28), utf16("Domain"));
        assert_eq!(field(36), utf16("User"));
        // Only what both sides know.
        assert_eq!(number(&answer[60..64]), 0xa008_8201);
    }

    #[test]
    fn begins_with_its_flags_and_no_name() {
        let (mut ntlm, _) = example();
        let negotiate = ntlm.respond(b"").unwrap();
        let flags = "058208a0";
        assert_eq!(
            hex(&negotiate),
            format!("{}01000000{flags}{}", hex(SIGNATURE), "0".repeat(32))
        );
    }

    #[test]
    fn refuses_a_server_without_unicode() {
        let (_, mut message) = example();
        message[20] &= !1;
        assert!(Challenge::parse(&message).is_none());
    }

    /// MS-DTYP §2.3.3: tenths of a microsecond since 1601.
    #[test]
    fn gives_the_time_as_a_filetime() {
        let filetime = || {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            u64::try_from(since.as_nanos() / 100).unwrap() + 134_774 * 86_400 * 10_000_000
        };
        let before = filetime();
        let now = now();
        assert!((before..=filetime()).contains(&now), "{now}");
    }

    #[test]
    fn numbers_are_little_endian() {
        assert_eq!(number(&[0x34, 0x12]), 0x1234);
        assert_eq!(number(&[0x78, 0x56, 0x34, 0x12]), 0x1234_5678);
    }

    #[test]
    fn survives_a_challenge_cut_or_changed_anywhere() {
        let (_, message) = example();
        for end in 0..message.len() {
            let mut ntlm = example().0;
            let _ = ntlm.respond(b"");
            let _ = ntlm.respond(encode(&message[..end]).as_bytes());
            for octet in [0, 1, 0x7f, 0xff] {
                let mut changed = message.clone();
                changed[end] = octet;
                if let Some(challenge) = Challenge::parse(&changed) {
                    let _ = challenge.timestamp();
                }
            }
        }
        let mut ntlm = example().0;
        ntlm.respond(b"").unwrap();
        assert_eq!(
            ntlm.respond(b"not base64").unwrap_err(),
            SaslError::NoBase64
        );
        assert_eq!(ntlm.respond(b"AAAA").unwrap_err(), SaslError::Malformed);
        assert!(!ntlm.has_shown_proof());
    }

    #[test]
    fn uses_the_time_of_the_server() {
        let (ntlm, mut message) = example();
        // Replace the pairs by a timestamp without an end.
        message[40] = 12;
        message.truncate(48);
        message.extend_from_slice(&[7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let challenge = Challenge::parse(&message).unwrap();
        assert_eq!(challenge.timestamp(), Some([1, 2, 3, 4, 5, 6, 7, 8]));
        let answer = ntlm.authenticate(&challenge, [0xaa; 8], 0).unwrap();
        assert_eq!(answer[64..88], [0; 24]);
        // Octets after the end of the pairs do not belong to them.
        message[40] = 16;
        message.splice(48..48, [0; 4]);
        let challenge = Challenge::parse(&message).unwrap();
        assert_eq!(challenge.timestamp(), None);
    }
}

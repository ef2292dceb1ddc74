//! The names of files in a Maildir.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pop3_proto::UniqueId;
use sha2::{Digest as _, Sha256};

/// The prefix of unique-ids that are hashes. No other unique-id begins with it.
const HASHED: &str = "sha256-";

/// The part of a name that does not change with flags and directories: without the
/// flags after `:`, and without the sizes that some programs add. These sizes are
/// unreliable: Dovecot's `W=` does not count the CRLF that is added to a last line
/// without one.
pub(super) fn unique_part(file: &[u8]) -> Vec<u8> {
    let end = file.iter().position(|&octet| octet == b':');
    let mut fields = file[..end.unwrap_or(file.len())].split(|&octet| octet == b',');
    let mut part = fields.next().unwrap_or_default().to_vec();
    for field in fields.filter(|field| !is_size(field)) {
        part.push(b',');
        part.extend(field);
    }
    part
}

/// The unique-id for a name: the name itself if it is valid as a unique-id, or else
/// its hash.
pub(super) fn unique_id(name: &[u8]) -> String {
    match str::from_utf8(name) {
        Ok(text) if UniqueId::new(name).is_ok() && !text.starts_with(HASHED) => text.to_owned(),
        _ => format!("{HASHED}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(name))),
    }
}

/// The time of delivery, for sorting: the digits at the start of the name.
pub(super) fn delivered(name: &[u8]) -> u64 {
    let digits = name.iter().take_while(|octet| octet.is_ascii_digit());
    digits.fold(0, |number: u64, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    })
}

/// Whether a field is `S=octets` or `W=octets`.
fn is_size(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"S=").or(field.strip_prefix(b"W="));
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
    digits
        .and_then(|digits| str::from_utf8(digits).ok())
        .is_some_and(|digits| digits.parse::<u64>().is_ok())
}

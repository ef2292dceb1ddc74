//! What the name of a file in a Maildir says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pop3_proto::UniqueId;
use sha2::{Digest as _, Sha256};

/// Unique-ids that are a hash begin so. No other does.
const HASHED: &str = "sha256-";

/// The part of a name that stays when flags and directories change: without the
/// flags after `:`, and without the sizes that some programs add. Those sizes
/// are claims: Dovecot's `W=` counts no CRLF that the last line lacks.
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

/// A unique-id that only this name has: the name itself if it can be one, or
/// else its hash.
pub(super) fn unique_id(name: &[u8]) -> String {
    match str::from_utf8(name) {
        Ok(text) if UniqueId::new(name).is_ok() && !text.starts_with(HASHED) => text.to_owned(),
        _ => format!("{HASHED}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(name))),
    }
}

/// When it was delivered, for the order: the digits that names begin with.
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

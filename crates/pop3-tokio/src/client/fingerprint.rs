//! The fingerprint of a certificate, for pinning.

use core::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// The SHA-256 fingerprint of a certificate, as
/// `openssl x509 -noout -fingerprint -sha256` prints it.
///
/// ```
/// use pop3_tokio::client::Fingerprint;
///
/// let text = "0f".repeat(32);
/// let fingerprint: Fingerprint = text.parse()?;
/// assert_eq!(fingerprint, fingerprint.to_string().parse()?); // 0F:0F:…
/// # Ok::<(), pop3_tokio::client::FingerprintError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

/// Accepts 64 hexadecimal digits in any case, with or without a colon between
/// octets.
impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut octets = [0; 32];
        let digits = text.trim().replace(':', "");
        if digits.len() != 2 * octets.len() {
            return Err(FingerprintError);
        }
        for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *octet = pair
                .iter()
                .try_fold(0, |octet, digit| {
                    let digit = char::from(*digit).to_digit(16)?;
                    Some(octet << 4 | u8::try_from(digit).ok()?)
                })
                .ok_or(FingerprintError)?;
        }
        Ok(Self(octets))
    }
}

/// Writes pairs of upper-case digits with colons between them.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The text is not a SHA-256 fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FingerprintError;

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a SHA-256 fingerprint is 64 hexadecimal digits, with or without colons: \
             openssl x509 -noout -fingerprint -sha256 -in FILE prints it",
        )
    }
}

impl core::error::Error for FingerprintError {}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, FingerprintError};

    #[test]
    fn reads_hexadecimal_with_and_without_colons_in_any_case() {
        let printed = Fingerprint::of(b"abc").to_string();
        assert!(printed.starts_with("BA:78:16:BF:"), "{printed}");
        let plain = printed.replace(':', "");
        for text in [
            &printed,
            &printed.to_lowercase(),
            &plain,
            &plain.to_lowercase(),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"abc")));
        }
    }

    #[test]
    fn refuses_anything_but_64_digits() {
        let digits = "0".repeat(64);
        for text in [
            "",
            &digits[1..],
            &format!("{digits}0"),
            &digits.replace("00", "0g"),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
        assert_eq!("é".repeat(32).parse::<Fingerprint>(), Err(FingerprintError));
    }
}

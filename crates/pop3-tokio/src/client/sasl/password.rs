//! PLAIN, LOGIN and CRAM-MD5.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use zeroize::Zeroizing;

use super::{Octets, SaslError, hex};

/// Checks that a name or password is not empty and contains no `forbidden`
/// character.
pub(super) fn checked<'a>(text: &'a str, forbidden: &[char]) -> Result<&'a str, SaslError> {
    match text.is_empty() || text.contains(forbidden) {
        true => Err(SaslError::Credentials),
        false => Ok(text),
    }
}

/// The message of PLAIN (RFC 4616 §2), without an authorization identity.
pub(in crate::client) fn plain(user: &str, password: &str) -> Result<Octets, SaslError> {
    let [user, password] = [checked(user, &['\0'])?, checked(password, &['\0'])?];
    Ok(Zeroizing::new(["", user, password].join("\0").into_bytes()))
}

/// The responses of LOGIN.
pub(super) fn login(user: &str, password: &str) -> Result<std::vec::IntoIter<Octets>, SaslError> {
    let octets = |text| Ok(Zeroizing::new(checked(text, &['\0'])?.as_bytes().to_vec()));
    Ok(vec![octets(user)?, octets(password)?].into_iter())
}

/// The response of CRAM-MD5 (RFC 2195 §2).
pub(super) fn cram_md5(user: &str, password: &[u8], challenge: &[u8]) -> Result<Octets, SaslError> {
    let digest = hmac_md5(password, &[challenge])?;
    let mut answer = Zeroizing::new(format!("{user} ").into_bytes());
    answer.extend_from_slice(hex(&digest).as_bytes());
    Ok(answer)
}

/// HMAC-MD5 of the concatenated parts.
pub(super) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 16], SaslError> {
    let mut mac = Hmac::<Md5>::new_from_slice(key).map_err(|_| SaslError::Credentials)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::cram_md5;

    #[test]
    fn computes_the_example_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let answer = cram_md5("tim", b"tanstaaftanstaaf", challenge).unwrap();
        assert_eq!(&answer[..], b"tim b913a602c7eda7a495b4e6e7334d3890");
    }
}

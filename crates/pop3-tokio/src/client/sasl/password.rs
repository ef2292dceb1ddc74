//! PLAIN, LOGIN and CRAM-MD5.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use zeroize::Zeroizing;

use super::{Octets, SaslError, hex};

/// The message of PLAIN (RFC 4616 §2), without an authorization identity.
pub(super) fn plain(user: &str, password: &str) -> Octets {
    let mut message = Zeroizing::new(Vec::with_capacity(2 + user.len() + password.len()));
    for part in [user, password] {
        message.push(0);
        message.extend_from_slice(part.as_bytes());
    }
    message
}

/// The answers of LOGIN.
pub(super) fn login(user: &str, password: &str) -> std::vec::IntoIter<Octets> {
    let octets = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    vec![octets(user), octets(password)].into_iter()
}

/// The answer of CRAM-MD5 (RFC 2195 §2).
pub(super) fn cram_md5(user: &str, password: &[u8], challenge: &[u8]) -> Result<Octets, SaslError> {
    let digest = hmac_md5(password, &[challenge])?;
    let mut answer = Zeroizing::new(format!("{user} ").into_bytes());
    answer.extend_from_slice(hex(&digest).as_bytes());
    Ok(answer)
}

/// HMAC-MD5 of the parts, one after the other.
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
    fn example_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let answer = cram_md5("tim", b"tanstaaftanstaaf", challenge).unwrap();
        assert_eq!(&answer[..], b"tim b913a602c7eda7a495b4e6e7334d3890");
    }
}

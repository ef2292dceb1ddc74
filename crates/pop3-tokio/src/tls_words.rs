//! Error texts for TLS. rustls describes many errors by names of its types, and
//! some by a link to its manual.

use std::{error::Error as StdError, io};

use tokio_rustls::rustls::{self, CertificateError};

/// Describes an error of a handshake, or of a connection under TLS.
pub(crate) fn of_io(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(error) => of_tls(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the other side closed the connection".to_owned()
        }
        None => error.to_string(),
    }
}

/// Describes an error of TLS.
pub(crate) fn of_tls(error: &rustls::Error) -> String {
    use rustls::Error::*;
    match error {
        AlertReceived(alert) => format!(
            "the other side aborted with the alert {}",
            words(&format!("{alert:?}"), '_')
        ),
        InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "what the other side sent is not TLS".to_owned()
        }
        InvalidMessage(what) => format!("a malformed TLS message: {}", of_name(what)),
        InappropriateMessage { .. } | InappropriateHandshakeMessage { .. } => {
            "the other side sent a TLS message out of order".to_owned()
        }
        InvalidCertificate(what) => of_certificate(what),
        InvalidCertRevocationList(what) => {
            format!(
                "an unusable list of revoked certificates: {}",
                of_name(what)
            )
        }
        InvalidEncryptedClientHello(what) => of_name(what),
        PeerIncompatible(what) => {
            format!(
                "the other side's TLS is incompatible with ours: {}",
                of_name(what)
            )
        }
        PeerMisbehaved(what) => {
            format!("the other side violates TLS: {}", of_name(what))
        }
        NoApplicationProtocol => "the other side does not offer POP3 on this port".to_owned(),
        NoCertificatesPresented => "the other side has no certificate".to_owned(),
        InconsistentKeys(_) => "the private key does not belong to the certificate".to_owned(),
        General(what) => what.clone(),
        Other(what) => of_other(what),
        // Other errors have a readable text.
        error => error.to_string(),
    }
}

/// Describes an error of a certificate.
pub(crate) fn of_certificate(error: &CertificateError) -> String {
    use CertificateError::*;
    match error {
        Expired | ExpiredContext { .. } => "the certificate has expired".to_owned(),
        NotValidYet | NotValidYetContext { .. } => "the certificate is not valid yet".to_owned(),
        NotValidForName | NotValidForNameContext { .. } => {
            "the certificate is for another name".to_owned()
        }
        UnknownIssuer => "the certificate's authority is unknown".to_owned(),
        Revoked => "the certificate is revoked".to_owned(),
        InvalidPurpose | InvalidPurposeContext { .. } => {
            "the certificate is not for TLS servers".to_owned()
        }
        Other(what) => of_other(what),
        error => of_name(error),
    }
}

/// Describes the innermost error, which is the most specific.
fn of_other(error: &(dyn StdError + 'static)) -> String {
    match error.source() {
        Some(source) => of_other(source),
        None => {
            let said = error.to_string();
            match said.contains(' ') {
                true => said,
                // webpki also displays the names of its variants.
                false => words(&said, ' '),
            }
        }
    }
}

/// Converts the name of a variant to words.
fn of_name(variant: &impl std::fmt::Debug) -> String {
    words(&format!("{variant:?}"), ' ')
}

/// Converts `UnknownCA` to `unknown ca`, up to the first character that is not a
/// letter, where fields begin.
fn words(name: &str, between: char) -> String {
    let mut words = String::new();
    let mut after_lower = false;
    for char in name.chars().take_while(char::is_ascii_alphanumeric) {
        if char.is_ascii_uppercase() && after_lower {
            words.push(between);
        }
        after_lower = !char.is_ascii_uppercase();
        words.push(char.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio_rustls::rustls::{
        AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
    };

    use super::{of_certificate, of_io};

    #[test]
    fn describes_errors_in_words() {
        for (error, said) in [
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "the other side aborted with the alert unknown_ca",
            ),
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "what the other side sent is not TLS",
            ),
            (
                Error::InvalidMessage(InvalidMessage::UnexpectedMessage("x")),
                "a malformed TLS message: unexpected message",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "the other side's TLS is incompatible with ours: no cipher suites in common",
            ),
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "the certificate's authority is unknown",
            ),
        ] {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            assert_eq!(of_io(&error), said);
        }
    }

    #[test]
    fn describes_a_closed_connection_without_a_link() {
        let link = "peer closed connection: https://docs.rs/rustls";
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, link);
        assert_eq!(of_io(&error), "the other side closed the connection");
        let broken = io::ErrorKind::BrokenPipe;
        assert_eq!(of_io(&broken.into()), io::Error::from(broken).to_string());
    }

    #[test]
    fn describes_wrapped_errors() {
        let inner = OtherError(std::sync::Arc::new(io::Error::other("CaUsedAsEndEntity")));
        let said = of_certificate(&CertificateError::Other(inner));
        assert_eq!(said, "ca used as end entity");
    }
}

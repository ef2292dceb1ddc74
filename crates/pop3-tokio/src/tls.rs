//! What both sides need of TLS.

use core::fmt;
use std::{io, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};

/// The protocol's name in the handshake (ALPN), so that a server of another
/// protocol on the same port is not taken for one of POP3.
pub(crate) const ALPN: &[u8] = b"pop3";

/// The cryptography of this crate: aws-lc-rs. Named, not taken from the
/// process, where another crate may have installed another.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Random octets for nonces.
///
/// # Errors
///
/// If the system gives none.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    match aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut octets)
    {
        Ok(()) => Ok(octets),
        Err(_) => Err(io::Error::other("the system gives no random octets")),
    }
}

/// The certificates of a PEM file, in their order.
///
/// # Errors
///
/// If the file cannot be read, is no PEM, or has no certificate.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, PemFileError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| PemFileError::of(file, error))?;
    match certificates.is_empty() {
        true => Err(PemFileError::new(file, "it has no certificate")),
        false => Ok(certificates),
    }
}

/// The first private key of a PEM file.
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, PemFileError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| PemFileError::of(file, error))
}

/// Why a PEM file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFileError {
    file: String,
    reason: String,
}

impl PemFileError {
    pub(crate) fn new(file: &Path, reason: impl fmt::Display) -> Self {
        Self {
            file: file.display().to_string(),
            reason: reason.to_string(),
        }
    }

    fn of(file: &Path, error: pem::Error) -> Self {
        match error {
            pem::Error::Io(error) => Self::new(file, error),
            error => Self::new(file, error),
        }
    }
}

impl fmt::Display for PemFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use {} for TLS: {}", self.file, self.reason)
    }
}

impl core::error::Error for PemFileError {}
